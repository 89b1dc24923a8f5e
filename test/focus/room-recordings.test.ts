import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RecordingPosition, RecordingResult, RecordingToStart } from '../../mixer/protocol.ts';
import { AutomaticRecording } from '../../server/focus/automatic-recording.ts';
import { RecordingVoice } from '../../server/focus/recording-voice.ts';
import { RoomRecordings } from '../../server/focus/room-recordings.ts';
import { Announcer } from '../../server/ivr/announcer.ts';
import { MixerError } from '../../server/mixers/mixer-channel.ts';
import { Recordings } from '../../server/recordings/recordings.ts';
import type { TimelineLine } from '../../server/recordings/timeline.ts';
import type { RoomPolicy } from '../../server/rooms/policy.ts';
import type { Room, RoomChange } from '../../server/rooms/room.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { RecordingView } from '../../server/rooms/views.ts';
import { someone } from '../rooms/someone.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { FakePictureMixers } from './fake-picture-mixers.ts';

const EPOCH_MS = Date.parse('2026-01-02T03:04:05.000Z');

/** A mixer that records from when it is told, 5 ms after its first tick. */
class FakeMixer {
  readonly started: RecordingToStart[] = [];
  failsWith: Error | null = null;
  answersLateMs = 0;
  stopsLateMs = 0;
  /** What was recorded is so much longer than the time that passed. */
  aheadMs = 0;
  isAsked = false;
  /** Of the part that runs. */
  private positionMs = 0;
  private fromMs = 0;
  private paused = false;

  async startRecording(params: RecordingToStart): Promise<RecordingPosition> {
    this.mayFail();
    this.started.push(params);
    this.positionMs = params.paused ? 0 : 5;
    this.fromMs = timers.now();
    this.paused = params.paused;
    return this.answer();
  }

  async controlRecording(_room: string, _id: string, paused: boolean): Promise<RecordingPosition> {
    this.mayFail();
    this.settle();
    this.paused = paused;
    return this.answer();
  }

  private async answer(): Promise<RecordingPosition> {
    const { positionMs, fromMs, paused } = this;
    await this.late(this.answersLateMs);
    return { positionMs, originMs: paused ? null : fromMs - positionMs };
  }

  private async late(ms: number): Promise<void> {
    this.isAsked = true;
    if (ms > 0) await new Promise<void>((resolve) => timers.set(ms, resolve));
    this.isAsked = false;
  }

  async stopRecording(): Promise<RecordingResult> {
    this.mayFail();
    this.settle();
    const durationMs = this.positionMs + this.aheadMs;
    await this.late(this.stopsLateMs);
    return { durationMs, bytes: 1 };
  }

  private settle(): void {
    if (!this.paused) this.positionMs += timers.now() - this.fromMs;
    this.fromMs = timers.now();
  }

  private mayFail(): void {
    if (this.failsWith !== null) throw this.failsWith;
  }
}

let directory: string;
let timers: VirtualTimers;
let rooms: Rooms;
let mixer: FakeMixer;
let pictures: FakePictureMixers;
let recorded: Recordings;
let recordings: RoomRecordings;
let said: string[];
let gains: number[];
let told: { change: RoomChange['change']; recording: RecordingView; version: number }[];
let free: number;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'parley-control-'));
  timers = new VirtualTimers();
  rooms = new Rooms();
  mixer = new FakeMixer();
  pictures = new FakePictureMixers();
  said = [];
  gains = [];
  told = [];
  free = 1e12;
  const log = pino({ level: 'silent' });
  const now = () => EPOCH_MS + timers.now();
  recorded = new Recordings({ directory, log, now, minFreeMb: 500, freeBytes: async () => free });
  await recorded.open();
  recorded.subscribe((change, recording) => rooms.recordingTold(change, recording));
  rooms.subscribe((room, change) => {
    if ('recording' in change) told.push({ ...change, version: room.version });
  });
  const announcer: Announcer = new Announcer({
    prompts: {
      file: (_language, id) => id,
      count: () => [],
      sound: (id) => id,
      music: () => [],
      menu: () => [],
      menuEntry: () => [],
    },
    player: {
      async playSound({ playback, to, files, gainDb }) {
        gains.push(gainDb);
        said.push(`${'room' in to ? 'all' : to.leg}: ${files.join(' ')}`);
        announcer.happened({ event: 'playbackEnded', playback, reason: 'finished' });
      },
      controlSound: async () => ({ positionMs: 0, durationMs: 0 }),
      stopSound: async () => undefined,
    },
    log,
  });
  const voice = new RecordingVoice({ announcer, timers });
  recordings = new RoomRecordings({
    ...{ rooms, mixers: mixer, video: pictures, recordings: recorded, voice, timers, log, epochMs: now },
  });
  new AutomaticRecording({ rooms, log, start: (room) => recordings.start(room, {}, 'policy') });
});
afterEach(async () => {
  await recordings.close();
  await recorded.close(0);
  rmSync(directory, { recursive: true, force: true });
});

