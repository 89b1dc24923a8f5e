import { describe, expect, test } from 'vitest';
import { Floor, Speaker } from '../../mixer/audio/floor.ts';

/** Some participants, whose level at each tick is told by a function: null says nothing, not even noise. */
class Meeting {
  readonly speakers: Speaker[];
  readonly heardAt: boolean[][] = [];
  private readonly floor: Floor;
  private tick = 0;

  constructor(count: number, maxTalkers: number) {
    this.speakers = Array.from({ length: count }, () => new Speaker());
    this.floor = new Floor(maxTalkers);
  }

  run(ticks: number, levelOf: (who: number, tick: number) => { levelDb: number; speaking: boolean } | null): void {
    for (let end = this.tick + ticks; this.tick < end; this.tick++) {
      const present = this.speakers.filter((speaker, who) => {
        const sound = levelOf(who, this.tick);
        if (!sound) speaker.leave();
        else Object.assign(speaker, sound);
        return sound !== null;
      });
      this.floor.decide(present);
      this.heardAt.push(this.speakers.map(({ heard }) => heard));
    }
  }

  get heard(): number[] {
    return this.speakers.flatMap(({ heard }, who) => (heard ? [who] : []));
  }

  changes(who: number): number {
    return this.heardAt.filter((heard, tick) => tick > 0 && heard[who] !== this.heardAt[tick - 1]![who]).length;
  }
}

const voice = (levelDb: number) => ({ levelDb, speaking: true });
const noise = (levelDb: number) => ({ levelDb, speaking: false });

describe('the floor', () => {
  test('as long as there is room, all are heard from their first tick on, speech or not', () => {
    const meeting = new Meeting(4, 4);
    meeting.run(1, (who) => (who < 2 ? voice(-20 - 10 * who) : noise(-45)));
    expect(meeting.heard).toEqual([0, 1, 2, 3]);
  });

  test('of six who speak, the loudest four are heard', () => {
    const meeting = new Meeting(6, 4);
    meeting.run(150, (who) => voice(-40 + 4 * who));
    expect(meeting.heard).toEqual([2, 3, 4, 5]);
  });

  test('noisy lines give way to one who speaks, though they are louder: within 40 ms', () => {
    const meeting = new Meeting(3, 2);
    meeting.run(200, (who) => (who < 2 ? noise(-25) : null));
    expect(meeting.heard).toEqual([0, 1]);
    meeting.run(2, (who) => (who < 2 ? noise(-25) : voice(-40)));
    expect(meeting.heard).toContain(2);
  });

  test('a click takes nobody the floor', () => {
    const meeting = new Meeting(2, 1);
    meeting.run(100, (who) => (who === 0 ? voice(-30) : null));
    meeting.run(1, (who) => (who === 0 ? voice(-30) : voice(-5)));
    expect(meeting.heard).toEqual([0]);
  });

  test('who has begun is not interrupted within the first second, but then by one who is clearly louder', () => {
    const meeting = new Meeting(2, 1);
    meeting.run(10, (who) => (who === 0 ? voice(-35) : null));
    meeting.run(39, (who) => voice(who === 0 ? -35 : -20));
    expect(meeting.heard).toEqual([0]);
    meeting.run(3, (who) => voice(who === 0 ? -35 : -20));
    expect(meeting.heard).toEqual([1]);
  });

  test('who rests gives way at once', () => {
    const meeting = new Meeting(2, 1);
    meeting.run(10, (who) => (who === 0 ? voice(-30) : null));
    meeting.run(12, (who) => (who === 0 ? noise(-60) : voice(-24)));
    expect(meeting.heard).toEqual([1]);
  });

  test('the gaps between syllables and words cost nobody the floor', () => {
    const meeting = new Meeting(2, 1);
    meeting.run(60, (who) => (who === 0 ? voice(-25) : null));
    // 180 ms of gap in every 400, and somebody a little less loud who never stops.
    meeting.run(500, (who, tick) => (who === 1 ? voice(-27) : tick % 20 < 9 ? noise(-60) : voice(-25)));
    expect(meeting.changes(0)).toBe(0);
  });

  test('of two who are as loud, now this one and now that, the set does not flap', () => {
    const meeting = new Meeting(5, 4);
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    meeting.run(3000, () => voice(-26 + 4 * random()));
    const changes = meeting.speakers.map((_, who) => meeting.changes(who));
    // A minute of five who speak at the same time.
    expect(Math.max(...changes)).toBeLessThanOrEqual(2);
  });
});
