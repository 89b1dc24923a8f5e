import pino from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { RecordedPicture } from '../../server/focus/recorded-picture.ts';
import { MixerError } from '../../server/mixers/mixer-channel.ts';
import type { RecordingPart } from '../../server/recordings/catalogue.ts';
import { RecordingClock } from '../../server/recordings/recording-clock.ts';
import type { RoomPolicy } from '../../server/rooms/policy.ts';
import type { Room } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { ParticipantView, VideoView } from '../../server/rooms/views.ts';
import { someone } from '../rooms/someone.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { FakePictureMixers } from './fake-picture-mixers.ts';

const WITH_VIDEO: Partial<ParticipantView> = {
  video: { codec: 'H264', width: 640, height: 360, direction: 'sendrecv', slides: false } satisfies VideoView,
};
const mixerDied = new MixerError('mixer-gone', 'it died');

let timers: VirtualTimers;
let clock: RecordingClock;
let mixers: FakePictureMixers;
let room: Room;
let parts: readonly RecordingPart[];
let told: string[];
let failures: string[];
let writable: boolean;

beforeEach(() => {
  timers = new VirtualTimers();
  timers.advance(100_000);
  clock = new RecordingClock(() => timers.now());
  mixers = new FakePictureMixers();
  parts = [];
  told = [];
  failures = [];
  writable = true;
});

/** Of a recording whose sound began now. */
function picture(policy: Partial<RoomPolicy> = {}, wanted: boolean | null = null): RecordedPicture {
  room = new Rooms().open('demo', 'created', policy);
  clock.run(timers.now());
  return new RecordedPicture({
    ...{ id: 'rec', room, directory: '/rec', key: 'a2V5', wanted, clock, mixers, timers },
    log: pino({ level: 'silent' }),
    setParts: async (now) => {
      if (!writable) throw new Error('the disk is full');
      parts = now;
    },
    tell: (entry) => {
      if (entry.type === 'video') told.push(`${clock.positionMs}: ${entry.part} ${entry.reason}`);
    },
    failed: (reason) => failures.push(reason),
  });
}