const open = (policy: Partial<RoomPolicy> = {}): Room => rooms.open('demo', 'created', policy);

const openWithAnn = (policy: Partial<RoomPolicy> = {}): Room => {
  const room = open(policy);
  room.join(someone('ann'));
  return room;
};

/** Until what goes on with files is over. */
const until = (condition: () => boolean) =>
  vi.waitFor(() => expect(condition()).toBe(true), { interval: 1, timeout: 15_000 });

/** The lines of its time line, without what all have. */
function timelineOf(id: string): string[] {
  const text = readFileSync(join(directory, id, 'timeline.jsonl'), 'utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const { t, at, type, ...what } = JSON.parse(line) as TimelineLine;
    expect(Date.parse(at)).toBeGreaterThanOrEqual(EPOCH_MS);
    return [t, type, ...Object.values(what)].join(' ');
  });
}

const entryOf = (id: string) => JSON.parse(readFileSync(join(directory, id, 'recording.json'), 'utf8'));
const mixerDied = new MixerError('mixer-gone', 'it died');

describe('a recording', () => {
  it('has a time line of all that happens, without what happens in pauses', async () => {
    const room = open({ recordTracks: true });
    room.join(someone('ann', { displayName: 'Ann', role: 'moderator' }));
    room.join(someone('bob', { muted: { by: 'self' }, deaf: true }));
    const { id } = await recordings.start(room, {}, 'moderator');
    expect(mixer.started).toEqual([
      { room: 'demo', recording: id, directory: join(directory, id), part: 1, tracks: true, paused: false, key: null },
    ]);
    timers.advance(995);
    room.change('ann', { talking: true });
    room.join(someone('eve', { state: 'entering' }));
    timers.advance(1000);
    room.change('ann', { talking: false, muted: { by: 'moderator' } });
    room.change('ann', { talking: true });
    recordings.keyPressed(room, 'bob', '5');
    recordings.keyPressed(room, 'eve', '1');
    expect(recordings.mark(room, id, 'a decision')).toEqual({
      ...{ text: 'a decision', positionMs: 2000, at: '2026-01-02T03:04:06.995Z' },
    });
    room.change('ann', { muted: null });
    await recordings.update(room, id, 'paused');
    timers.advance(5000);
    recordings.keyPressed(room, 'bob', '4');
    room.change('bob', { deaf: false });
    await recordings.update(room, id, 'recording');
    timers.advance(500);
    room.change('bob', { muted: null, displayName: 'Bob' });
    room.leave('ann');
    const ended = await recordings.update(room, id, 'stopped');
    expect(ended).toMatchObject({
      state: 'stopped',
      durationMs: 2500,
      participants: ['Ann', 'sip:bob@192.0.2.1', 'Bob'],
    });
    expect(timelineOf(id)).toEqual([
      '5 started',
      '5 joined ann Ann sip:ann@192.0.2.1 moderator',
      '5 joined bob  sip:bob@192.0.2.1 participant',
      '5 muted bob self',
      '5 deaf bob true',
      '1000 talking ann true',
      '2000 talking ann false',
      '2000 muted ann moderator',
      '2000 key bob 5',
      '2000 mark a decision moderator',
      '2000 unmuted ann moderator',
      '2000 talking ann true',
      '2000 talking ann false',
      '2000 paused',
      '2000 deaf bob false',
      '2000 resumed',
      '2000 talking ann true',
      '2500 name bob Bob',
      '2500 unmuted bob self',
      '2500 talking ann false',
      '2500 left ann',
      '2500 stopped ',
    ]);
    expect(timers.pending).toBe(0);
  });

  it('is not begun where nobody is, who could end it by leaving', async () => {
    const room = open();
    await expect(recordings.start(room, {}, 'moderator')).rejects.toMatchObject({ code: 'room-empty' });
    expect(mixer.started).toEqual([]);
    room.join(someone('ann', { state: 'connecting' }));
    expect((await recordings.start(room, {}, 'moderator')).state).toBe('recording');
  });

  it('says nothing of the voice and the keys of who may not be recorded', async () => {
    const room = open();
    room.join(someone('ann', { recorded: false }));
    const { id, participants } = await recordings.start(room, {}, 'moderator');
    expect(participants).toEqual([]);
    room.change('ann', { talking: true });
    recordings.keyPressed(room, 'ann', '1');
    room.change('ann', { recorded: true });
    room.change('ann', { recorded: false });
    room.change('ann', { talking: false });
    expect((await recordings.update(room, id, 'stopped')).participants).toEqual(['sip:ann@192.0.2.1']);
    expect(timelineOf(id).slice(2)).toEqual([
      '5 recording-off ann',
      '5 recording-on ann',
      '5 talking ann true',
      '5 talking ann false',
      '5 recording-off ann',
      '5 stopped ',
    ]);
  });

  it('hears nobody speak who is not heard by all: without the floor, or in a whisper', async () => {
    const room = open();
    for (const id of ['ann', 'bob']) room.join(someone(id, { talking: true }));
    const { id } = await recordings.start(room, {}, 'moderator');
    room.giveFloor(['bob']);
    room.change('bob', { speaksTo: ['ann'] });
    room.giveFloor([]);
    await recordings.stopAll(room);
    expect(timelineOf(id).filter((line) => line.includes('talking'))).toEqual([
      ...['5 talking ann true', '5 talking bob true', '5 talking ann false', '5 talking bob false'],
      '5 talking ann true',
    ]);
  });

  it('is one at a time, and shown in the room with a version for each change', async () => {
    const room = openWithAnn();
    const [one, other] = await Promise.allSettled([
      recordings.start(room, {}, 'moderator'),
      recordings.start(room, {}, 'moderator'),
    ]);
    expect(other).toMatchObject({ reason: { code: 'recording-running' } });
    if (one.status === 'rejected') throw one.reason;
    const { id } = one.value;
    expect([room.recording, recorded.list('demo').map((view) => view.state)]).toEqual(['recording', ['recording']]);
    await recordings.update(room, id, 'paused');
    await recordings.update(room, id, 'paused');
    expect(room.recording).toBe('paused');
    expect(room.view([]).recording).toBe('paused');
    await recordings.update(room, id, 'stopped');
    expect(room.recording).toBe('off');
    expect(told.map(({ change, recording, version }) => [change, recording.state, version])).toEqual([
      ['recording-changed', 'recording', 2],
      ['recording-changed', 'paused', 3],
      ['recording-changed', 'stopped', 4],
    ]);
    for (const state of ['paused', 'recording', 'stopped'] as const) {
      await expect(recordings.update(room, id, state)).rejects.toMatchObject({ code: 'recording-not-running' });
    }
    expect(() => recordings.mark(room, id, 'late')).toThrow('has ended');
    expect(() => recordings.mark(room, 'other', 'late')).toThrow('there is no recording');
  });

  it('keeps step with the mixer to the millisecond, however late its answers are read', async () => {
    const room = openWithAnn();
    mixer.answersLateMs = 300;
    const answered = async <T>(asked: Promise<T>): Promise<T> => {
      await until(() => mixer.isAsked);
      timers.advance(300);
      return asked;
    };
    const { id } = await answered(recordings.start(room, {}, 'moderator'));
    expect(recordings.mark(room, id, 'begun').positionMs).toBe(305);
    timers.advance(1000);
    await answered(recordings.update(room, id, 'paused'));
    expect(recordings.mark(room, id, 'stands').positionMs).toBe(1305);
    timers.advance(1000);
    await answered(recordings.update(room, id, 'recording'));
    expect(recordings.mark(room, id, 'goes on').positionMs).toBe(1605);
    mixer.answersLateMs = 0;
    await recordings.stopAll(room);
  });

  it.each([
    { stopsLateMs: 400, aheadMs: 0 },
    // What it ends with is a tick of sound that has just begun.
    { stopsLateMs: 0, aheadMs: 18 },
  ])('tells of its end when that was, with %o', async ({ stopsLateMs, aheadMs }) => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    timers.advance(1000);
    Object.assign(mixer, { stopsLateMs, aheadMs });
    const stopped = recordings.update(room, id, 'stopped');
    if (stopsLateMs > 0) await until(() => mixer.isAsked);
    timers.advance(stopsLateMs);
    await stopped;
    const line = JSON.parse(
      readFileSync(join(directory, id, 'timeline.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .at(-1)!,
    );
    expect(line).toMatchObject({
      type: 'stopped',
      t: 1005 + aheadMs,
      at: new Date(EPOCH_MS + 1000 + aheadMs).toISOString(),
    });
  });

  it('is removed with its files, and that is told, also when its room is no more', async () => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    await expect(recordings.remove(room, id)).rejects.toMatchObject({ code: 'recording-running' });
    await recordings.stopAll(room);
    await recordings.remove(room, id);
    expect(told.at(-1)).toMatchObject({ change: 'recording-removed', recording: { id }, version: room.version });
    expect(readdirSync(directory)).toEqual([]);

    const again = await recordings.start(room, {}, 'moderator');
    rooms.close(room);
    await recordings.stopAll(room);
    expect(told.at(-1)).toMatchObject({ recording: { state: 'stopped' }, version: 0 });
    await recorded.remove(again.id);
    expect(told.at(-1)).toMatchObject({ change: 'recording-removed', version: 0 });
  });

  it('does not begin where too little is free, and says so', async () => {
    free = 499_999_999;
    await expect(recordings.start(openWithAnn(), {}, 'moderator')).rejects.toMatchObject({
      code: 'recording-unavailable',
      message: 'only 499 MB are free on the disk, and recordingMinFreeMb is 500',
    });
    expect([readdirSync(directory), told]).toEqual([[], []]);
  });

  it('that no mixer takes has failed, and the next one may do better', async () => {
    const room = openWithAnn();
    mixer.failsWith = new MixerError('cannot-write', 'read-only file system');
    await expect(recordings.start(room, {}, 'moderator')).rejects.toMatchObject({ code: 'recording-unavailable' });
    expect(told).toMatchObject([{ recording: { state: 'failed', error: 'read-only file system' } }]);
    expect([room.recording, timers.pending]).toEqual(['off', 0]);
    mixer.failsWith = null;
    expect(await recordings.start(room, {}, 'moderator')).toMatchObject({ state: 'recording' });
  });
});

