import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  type FromMixer,
  type MixerEvent,
  type MixerMethod,
  PROTOCOL_VERSION,
  type ToMixer,
} from '../../mixer/protocol.ts';
import { Mixers } from '../../server/mixers/mixers.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

interface Options {
  received(message: FromMixer): void;
  exited(reason: string): void;
}

/** A mixer process that answers everything, unless it is told not to. */
class FakeProcess {
  readonly asked: string[] = [];
  /** Instead of an answer. */
  readonly silentOn = new Set<MixerMethod>();
  readonly unanswered: number[] = [];
  readonly refuses = new Set<MixerMethod>();
  readonly options: Options;

  constructor(options: Options) {
    this.options = options;
    world.processes.push(this);
    queueMicrotask(() => options.received({ type: 'hello', version: PROTOCOL_VERSION, pid: world.processes.length }));
  }

  send(message: ToMixer): void {
    if (message.type !== 'request') return;
    const { id, method } = message;
    this.asked.push(`${method} ${JSON.stringify(message.params)}`);
    if (this.silentOn.has(method)) {
      this.unanswered.push(id);
      return;
    }
    const answer: FromMixer = this.refuses.has(method)
      ? { type: 'error', id, code: 'no-such-room', message: 'no' }
      : { type: 'reply', id, result: { rtpPort: 20000, rtcpPort: 20001 } };
    queueMicrotask(() => this.options.received(answer));
  }

  tell(event: MixerEvent): void {
    this.options.received({ type: 'event', ...event });
  }

  kill(): void {}
  disconnect(): void {}
}

const world = vi.hoisted(() => ({ processes: [] as FakeProcess[] }));
vi.mock('../../server/mixers/mixer-process.ts', () => ({
  MixerProcess: function MixerProcess(options: Options) {
    return new FakeProcess(options);
  },
}));

const control = { muted: false, deaf: false, gainDb: 0, volumeDb: 0, apart: false, speaksTo: null, recorded: true };
const sound = { playback: 'p', to: { room: 'one' }, files: ['/a.g722'], gainDb: 0, repeat: false };

async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

async function started(count: number, recordingsLost: (lost: { recording: string }[]) => void = () => undefined) {
  const events: MixerEvent[] = [];
  const timers = new VirtualTimers();
  const silent = (): void => undefined;
  const log = { error: silent, info: silent, warn: silent, debug: silent };
  const mixers = new Mixers({
    ...{ count, program: 'main.js', rtpPortMin: 20000, rtpPortMax: 29999, timers, recordingsLost },
    log: log as unknown as ConstructorParameters<typeof Mixers>[0]['log'],
    settings: {} as ConstructorParameters<typeof Mixers>[0]['settings'],
    event: (event) => void events.push(event),
  });
  await mixers.start();
  await settled();
  return { mixers, events, timers };
}

const methods = (process: FakeProcess): string[] => process.asked.map((asked) => asked.split(' ')[0]!);

beforeEach(() => void world.processes.splice(0));

it('a room that is not open yet is opened on the mixer of the leg that goes there, and the empty one is closed after', async () => {
  const { mixers } = await started(2);
  await mixers.openLeg('one', 'alice', { cname: 'a', control });
  await mixers.openLeg('two', 'bob', { cname: 'b', control });
  const [first, second] = world.processes;
  expect(await mixers.moveLeg('alice', 'aside')).toBe('moved');
  expect(methods(first!)).toEqual(['openRoom', 'openLeg', 'openRoom', 'moveLeg', 'closeRoom']);
  expect(first!.asked.at(-1)).toBe('closeRoom {"room":"one"}');
  expect(await mixers.moveLeg('alice', 'aside')).toBe('moved');
  expect(await mixers.moveLeg('alice', 'two')).toBe('elsewhere');
  expect(await mixers.moveLeg('bob', 'aside')).toBe('elsewhere');
  expect(methods(second!)).toEqual(['openRoom', 'openLeg']);
  await mixers.closeLeg('alice');
  expect(first!.asked.at(-1)).toBe('closeRoom {"room":"aside"}');
});

it('a move that is refused leaves all as it was', async () => {
  const { mixers } = await started(1);
  await mixers.openLeg('one', 'alice', { cname: 'a', control });
  const [process] = world.processes;
  process!.refuses.add('moveLeg');
  await expect(mixers.moveLeg('alice', 'aside')).rejects.toMatchObject({ code: 'no-such-room' });
  expect(process!.asked.at(-1)).toBe('closeRoom {"room":"aside"}');
  await mixers.closeLeg('alice');
  expect(process!.asked.at(-1)).toBe('closeRoom {"room":"one"}');
});

