import { describe, expect, it } from 'vitest';
import { IntraCommands, KeyFrameDemand, KeyFrameRequests } from '../../../mixer/video/rtp/key-frame-requests.ts';
import { SeededRandom } from '../../sim/seeded-random.ts';

const FRAME_MS = 40;

/** Lets an encoder make frames for that time; returns when key frames were made. `step` is what happens meanwhile. */
function encode(demand: KeyFrameDemand, fromMs: number, untilMs: number, step: (nowMs: number) => void): number[] {
  const made: number[] = [];
  for (let nowMs = fromMs; nowMs < untilMs; nowMs += FRAME_MS) {
    step(nowMs);
    if (!demand.isDue(nowMs)) continue;
    demand.sent(nowMs);
    made.push(nowMs);
  }
  return made;
}

describe('what viewers ask of a shared encoder', () => {
  it('a newcomer gets a key frame at once, and so do ten: the same one', () => {
    const demand = new KeyFrameDemand();
    const made = encode(demand, 0, 2000, (nowMs) => {
      if (nowMs === 400) for (let viewer = 0; viewer < 10; viewer++) demand.newcomer();
    });
    expect(made).toEqual([400]);
  });

  it('ten newcomers one after the other get one each 300 ms', () => {
    const demand = new KeyFrameDemand();
    const made = encode(demand, 0, 2000, (nowMs) => {
      if (nowMs < 10 * FRAME_MS) demand.newcomer();
    });
    expect(made).toEqual([0, 320, 640]);
  });

  it('who asks gets one at once, the next soon, a third not; what is asked before it can have arrived is served', () => {
    const demand = new KeyFrameDemand();
    const made = encode(demand, 0, 3000, (nowMs) => {
      if ([80, 200, 400, 1400].includes(nowMs)) demand.asked(1, nowMs);
    });
    // What was asked at 200 was on its way when the one of 80 was.
    expect(made).toEqual([80, 600, 2080]);
  });

  it('who asks all the time makes no storm for the others', () => {
    const demand = new KeyFrameDemand();
    const made = encode(demand, 0, 60_000, (nowMs) => {
      for (let request = 0; request < 20; request++) demand.asked(1, nowMs);
    });
    expect(made.length).toBeLessThanOrEqual(61);
    expect(made.length).toBeGreaterThan(40);
  });

  it('fifty who ask all the time neither', () => {
    const demand = new KeyFrameDemand();
    const random = new SeededRandom(1);
    const made = encode(demand, 0, 60_000, (nowMs) => {
      for (let request = 0; request < 20; request++) demand.asked(random.below(50), nowMs);
    });
    for (const [index, at] of made.entries()) if (index > 0) expect(at - made[index - 1]!).toBeGreaterThanOrEqual(300);
  });

  it('is forgotten with the viewer', () => {
    const demand = new KeyFrameDemand();
    demand.asked(1, 0);
    demand.forget(1);
    expect(demand.isDue(10_000)).toBe(false);
  });

  it('is served by a key frame that came of itself', () => {
    const demand = new KeyFrameDemand();
    demand.asked(1, 0);
    demand.sent(10);
    expect(demand.isDue(10_000)).toBe(false);
  });
});

describe('what we ask of a sender', () => {
  it('at once, again each 500 ms until it comes, with the same command; the next one is another', () => {
    const requests = new KeyFrameRequests();
    const asked: [number, number][] = [];
    for (let nowMs = 0; nowMs < 4000; nowMs += 20) {
      const needed = (nowMs >= 100 && nowMs < 1200) || nowMs >= 3000;
      if (requests.due(needed, nowMs)) asked.push([nowMs, requests.command]);
    }
    expect(asked).toEqual([
      [100, 1],
      [600, 1],
      [1100, 1],
      [3000, 2],
      [3500, 2],
    ]);
    expect(requests.asked).toBe(5);
  });

  it('no more often when each is lost as soon as it has come', () => {
    const requests = new KeyFrameRequests();
    let asked = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += 20) if (requests.due(nowMs % 40 === 0, nowMs)) asked++;
    expect(asked).toBe(20);
  });
});

it('a FIR that is repeated soon is no new one, much later it is (RFC 5104 §4.3.1.2)', () => {
  const commands = new IntraCommands();
  const heard: [sender: number, command: number, nowMs: number, isNew: boolean][] = [
    [1, 5, 0, true],
    [1, 5, 400, false],
    [1, 5, 600, true],
    [1, 6, 700, true],
    [2, 6, 700, true],
    [2, 6, 1100, false],
  ];
  for (const [sender, command, nowMs, isNew] of heard) expect(commands.isNew(sender, command, nowMs)).toBe(isNew);
});