describe('when a mixer dies', () => {
  it('the same recording goes on as its next part, where the clock is then', async () => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    timers.advance(10_000);
    await recordings.lost([{ room: 'demo', recording: id }]);
    expect(mixer.started.at(-1)).toMatchObject({ recording: id, part: 2, paused: false });
    expect(entryOf(id).parts).toEqual([
      { number: 1, startMs: 0 },
      { number: 2, startMs: 10_000 },
    ]);
    timers.advance(2000);
    await recordings.stopAll(room);
    expect(recorded.get(id)).toMatchObject({ state: 'stopped', durationMs: 12_005, error: null });
    expect(timelineOf(id)).toContain('10005 part 2');
    expect(said).toEqual(['all: recording-started', 'all: recording-stopped']);
  });

  it('and the next one as well, it goes on with the one after that', async () => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    timers.advance(1000);
    mixer.failsWith = mixerDied;
    await recordings.lost([{ room: 'demo', recording: id }]);
    expect(recorded.get(id)).toMatchObject({ state: 'recording', error: null });
    mixer.failsWith = null;
    timers.advance(500);
    await recordings.lost([{ room: 'demo', recording: id }]);
    expect(mixer.started.at(-1)).toMatchObject({ part: 3 });
    timers.advance(500);
    await recordings.stopAll(room);
    expect(recorded.get(id)).toMatchObject({ state: 'stopped', durationMs: 2005, error: null });
  });

  it('over its beginning, it begins with the next one', async () => {
    const room = openWithAnn();
    mixer.failsWith = mixerDied;
    const { id } = await recordings.start(room, {}, 'moderator');
    mixer.failsWith = null;
    timers.advance(700);
    await recordings.lost([{ room: 'demo', recording: id }]);
    expect(mixer.started).toMatchObject([{ recording: id, part: 2 }]);
    timers.advance(300);
    await recordings.stopAll(room);
    expect(recorded.get(id)).toMatchObject({ state: 'stopped', durationMs: 1000, error: null });
  });

  it('the next part is put where it is, also when the answer was read late', async () => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    timers.advance(1000);
    mixer.answersLateMs = 300;
    const lost = recordings.lost([{ room: 'demo', recording: id }]);
    await until(() => mixer.isAsked);
    timers.advance(300);
    mixer.answersLateMs = 0;
    await lost;
    // It was asked when the clock was at 1005, and was 5 ms beyond its first tick.
    expect(entryOf(id).parts[1]).toEqual({ number: 2, startMs: 1000 });
    await recordings.stopAll(room);
  });

  it('one that was paused, or is paused before its next life, begins so', async () => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    timers.advance(1000);
    mixer.failsWith = mixerDied;
    expect(await recordings.update(room, id, 'paused')).toMatchObject({ state: 'paused' });
    mixer.failsWith = null;
    timers.advance(1000);
    await recordings.lost([{ room: 'demo', recording: id }]);
    expect(mixer.started.at(-1)).toMatchObject({ part: 2, paused: true });
    await recordings.update(room, id, 'recording');
    timers.advance(500);
    await recordings.stopAll(room);
    expect(recorded.get(id).durationMs).toBe(1505);
  });

  it('one that is stopped before its next life is as long as what is on the disk', async () => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    mixer.failsWith = mixerDied;
    const stopping = recordings.update(room, id, 'stopped');
    await recordings.lost([{ room: 'demo', recording: id }]);
    expect(await stopping).toMatchObject({ state: 'stopped', durationMs: 0, error: null });
    expect(mixer.started).toHaveLength(1);
  });

  it('and it cannot go on, it has failed', async () => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    mixer.failsWith = new MixerError('cannot-write', 'the disk is full');
    await recordings.lost([{ room: 'demo', recording: id }]);
    expect(recorded.get(id)).toMatchObject({ state: 'failed', error: expect.stringContaining('the disk is full') });
    expect(room.recording).toBe('off');
  });
});