it('a room is not closed under a leg that is leaving it, nor kept when the leg hangs up meanwhile', async () => {
  const { mixers } = await started(1);
  await mixers.openLeg('one', 'alice', { cname: 'a', control });
  await mixers.openLeg('one', 'bob', { cname: 'b', control });
  const [process] = world.processes;
  process!.silentOn.add('moveLeg');
  const moving = mixers.moveLeg('alice', 'aside');
  await mixers.closeLeg('bob');
  expect(methods(process!)).not.toContain('closeRoom');
  process!.options.received({ type: 'reply', id: process!.unanswered[0]!, result: {} });
  await moving;
  process!.silentOn.clear();
  expect(process!.asked.at(-1)).toBe('closeRoom {"room":"one"}');
  process!.refuses.add('moveLeg');
  const moved = mixers.moveLeg('alice', 'third');
  await mixers.closeLeg('alice');
  await expect(moved).rejects.toThrow();
  expect(methods(process!).filter((method) => method === 'closeRoom')).toHaveLength(3);
});

it('after a crash legs are where they were moved to, with volume, whisper and being apart', async () => {
  const { mixers } = await started(1);
  await mixers.openLeg('one', 'alice', { cname: 'a', control: { ...control, apart: true } });
  await mixers.openLeg('one', 'bob', { cname: 'b', control });
  await mixers.controlLeg('bob', { ...control, volumeDb: 6, speaksTo: ['alice'] });
  const [dead, spare] = world.processes;
  dead!.silentOn.add('moveLeg');
  const moving = mixers.moveLeg('bob', 'aside');
  dead!.options.exited('ended by SIGKILL');
  expect(await moving).toBe('moved');
  await settled();
  const legs = spare!.asked.filter((asked) => asked.startsWith('openLeg'));
  expect(legs).toHaveLength(2);
  expect(legs.find((leg) => leg.includes('alice"') && leg.includes('"one"'))).toContain('"apart":true');
  expect(legs.find((leg) => leg.includes('"aside"'))).toContain('"volumeDb":6,"apart":false,"speaksTo":["alice"]');
});

it('a sound is played where its leg or room is, and its end is told', async () => {
  const { mixers, events } = await started(2);
  await mixers.openLeg('one', 'alice', { cname: 'a', control });
  await mixers.openLeg('two', 'bob', { cname: 'b', control });
  const [first, second] = world.processes;
  await mixers.playSound(sound);
  await mixers.playSound({ ...sound, playback: 'q', to: { leg: 'bob' } });
  await expect(mixers.playSound(sound)).rejects.toMatchObject({ code: 'already-exists' });
  await mixers.stopSound('p');
  expect(first!.asked.at(-1)).toBe('stopSound {"playback":"p"}');
  expect(methods(second!)).toContain('playSound');
  const end: MixerEvent = { event: 'playbackEnded', playback: 'p', reason: 'stopped' };
  first!.tell(end);
  expect(events).toEqual([{ type: 'event', ...end }]);
  await mixers.stopSound('p');
  expect(methods(first!).filter((method) => method === 'stopSound')).toHaveLength(1);
  await mixers.playSound(sound);
});

it('a sound to nobody is refused, and one that was refused is forgotten', async () => {
  const { mixers, events } = await started(1);
  await expect(mixers.playSound(sound)).rejects.toMatchObject({ code: 'no-such-room' });
  await expect(mixers.playSound({ ...sound, to: { leg: 'x' } })).rejects.toMatchObject({ code: 'no-such-leg' });
  await mixers.openLeg('one', 'alice', { cname: 'a', control });
  world.processes[0]!.refuses.add('playSound');
  await expect(mixers.playSound(sound)).rejects.toMatchObject({ code: 'no-such-room' });
  world.processes[0]!.refuses.clear();
  await mixers.playSound(sound);
  expect(events).toEqual([]);
});

