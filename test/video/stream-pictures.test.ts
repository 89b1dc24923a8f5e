import { beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../mixer/video/engine/engine.ts';
import type { Picture } from '../../mixer/video/engine/picture.ts';
import type { AccessUnit } from '../../mixer/video/rtp/access-unit.ts';
import { StreamPictures } from '../../mixer/video/stream-pictures.ts';
import { newCounts } from '../../mixer/video/video-counts.ts';

/** Of our monotonic clock, when it says 0. */
const WALL_MS = 1_700_000_000_000;
/** So much sooner a picture may be seen, as it is not composed at any time. */
const SOONER_MS = 20;
/** How much the sender's clock is behind ours. */
const BEHIND_MS = 3600_000;

let nowMs: number;
/** What the sender's reports say of time stamp 0; null: none came. */
let ntpMs: number | null;
let released: number;
let made: number;
let told: string[];
let decoder: { needsKey: boolean; fails: boolean; opened: number; closed: number; wait: Promise<void> | null };
let pictures: StreamPictures;

interface Numbered {
  number: number;
}

const engine = {
  openDecoder: () => {
    decoder.opened++;
    return {
      counters: { broken: 0 },
      get keyFrameNeeded() {
        return decoder.needsKey;
      },
      decode: async (
        _data: Uint8Array,
        _intact: boolean,
        number: number,
      ): Promise<(Numbered & { release(): void })[]> => {
        if (decoder.wait !== null) await decoder.wait;
        if (decoder.fails) throw new Error('no memory');
        made++;
        return [{ number, release: () => void released++ }];
      },
      reset: () => undefined,
      close: () => void decoder.closed++,
    };
  },
} as unknown as Engine;

beforeEach(() => {
  [nowMs, ntpMs, released, made, told] = [10_000, null, 0, 0, []];
  decoder = { needsKey: false, fails: false, opened: 0, closed: 0, wait: null };
  pictures = new StreamPictures({
    ...{ engine, counts: newCounts(), wallClockOffsetMs: WALL_MS },
    clock: { ntpMsOf: (timestamp) => (ntpMs === null ? null : ntpMs + timestamp / 90) },
    now: () => nowMs,
    decoded: () => void told.push('decoded'),
    damaged: () => void told.push('damaged'),
    lost: () => void told.push('lost'),
  });
});

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

/** Captured at `capturedMs` of our clock, which is also its number. */
function unit(capturedMs: number, arrivedMs = capturedMs, keyFrame = false): AccessUnit {
  const rtpTimestamp = capturedMs * 90;
  return {
    ...{ codec: 'H264', data: new Uint8Array(10), rtpTimestamp, keyFrame, intact: true, afterLoss: false, arrivedMs },
  };
}

async function put(...units: AccessUnit[]): Promise<void> {
  for (const one of units) pictures.put(one);
  await turns();
}

const seenAt = (ms: number): number | null => {
  const picture = pictures.at(ms) as (Picture & Numbered) | null;
  return picture === null ? null : picture.number / 90;
};

describe('a picture', () => {
  it('is seen at once where nothing is known of its sound', async () => {
    expect(seenAt(nowMs)).toBeNull();
    await put(unit(10_000));
    expect(seenAt(10_000)).toBe(10_000);
    expect(told).toEqual(['decoded']);
  });

  it('waits as long as its sound does, counted from its arrival, as long as the sender reports nothing', async () => {
    pictures.soundIsLate(120, null);
    await put(unit(10_000, 10_000));
    expect([seenAt(10_119 - SOONER_MS), seenAt(10_120 - SOONER_MS)]).toEqual([null, 10_000]);
  });

  it('waits until what was captured with it is heard, by reports, however it came', async () => {
    // What is heard now was captured 200 ms ago. The picture's network was quicker by 150 ms.
    ntpMs = WALL_MS - BEHIND_MS;
    pictures.soundIsLate(90, BEHIND_MS + 200);
    nowMs = 10_050;
    await put(unit(10_000, 10_050));
    expect([seenAt(10_199 - SOONER_MS), seenAt(10_200 - SOONER_MS)]).toEqual([null, 10_000]);
    // One that comes too late is seen at once.
    nowMs = 10_290;
    await put(unit(10_040, 10_290));
    expect(seenAt(10_290)).toBe(10_040);
  });

  it('that comes after its sound wants the sound to be later', async () => {
    ntpMs = WALL_MS - BEHIND_MS;
    pictures.soundIsLate(40, BEHIND_MS + 60);
    for (let at = 10_000; at < 11_000; at += 40) {
      nowMs = at + 200;
      await put(unit(at, nowMs));
    }
    // Captured 200 ms ago, and its sound 60 ms ago: 140 more, and the half of a picture's time.
    expect(pictures.soundDelayWanted(true)).toBe(40 + 140 + SOONER_MS);
    expect(pictures.soundDelayWanted(true)).toBeNull();
    pictures.soundIsLate(40, null);
    expect(pictures.soundDelayWanted(true)).toBeNull();
  });

  it('goes by its arrival where the clocks are far off', async () => {
    ntpMs = WALL_MS - BEHIND_MS;
    pictures.soundIsLate(100, BEHIND_MS + 60_000);
    await put(unit(10_000));
    expect([seenAt(10_099 - SOONER_MS), seenAt(10_100 - SOONER_MS)]).toEqual([null, 10_000]);
  });

  it('never waits for longer than half a second, and keeps its order', async () => {
    pictures.soundIsLate(9000, null);
    await put(unit(10_000));
    pictures.soundIsLate(0, null);
    nowMs = 10_040;
    await put(unit(10_040));
    expect(seenAt(10_499 - SOONER_MS)).toBeNull();
    expect(seenAt(10_500 - SOONER_MS)).toBe(10_040);
    expect(released).toBe(1);
  });

  it('is given back, whatever becomes of it: seen, too many, or reset', async () => {
    pictures.soundIsLate(500, null);
    for (let index = 0; index < 100; index++) {
      nowMs += 10;
      await put(unit(nowMs));
    }
    expect(made - released).toBeLessThanOrEqual(34);
    pictures.reset();
    expect(made).toBe(released);
    expect(seenAt(nowMs + 1000)).toBeNull();
  });

  it('that is being decoded at a reset is not seen after it', async () => {
    let go = (): void => undefined;
    decoder.wait = new Promise((resolve) => {
      go = resolve;
    });
    await put(unit(10_000));
    pictures.reset();
    go();
    await turns();
    expect([made, released, seenAt(20_000), told.length]).toEqual([1, 1, null, 0]);
  });
});

describe('a decoder', () => {
  it('that has lost something is helped by a key frame, but goes on', async () => {
    decoder.needsKey = true;
    await put(unit(10_000), unit(10_040));
    expect(told).toEqual(['decoded', 'damaged', 'decoded', 'damaged']);
    expect(seenAt(10_040)).toBe(10_040);
  });

  it('is not waited for without end: all is left out until a key frame', async () => {
    let go = (): void => undefined;
    decoder.wait = new Promise((resolve) => {
      go = resolve;
    });
    for (let index = 0; index < 22; index++) await put(unit(10_000 + 40 * index));
    expect(told).toEqual(['lost']);
    go();
    await turns();
    expect(made).toBe(1);
  });

  it('that fails is thrown away, and another is tried with the next', async () => {
    decoder.fails = true;
    await put(unit(10_000));
    expect([told, decoder.opened, decoder.closed]).toEqual([['lost'], 1, 1]);
    decoder.fails = false;
    await put(unit(10_040, 10_040, true));
    expect([decoder.opened, seenAt(10_040)]).toEqual([2, 10_040]);
  });

  it('decodes no more of a flood than any camera sends', async () => {
    for (let ms = 0; ms < 5000; ms++) {
      nowMs++;
      pictures.put(unit(nowMs));
      await turns();
    }
    expect(made).toBeLessThanOrEqual(120 + 500);
    expect(made).toBeGreaterThan(400);
    expect(told).toContain('lost');
  });

  it('is closed when what it is at work on is done', async () => {
    let go = (): void => undefined;
    decoder.wait = new Promise((resolve) => {
      go = resolve;
    });
    await put(unit(10_000));
    pictures.close();
    expect(decoder.closed).toBe(0);
    go();
    await turns();
    expect([decoder.closed, made, released]).toEqual([1, 1, 1]);
    await put(unit(10_040));
    expect(made).toBe(1);
  });
});