describe('in a room with video', () => {
  const VIDEO = { codec: 'H264', width: 640, height: 360, direction: 'sendrecv', slides: false } as const;

  it('the picture is recorded with it, on its time line, from when somebody has video', async () => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    timers.advance(995);
    room.change('ann', { video: VIDEO });
    await until(() => pictures.started.length === 1);
    await until(() => recorded.get(id).video);
    expect(told.at(-1)).toMatchObject({ change: 'recording-changed', recording: { id, video: true } });
    // 5 ms were recorded when it was started, at 0.
    expect(pictures.started).toMatchObject([{ recording: id, directory: join(directory, id), part: 1, originMs: 990 }]);
    await until(() => entryOf(id).videoParts.length === 1);
    expect(entryOf(id)).toMatchObject({ video: true, videoParts: [{ number: 1, startMs: 1000 }] });
    await recordings.update(room, id, 'paused');
    timers.advance(5000);
    await recordings.update(room, id, 'recording');
    await until(() => pictures.asked.length === 3);
    timers.advance(1000);
    recordings.pictureLost([
      { room: 'demo', recording: 'other' },
      { room: 'demo', recording: id },
    ]);
    await until(() => pictures.started.length === 2);
    await recordings.update(room, id, 'stopped');
    // The recording's own 0 would have been 5 s later, had there been no pause.
    expect(pictures.asked).toEqual(['start 1', 'pause', 'go on from 5990', 'start 2', 'stop']);
    expect(entryOf(id).videoParts[1]).toEqual({ number: 2, startMs: 2000 });
    expect(timelineOf(id).filter((line) => line.includes('video'))).toEqual(['1000 video 1 ', '2000 video 2 ']);
    expect(mixer.started).toHaveLength(1);
  });

  it('a picture that fails is told of, and the sound goes on', async () => {
    const room = open();
    room.join(someone('ann', { video: VIDEO }));
    const { id } = await recordings.start(room, {}, 'moderator');
    await until(() => recorded.get(id).video);
    recordings.pictureFailed('other', 'the disk is full');
    recordings.pictureFailed(id, 'the disk is full');
    expect(told.at(-1)).toMatchObject({ recording: { id, state: 'recording', videoError: 'the disk is full' } });
    timers.advance(1000);
    expect(await recordings.update(room, id, 'stopped')).toMatchObject({
      state: 'stopped',
      durationMs: 1005,
      error: null,
    });
  });

  it('it ends when its picture is on the disk, so that what is made of it has all', async () => {
    const room = open();
    room.join(someone('ann', { video: VIDEO }));
    const { id } = await recordings.start(room, {}, 'moderator');
    await until(() => pictures.started.length === 1);
    let written: () => void = () => undefined;
    pictures.answering = new Promise((resolve) => {
      written = resolve;
    });
    const stopping = recordings.update(room, id, 'stopped');
    await until(() => pictures.asked.includes('stop'));
    expect(recorded.get(id).state).toBe('recording');
    written();
    expect(await stopping).toMatchObject({ state: 'stopped' });
  });

  it('a pause that the sound’s mixer refuses is none of the picture either', async () => {
    const room = open();
    room.join(someone('ann', { video: VIDEO }));
    const { id } = await recordings.start(room, {}, 'moderator');
    await until(() => pictures.started.length === 1);
    mixer.failsWith = new MixerError('internal', 'no');
    await expect(recordings.update(room, id, 'paused')).rejects.toMatchObject({ code: 'mixer-unavailable' });
    mixer.failsWith = null;
    await until(() => pictures.asked.length === 3);
    expect(pictures.asked).toEqual(['start 1', 'pause', 'go on from -5']);
  });
});