/** Until all that does not wait for time is done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

async function passed(ms: number): Promise<void> {
  for (const endMs = timers.now() + ms; timers.now() < endMs; await settled()) timers.advance(1);
}

async function begun(policy: Partial<RoomPolicy> = {}): Promise<RecordedPicture> {
  const one = picture(policy);
  room.join(someone('ann', WITH_VIDEO));
  one.check();
  await settled();
  return one;
}

describe('the picture of a recording', () => {
  it('begins when the first who may be recorded has video, at that place of the sound’s time line', async () => {
    const one = picture();
    room.join(someone('ann'));
    one.check();
    await passed(3000);
    room.join(someone('bob', { ...WITH_VIDEO, recorded: false }));
    room.join(someone('cem', { ...WITH_VIDEO, state: 'lobby' }));
    one.check();
    await passed(1000);
    expect(mixers.asked).toEqual([]);
    room.change('ann', WITH_VIDEO);
    one.check();
    one.check();
    await settled();
    expect(mixers.started).toEqual([
      {
        ...{ room: 'demo', recording: 'rec', directory: '/rec', part: 1, key: 'a2V5', paused: false },
        // Its own position 0 is at 4 s of the recording, which began at 100 s.
        originMs: 103_995,
      },
    ]);
    expect(parts).toEqual([{ number: 1, startMs: 4000 }]);
    expect(told).toEqual(['4000: 1 null']);
    // Cards are to be seen when nobody has video any more.
    room.change('ann', { video: null });
    one.check();
    await one.end();
    expect(mixers.asked).toEqual(['start 1', 'stop']);
    expect([timers.pending, failures]).toEqual([0, []]);
  });

  it.each<[string, Partial<RoomPolicy>, boolean | null, boolean]>([
    ['the room does not want it', { recordVideo: false }, null, false],
    ['who starts it does not', {}, false, false],
    ['who starts it wants it, whatever the room says', { recordVideo: false }, true, true],
    ['the room has no video', { video: false }, true, false],
  ])('where %s', async (_what, policy, wanted, isRecorded) => {
    const one = picture(policy, wanted);
    room.join(someone('ann', WITH_VIDEO));
    one.check();
    await settled();
    expect(mixers.started).toHaveLength(isRecorded ? 1 : 0);
    await one.end();
  });

  it('comes and goes with the policy, each time as another part', async () => {
    const one = await begun();
    await passed(1000);
    room.changePolicy({ recordVideo: false });
    one.check();
    await passed(1000);
    room.changePolicy({ recordVideo: true });
    one.check();
    await settled();
    expect(mixers.asked).toEqual(['start 1', 'stop', 'start 2']);
    expect(parts).toEqual([
      { number: 1, startMs: 0 },
      { number: 2, startMs: 2000 },
    ]);
    expect(told).toEqual(['0: 1 null', '1000: null null', '2000: 2 null']);
  });

  it('stands while the sound does, and goes on where that goes on', async () => {
    const one = await begun();
    await passed(2000);
    await one.pause();
    clock.stand(2007);
    await passed(5000);
    // The sound went on 3 ms ago.
    clock.run(timers.now() - 2010);
    one.goOn();
    await settled();
    expect(mixers.asked).toEqual(['start 1', 'pause', `go on from ${107_000 - 2010 - 5}`]);
  });

  it('does not hold up a pause of the sound for long', async () => {
    const one = await begun();
    mixers.answering = new Promise(() => undefined);
    let isPaused = false;
    void one.pause().then(() => (isPaused = true));
    await passed(249);
    expect(isPaused).toBe(false);
    await passed(1);
    expect(isPaused).toBe(true);
  });

  it('begins in a pause as it should be', async () => {
    const one = picture();
    await one.pause();
    clock.stand(500);
    room.join(someone('ann', WITH_VIDEO));
    one.check();
    await passed(1000);
    clock.goOn();
    one.goOn();
    await settled();
    expect(mixers.asked).toEqual(['start 1 paused', `go on from ${101_000 - 5}`]);
    expect(parts).toEqual([{ number: 1, startMs: 500 }]);
  });
});

describe('when a video mixer dies', () => {
  it('goes on as the next part, where the sound is then', async () => {
    const one = await begun();
    await passed(3000);
    one.lost();
    await settled();
    expect(mixers.started.at(-1)).toMatchObject({ part: 2, originMs: 102_995 });
    expect(parts[1]).toEqual({ number: 2, startMs: 3000 });
    expect(told).toEqual(['0: 1 null', '3000: 2 null']);
  });

  it('over its beginning, or a pause, is gone on with by the next one', async () => {
    mixers.failsWith = mixerDied;
    const one = await begun();
    mixers.failsWith = null;
    await passed(500);
    one.lost();
    await settled();
    mixers.failsWith = mixerDied;
    await one.pause();
    clock.stand(500);
    mixers.failsWith = null;
    await passed(500);
    one.lost();
    await settled();
    expect(mixers.asked).toEqual(['start 1', 'start 2', 'pause', 'start 3 paused']);
    expect(failures).toEqual([]);
  });

  it('and none is there, it is looked for one each second', async () => {
    mixers.isUp = false;
    const one = await begun();
    await passed(2500);
    expect([mixers.asked, parts]).toEqual([[], []]);
    mixers.isUp = true;
    await passed(500);
    expect(parts).toEqual([{ number: 1, startMs: 3000 }]);
    await one.end();
    expect(timers.pending).toBe(0);
  });

  it('after its end, it does not go on', async () => {
    const one = await begun();
    mixers.failsWith = mixerDied;
    await one.end();
    one.lost();
    await settled();
    expect(mixers.asked).toEqual(['start 1', 'stop']);
    expect(failures).toEqual([]);
  });
});

describe('what fails', () => {
  it('is told of once, and ends the picture alone', async () => {
    const one = await begun();
    await passed(1500);
    one.fail('the disk is too slow');
    one.fail('the disk is too slow');
    one.lost();
    one.check();
    await settled();
    expect(failures).toEqual(['the disk is too slow']);
    expect(told).toEqual(['0: 1 null', '1500: null the disk is too slow']);
    expect(mixers.asked).toEqual(['start 1', 'stop']);
  });

  it('at its beginning as well', async () => {
    mixers.failsWith = new MixerError('cannot-write', 'the disk is full');
    await begun();
    expect(failures).toEqual(['it could not be started: the disk is full']);
    mixers.failsWith = null;
    writable = false;
    await begun();
    expect(failures[1]).toBe('it could not be started: the disk is full');
    expect(mixers.started).toHaveLength(1);
  });
});
