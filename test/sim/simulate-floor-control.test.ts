import { describe, expect, test } from 'vitest';
import { type Carry, FloorScene, type Phone } from '../bfcp/floor-scene.ts';
import { SeededRandom } from './seeded-random.ts';

/** What was asked is settled by then: T1 doubles three times, and things are told one after the other. */
const SETTLED_MS = 60_000;

interface Conditions {
  loss: number;
  duplication: number;
  /** From the first to the second, so what is close together overtakes each other. */
  delayMs: [number, number];
}

/** Loses, doubles and reorders datagrams; streams only take time. */
function lossyNet(scene: () => FloorScene, random: SeededRandom, { loss, duplication, delayMs }: Conditions): Carry {
  let lastMs = 0;
  return (bytes, arrive, reliable) => {
    const [least, most] = delayMs;
    const afterMs = least + random.below(most - least + 1);
    if (reliable) {
      lastMs = Math.max(lastMs, scene().timers.now() + afterMs);
      scene().timers.set(lastMs - scene().timers.now(), () => arrive(bytes));
      return;
    }
    if (!random.chance(loss)) scene().timers.set(afterMs, () => arrive(bytes));
    if (random.chance(duplication)) scene().timers.set(most, () => arrive(bytes));
  };
}

/** Whoever likes asks for the floor or gives it back; then all is quiet, and all must agree. */
async function simulate(
  seed: number,
  conditions: Conditions,
  phones: number,
): Promise<{ asked: number; unanswered: number }> {
  const random = new SeededRandom(seed);
  const scene: FloorScene = new FloorScene(lossyNet(() => scene, random, conditions));
  const all = Array.from({ length: phones }, (_, index) => {
    return scene.add(`p${index}`, { transport: random.chance(0.3) ? 'TCP' : 'UDP' });
  });
  let [asked, unanswered] = [0, 0];
  const inDoubt = new Set<Phone>();
  const note = (phone: Phone, answer: Promise<unknown>): Promise<void> => {
    asked++;
    return answer.then((message) => {
      if (message !== null) return;
      unanswered++;
      inDoubt.add(phone);
    });
  };
  const notes = all.map((phone) => note(phone, phone.client.hello()));
  for (let act = 0; act < 30; act++) {
    scene.timers.advance(random.below(3000));
    const phone = random.pick(all);
    const { client } = phone;
    const isGivenBack = client.hasFloor && random.chance(0.7);
    notes.push(note(phone, isGivenBack ? client.releaseFloor() : client.requestFloor()));
  }
  scene.timers.advance(SETTLED_MS);
  // Who heard nothing of what was told, however often, hears it once they say something, as they do again and again.
  for (let round = 0; round < 3; round++) {
    for (const { client } of all) void client.hello();
    scene.timers.advance(SETTLED_MS);
  }
  await Promise.all(notes);
  check(all, scene, inDoubt);
  return { asked, unanswered };
}

/** `inDoubt`: what they asked was never answered, so they cannot know whether it was done. */
function check(all: Phone[], scene: FloorScene, inDoubt: Set<Phone>): void {
  const holder = all.find(({ name }) => name === scene.control.holder('demo'));
  for (const phone of all) {
    if (phone !== holder) expect(phone.client.hasFloor, phone.name).toBe(false);
    else if (!inDoubt.has(phone)) expect(phone.client.hasFloor, phone.name).toBe(true);
  }
  expect(new Set(all.map(({ client }) => client.presenter))).toEqual(new Set([holder?.ids.userId ?? null]));
}

describe('phones and server over a net that loses, doubles and reorders', () => {
  test('agree in the end on who has the floor, whatever happened', async () => {
    let [asked, unanswered] = [0, 0];
    for (let seed = 1; seed <= 60; seed++) {
      const result = await simulate(seed, { loss: 0.1, duplication: 0.05, delayMs: [5, 80] }, 5);
      asked += result.asked;
      unanswered += result.unanswered;
    }
    expect(asked).toBeGreaterThan(2000);
    // Four times lost on one way or the other.
    expect(unanswered / asked).toBeLessThan(0.01);
  });

  test('agree also where a third is lost', async () => {
    for (let seed = 100; seed < 160; seed++) {
      await simulate(seed, { loss: 0.33, duplication: 0.1, delayMs: [5, 300] }, 3);
    }
  });

  test('where nothing is lost, everything is answered, and the last who asked has it', async () => {
    for (let seed = 200; seed < 230; seed++) {
      const random = new SeededRandom(seed);
      const calm = { loss: 0, duplication: 0, delayMs: [5, 30] as [number, number] };
      const scene: FloorScene = new FloorScene(lossyNet(() => scene, random, calm));
      const all = Array.from({ length: 4 }, (_, index) =>
        scene.add(`p${index}`, { transport: index < 2 ? 'TCP' : 'UDP' }),
      );
      for (const { client } of all) void client.hello();
      scene.timers.advance(1000);
      let last = all[0]!;
      for (let act = 0; act < 10; act++) {
        last = random.pick(all);
        void last.client.requestFloor();
        // So rarely that nobody takes it too often.
        scene.timers.advance(2500);
      }
      expect(scene.control.holder('demo')).toBe(last.name);
      expect(all.map(({ client }) => client.hasFloor)).toEqual(all.map((phone) => phone === last));
      expect(all.map(({ client }) => client.presenter)).toEqual(all.map(() => last.ids.userId));
    }
  });
});