describe('a recording that fails', () => {
  it('is told of, aloud too, and the conference goes on', async () => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    timers.advance(3000);
    await recordings.failed(id, 'the disk is full');
    expect(recorded.get(id)).toMatchObject({ state: 'failed', error: 'the disk is full' });
    expect(told.at(-1)).toMatchObject({ change: 'recording-changed', recording: { id, state: 'failed' } });
    expect(timelineOf(id).at(-1)).toBe('3005 stopped the disk is full');
    expect(said).toEqual(['all: recording-started', 'all: recording-stopped']);
    expect([recorded.failed, room.present.length, timers.pending]).toEqual([1, 1, 0]);
  });

  it('while it is being stopped, has failed all the same', async () => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    mixer.failsWith = new MixerError('no-such-recording', 'it has ended');
    const stopping = recordings.update(room, id, 'stopped');
    const failing = recordings.failed(id, 'the disk is too slow');
    expect(await stopping).toMatchObject({ state: 'failed', error: 'the disk is too slow' });
    await failing;
    expect(recorded.failed).toBe(1);
  });

  it('keeps what was captured', async () => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    writeFileSync(join(directory, id, 'mix-1.mka'), 'no Matroska');
    writeFileSync(join(directory, id, 'track-1-ann-1.mka'), '12345');
    await recordings.failed(id, 'the disk is full');
    expect(recorded.get(id)).toMatchObject({ bytes: 16, durationMs: 0 });
  });
});