it('a sound of a dead mixer has failed; one that it had not taken yet is rejected, and no more is said of it', async () => {
  const { mixers, events } = await started(1);
  await mixers.openLeg('one', 'alice', { cname: 'a', control });
  await mixers.playSound(sound);
  const [dead] = world.processes;
  dead!.silentOn.add('playSound');
  const waiting = mixers.playSound({ ...sound, playback: 'q' });
  dead!.options.exited('ended by SIGKILL');
  await expect(waiting).rejects.toMatchObject({ code: 'mixer-gone' });
  await settled();
  expect(events).toEqual([{ event: 'playbackEnded', playback: 'p', reason: 'failed', detail: 'the mixer died' }]);
  await mixers.playSound({ ...sound, playback: 'q' });
});

it('a recording of what is said may take as long as it was given', async () => {
  const { mixers, timers } = await started(1);
  await mixers.openLeg('one', 'alice', { cname: 'a', control });
  const [process] = world.processes;
  process!.silentOn.add('recordLeg');
  let failed = false;
  const recording = mixers.recordLeg({ leg: 'alice', path: '/x.wav', maxMs: 20_000, endsAtSilenceMs: 2000 });
  recording.catch(() => {
    failed = true;
  });
  timers.advance(24_000);
  await settled();
  expect(failed).toBe(false);
  timers.advance(2000);
  await expect(recording).rejects.toMatchObject({ code: 'deadline' });
});

it('a leg that is not open has no statistics, and asking for them does not throw', async () => {
  const { mixers } = await started(1);
  const asked = mixers.legStatistics('nobody');
  await expect(asked).rejects.toMatchObject({ code: 'no-such-leg' });
});

it('a room that is open for its recording alone closes when that fails, or ends with the mixer', async () => {
  const { mixers } = await started(1);
  const [dead, spare] = world.processes;
  const how = { directory: '/', part: 1, tracks: false, paused: false, key: null };
  await mixers.startRecording({ ...how, room: 'one', recording: 'r1' });
  dead!.tell({ event: 'recordingFailed', recording: 'r1', reason: 'disk full' });
  expect(dead!.asked.at(-1)).toBe('closeRoom {"room":"one"}');
  await mixers.startRecording({ ...how, room: 'two', recording: 'r2' });
  await mixers.startRecording({ ...how, room: 'three', recording: 'r3' });
  await mixers.openLeg('three', 'alice', { cname: 'a', control });
  dead!.options.exited('ended by SIGKILL');
  await settled();
  expect(spare!.asked.filter((asked) => asked.startsWith('closeRoom'))).toEqual(['closeRoom {"room":"two"}']);
});

it('a recording over whose start the mixer dies is told of as lost', async () => {
  const lost = vi.fn();
  const { mixers } = await started(1, lost);
  const [dead] = world.processes;
  await mixers.openLeg('one', 'alice', { cname: 'a', control });
  dead!.silentOn.add('startRecording');
  const how = { directory: '/', part: 1, tracks: false, paused: false, key: null };
  const starting = mixers.startRecording({ ...how, room: 'one', recording: 'r1' });
  dead!.options.exited('ended by SIGKILL');
  await expect(starting).rejects.toMatchObject({ code: 'mixer-gone' });
  await settled();
  expect(lost.mock.calls).toEqual([[[{ room: 'one', recording: 'r1' }]]]);
});

it('no process is started any more after the end', async () => {
  const { mixers, timers } = await started(1);
  world.processes[1]!.options.exited('ended with code 1');
  world.processes[2]!.options.exited('ended with code 1');
  await settled();
  const { length } = world.processes;
  mixers.stop();
  timers.advance(60_000);
  await settled();
  expect(world.processes).toHaveLength(length);
});

it('who was talking when their mixer died is told to be silent, once', async () => {
  const { mixers, events } = await started(1);
  for (const leg of ['alice', 'bob', 'carl']) await mixers.openLeg('one', leg, { cname: leg, control });
  const [dead] = world.processes;
  dead!.tell({ event: 'legTalking', leg: 'alice', talking: true, levelDb: -30 });
  dead!.tell({ event: 'legTalking', leg: 'bob', talking: true, levelDb: -30 });
  dead!.tell({ event: 'legTalking', leg: 'bob', talking: false, levelDb: -60 });
  events.length = 0;
  dead!.options.exited('ended by SIGKILL');
  await settled();
  expect(events).toEqual([{ event: 'legTalking', leg: 'alice', talking: false, levelDb: -127 }]);
  world.processes[1]!.options.exited('ended by SIGKILL');
  await settled();
  expect(events).toHaveLength(1);
});