describe('those in the room', () => {
  it('hear what becomes of it, and who comes later that it runs', async () => {
    const room = openWithAnn();
    const { id } = await recordings.start(room, {}, 'moderator');
    room.join(someone('bob', { state: 'entering' }));
    room.change('bob', { state: 'connected' });
    room.change('bob', { state: 'on-hold' });
    room.change('bob', { state: 'connected' });
    await recordings.update(room, id, 'paused');
    room.join(someone('cem'));
    await recordings.update(room, id, 'recording');
    await recordings.toggle(room);
    room.join(someone('dan'));
    expect(said).toEqual([
      ...['all: recording-started', 'bob: this-call-is-recorded', 'all: recording-paused'],
      ...['all: recording-resumed', 'all: recording-stopped'],
    ]);
  });

  it.each([
    ['the room', { recordingAnnounced: false }, {}],
    ['who starts it', {}, { announced: false }],
  ])('hear nothing of it where %s wants it so', async (_who, policy, wanted) => {
    const room = openWithAnn(policy);
    await recordings.start(room, wanted, 'moderator');
    room.join(someone('bob'));
    expect(await recordings.toggle(room)).toEqual({ now: 'stopped', announced: false });
    expect(said).toEqual([]);
  });

  it('hear a tone at intervals while it is recorded', async () => {
    const room = openWithAnn({ recordingToneSeconds: 30, recordingAnnounced: false });
    const { id } = await recordings.start(room, {}, 'moderator');
    const tonesIn = (ms: number): number => {
      timers.advance(ms);
      return said.splice(0).length;
    };
    expect([tonesIn(29_000), tonesIn(31_000)]).toEqual([0, 2]);
    // As it is, it is as loud as speech.
    expect(gains).toEqual([-24, -24]);
    await recordings.update(room, id, 'paused');
    expect(tonesIn(120_000)).toBe(0);
    await recordings.update(room, id, 'recording');
    room.changePolicy({ recordingToneSeconds: 5 });
    expect(tonesIn(20_000)).toBe(4);
    room.changePolicy({ recordingToneSeconds: 0 });
    expect(tonesIn(20_000)).toBe(0);
    await recordings.stopAll(room);
    expect(timers.pending).toBe(0);
  });
});

describe('by policy', () => {
  it('always: begins with the first one who is in, and once a conference', async () => {
    const room = open({ record: 'always' });
    room.join(someone('ann', { state: 'lobby' }));
    expect(mixer.started).toEqual([]);
    room.change('ann', { state: 'connected' });
    await until(() => room.recording === 'recording');
    expect(recorded.list()).toMatchObject([{ startedBy: 'policy', participants: ['sip:ann@192.0.2.1'] }]);
    expect(said).toEqual(['all: recording-started']);
    await recordings.toggle(room);
    room.join(someone('bob'));
    room.leave('ann');
    room.leave('bob');
    await recordings.stopAll(room);
    expect(mixer.started).toHaveLength(1);
    room.join(someone('cem'));
    await until(() => mixer.started.length === 2);
  });

  it('always: also for who comes while what the last ones said is still being brought to its end', async () => {
    const room = openWithAnn({ record: 'always' });
    await until(() => room.recording === 'recording');
    room.leave('ann');
    const ended = recordings.stopAll(room);
    room.join(someone('bob'));
    await ended;
    await until(() => mixer.started.length === 2);
    expect(recorded.list()).toMatchObject([{ state: 'stopped' }, { state: 'recording', startedBy: 'policy' }]);
  });

  it('does not disturb what a moderator has begun', async () => {
    const room = openWithAnn({ record: 'from-two' });
    await recordings.start(room, {}, 'moderator');
    room.join(someone('bob'));
    await recordings.stopAll(room);
    expect(recorded.list()).toMatchObject([{ startedBy: 'moderator', state: 'stopped' }]);
  });

  it('from-two: begins with the second one, and not anew when one leaves and another comes', async () => {
    const room = openWithAnn({ record: 'from-two', recordTracks: true });
    await recordings.stopAll(room);
    expect(mixer.started).toEqual([]);
    room.join(someone('bob'));
    await until(() => room.recording === 'recording');
    expect(mixer.started).toMatchObject([{ tracks: true }]);
    room.leave('bob');
    await recordings.toggle(room);
    room.join(someone('cem'));
    await recordings.stopAll(room);
    expect(mixer.started).toHaveLength(1);
  });

  it('that comes while they are there counts at once; where it could not begin, it is tried with who comes next', async () => {
    const room = openWithAnn();
    free = 0;
    room.changePolicy({ record: 'always' });
    room.change('ann', { talking: true });
    await until(() => Reflect.get(recordings, 'turns').last.size === 0);
    free = 1e12;
    room.change('ann', { talking: false });
    expect(mixer.started).toEqual([]);
    room.join(someone('bob'));
    await until(() => room.recording === 'recording');
  });

  it('nothing else begins one', async () => {
    const room = openWithAnn();
    room.join(someone('bob'));
    await recordings.close();
    expect(mixer.started).toEqual([]);
  });
});