describe('what repeats', () => {
  const music = { ...sound, playback: 'm', files: ['/music.g722'], gainDb: -8, repeat: true };
  const played = (process: FakeProcess): string[] =>
    process.asked.filter((asked) => asked.startsWith('playSound')).map((asked) => asked.slice('playSound '.length));

  it('goes on after a crash, as loud as it was by then, after its room is there again; its end is not told', async () => {
    const { mixers, events } = await started(1);
    await mixers.openLeg('one', 'alice', { cname: 'a', control });
    await mixers.playSound(music);
    await mixers.playSound(sound);
    await mixers.controlSound({ playback: 'm', gainDb: -20 });
    const [dead, spare] = world.processes;
    dead!.options.exited('ended by SIGKILL');
    await settled();
    expect(methods(spare!)).toEqual(['openRoom', 'openLeg', 'playSound']);
    expect(played(spare!)).toEqual([JSON.stringify({ ...music, gainDb: -20 })]);
    expect(events).toEqual([{ event: 'playbackEnded', playback: 'p', reason: 'failed', detail: 'the mixer died' }]);
    await mixers.stopSound('m');
    expect(spare!.asked.at(-1)).toBe('stopSound {"playback":"m"}');
  });

  it('is as loud as before when the change of its volume was refused', async () => {
    const { mixers } = await started(1);
    await mixers.openLeg('one', 'alice', { cname: 'a', control });
    await mixers.playSound(music);
    const [dead, spare] = world.processes;
    dead!.refuses.add('controlSound');
    await expect(mixers.controlSound({ playback: 'm', gainDb: 3 })).rejects.toThrow();
    dead!.options.exited('ended by SIGKILL');
    await settled();
    expect(played(spare!)).toEqual([JSON.stringify(music)]);
  });

  it('begins with the next life of a mixer that died before it had taken it', async () => {
    const { mixers, events } = await started(1);
    await mixers.openLeg('one', 'alice', { cname: 'a', control });
    const [dead, spare] = world.processes;
    dead!.silentOn.add('playSound');
    const waiting = mixers.playSound(music);
    dead!.options.exited('ended by SIGKILL');
    await waiting;
    await settled();
    expect([played(spare!).length, events]).toEqual([1, []]);
  });

  it('has ended when it was stopped while no mixer was there, or nobody is left to hear it', async () => {
    const { mixers, events } = await started(1);
    await mixers.openLeg('one', 'alice', { cname: 'a', control });
    await mixers.openLeg('one', 'bob', { cname: 'b', control });
    await mixers.playSound(music);
    await mixers.playSound({ ...music, playback: 'b', to: { leg: 'bob' } });
    const [dead, spare] = world.processes;
    spare!.options.exited('ended with code 1');
    dead!.options.exited('ended by SIGKILL');
    // It has not greeted yet.
    const next = world.processes[2]!;
    next.refuses.add('playSound');
    await Promise.all([mixers.stopSound('m'), mixers.closeLeg('bob')]);
    await settled();
    expect(played(next).map((asked) => JSON.parse(asked).playback)).toEqual(['b']);
    expect(events.map((event) => ('playback' in event ? event.playback : event.event))).toEqual(['m', 'b']);
    await expect(mixers.controlSound({ playback: 'm' })).rejects.toMatchObject({ code: 'no-such-sound' });
    await expect(mixers.controlSound({ playback: 'b' })).rejects.toMatchObject({ code: 'no-such-sound' });
  });
});

it('a new room goes to the mixer with the fewest legs, whatever became of them before', async () => {
  const { mixers } = await started(2);
  await mixers.openLeg('one', 'alice', { cname: 'a', control });
  await mixers.openLeg('one', 'bob', { cname: 'b', control });
  await mixers.openLeg('two', 'carl', { cname: 'c', control });
  const [first, second] = world.processes;
  // Counted once only, though it moves to another room and back.
  await mixers.moveLeg('carl', 'aside');
  await mixers.moveLeg('carl', 'two');
  first!.refuses.add('openLeg');
  await expect(mixers.openLeg('one', 'dora', { cname: 'd', control })).rejects.toThrow();
  await mixers.openLeg('three', 'erna', { cname: 'e', control });
  expect(second!.asked).toContain('openRoom {"room":"three"}');
  await mixers.closeLeg('alice');
  await mixers.closeLeg('bob');
  await mixers.startRecording({
    ...{ room: 'four', recording: 'r', directory: '/', part: 1, tracks: false, paused: false, key: null },
  });
  expect(first!.asked).toContain('openRoom {"room":"four"}');
});
