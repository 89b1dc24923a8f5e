import type { RecordingPosition } from '../../mixer/protocol.ts';
import { MixerError } from '../mixers/mixer-channel.ts';
import type { Mixers } from '../mixers/mixers.ts';
import type { RecordingEnd } from '../recordings/recordings.ts';
import type { Room, RoomChange } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { RecordingView } from '../rooms/views.ts';
import { ControlError, type NewRecording, type RecordingMark } from './control.ts';
import type { LiveRecording } from './live-recording.ts';
import { LiveRecordings, type LiveRecordingsOptions } from './live-recordings.ts';
import { Turns } from './turns.ts';

export interface RoomRecordingsOptions extends Omit<LiveRecordingsOptions, 'runs'> {
  readonly rooms: Rooms;
  readonly mixers: Pick<Mixers, 'startRecording' | 'controlRecording' | 'stopRecording'>;
}

/** What the mixer says when a recording has gone with its process; `lost` is told when there is another one. */
const LOST = new Set(['mixer-gone', 'deadline', 'no-such-recording']);

/** Recordings of rooms, one at a time in each: begun, paused, ended, and gone on with when a mixer died. */
export class RoomRecordings {
  private readonly options: RoomRecordingsOptions;
  private readonly lives: LiveRecordings;
  /** What runs, by room. */
  private readonly live = new Map<string, LiveRecording>();
  /** Why a mixer ended one, until that is taken down. */
  private readonly failures = new Map<string, string>();
  /** What is done with one room's recordings is done one after the other. */
  private readonly turns = new Turns();

  constructor(options: RoomRecordingsOptions) {
    this.options = options;
    this.lives = new LiveRecordings({
      ...options,
      runs: (live) => this.live.get(live.options.room.name) === live,
    });
    options.rooms.subscribe((room, change) => this.changed(room, change));
  }

  /** Errors: `recording-running`, `room-empty`, `recording-unavailable`. */
  start(room: Room, wanted: NewRecording, startedBy: RecordingView['startedBy']): Promise<RecordingView> {
    return this.turns.take(room.name, () => this.begin(room, wanted, startedBy));
  }

  /** Errors: `recording-not-found`, `recording-not-running`, `mixer-unavailable`. */
  update(room: Room, id: string, state: 'recording' | 'paused' | 'stopped'): Promise<RecordingView> {
    this.find(room, id);
    return this.turns.take(room.name, async () => {
      const live = this.liveOf(room, id);
      if (state === 'stopped') return this.end(live);
      return this.setPaused(live, state === 'paused');
    });
  }

  /** Errors: `recording-not-found`, `recording-not-running`. */
  mark(room: Room, id: string, text: string): RecordingMark {
    this.find(room, id);
    const { t: positionMs, at } = this.liveOf(room, id).tell({ type: 'mark', text, by: 'moderator' });
    return { text, positionMs, at };
  }

  /** Starts one, or stops what runs; `announced`: all in the room are told. */
  toggle(room: Room): Promise<{ now: 'started' | 'stopped'; announced: boolean }> {
    return this.turns.take(room.name, async () => {
      const live = this.live.get(room.name);
      if (live === undefined) {
        await this.begin(room, {}, 'keys');
        return { now: 'started', announced: room.policy.recordingAnnounced };
      }
      await this.end(live);
      return { now: 'stopped', announced: live.options.announced };
    });
  }

  /** Errors: `recording-not-found`, `recording-running`. */
  async remove(room: Room, id: string): Promise<void> {
    this.find(room, id);
    await this.options.recordings.remove(id);
  }

  /** Everybody has left. */
  async stopAll(room: Room): Promise<void> {
    await this.turns.take(room.name, async () => {
      const live = this.live.get(room.name);
      if (live !== undefined) await this.end(live);
    });
  }

  /** The server stops. Settled when all have ended. */
  async close(): Promise<void> {
    await Promise.all([...this.live.values()].map(({ options }) => this.stopAll(options.room)));
    await this.turns.settled();
  }

  /** Somebody who is in the room pressed it. */
  keyPressed(room: Room, participant: string, key: string): void {
    this.live.get(room.name)?.keyPressed(participant, key);
  }

  /** The mixer died: what it wrote stays, and each goes on with another part. */
  async lost(lost: { room: string; recording: string }[]): Promise<void> {
    const all = lost.map(({ room, recording }) =>
      this.turns.take(room, async () => {
        const live = this.live.get(room);
        if (live?.options.id === recording) await this.goOn(live);
      }),
    );
    await Promise.all(all);
  }

  /** The mixer could not go on with it. */
  async failed(id: string, reason: string): Promise<void> {
    const { room } = this.options.recordings.get(id);
    // Whoever stops it meanwhile will find it gone, and this is why.
    this.failures.set(id, reason);
    await this.turns.take(room, async () => {
      const live = this.live.get(room);
      if (live?.options.id === id) await this.fail(live, reason);
      this.failures.delete(id);
    });
  }

  /** A video mixer died: the picture of each goes on as another part. */
  pictureLost(lost: { room: string; recording: string }[]): void {
    for (const { room, recording } of lost) {
      const live = this.live.get(room);
      if (live?.options.id === recording) live.picture?.lost();
    }
  }

  /** A video mixer could not go on with it; the sound is recorded as ever. */
  pictureFailed(id: string, reason: string): void {
    for (const { options, picture } of this.live.values()) if (options.id === id) picture?.fail(reason);
  }

  find(room: Room, id: string): RecordingView {
    const recording = this.options.recordings.list(room.name).find((candidate) => candidate.id === id);
    if (!recording) throw new ControlError('recording-not-found', `there is no recording ${id} of ${room.name}`);
    return recording;
  }

  private liveOf(room: Room, id: string): LiveRecording {
    const live = this.live.get(room.name);
    if (live?.options.id !== id) throw new ControlError('recording-not-running', `${id} has ended`);
    return live;
  }

  private changed(room: Room, change: RoomChange): void {
    const live = this.live.get(room.name);
    if (live?.options.room !== room) return;
    live.changed(change);
    if (change.change === 'room-changed') this.options.voice.setTone(room, !live.paused);
    // What comes of a change is done after all were told of it.
    queueMicrotask(() => {
      if (this.live.get(room.name) === live) live.picture?.check();
    });
  }

  private async begin(room: Room, wanted: NewRecording, startedBy: RecordingView['startedBy']): Promise<RecordingView> {
    if (this.live.has(room.name)) throw new ControlError('recording-running', `${room.name} is being recorded`);
    // It ends with the last who leaves: of nobody, it would never end.
    if (room.size === 0) throw new ControlError('room-empty', `nobody is in ${room.name}`);
    const { recordings, voice, log } = this.options;
    const { tracks = room.policy.recordTracks, announced = room.policy.recordingAnnounced, video = null } = wanted;
    const begun = await recordings.begin({ room: room.name, startedBy, tracks });
    const live = await this.lives.make(room, { ...begun, tracks, announced, video });
    try {
      const originMs = await this.startMixer(live);
      if (originMs === null) live.options.clock.goOn();
      else live.options.clock.run(originMs);
    } catch (error) {
      const reason = describe(error);
      await live.options.timeline?.close();
      await recordings.ended(begun.id, { durationMs: 0, error: reason });
      throw new ControlError('recording-unavailable', `the recording could not be started: ${reason}`);
    }
    this.live.set(room.name, live);
    live.begin();
    const view = recordings.begun(begun.id, live.participants);
    log.info({ recording: view.id, room: room.name, startedBy, tracks }, 'recording started');
    if (announced) voice.tellAll(room, 'recording-started');
    voice.setTone(room, true);
    live.picture?.check();
    return view;
  }

  /** When it began. Null: the mixer died over it, and the next one goes on with it as with any other. */
  private async startMixer(live: LiveRecording): Promise<number | null> {
    try {
      return (await this.options.mixers.startRecording(this.toStart(live))).originMs;
    } catch (error) {
      if (isLost(error)) return null;
      throw error;
    }
  }

  private toStart({ options, part, paused }: LiveRecording) {
    const { room, id, directory, tracks, key } = options;
    return { room: room.name, recording: id, directory, part: part.number, tracks, paused, key };
  }

  private async setPaused(live: LiveRecording, paused: boolean): Promise<RecordingView> {
    const { recordings, voice, log } = this.options;
    const { id, room, clock, announced } = live.options;
    if (paused === live.paused) return recordings.get(id);
    // So nothing is seen that is not heard any more.
    if (paused) await live.picture?.pause();
    const there = await this.controlMixer(live, paused);
    const { startMs } = live.part;
    if (paused) clock.stand(there === null ? clock.positionMs : startMs + there.positionMs);
    else if (there === null || there.originMs === null) clock.goOn();
    else clock.run(there.originMs - startMs);
    live.setPaused(paused);
    if (!paused) live.picture?.goOn();
    log.info(
      { recording: id, room: room.name, positionMs: clock.positionMs },
      paused ? 'recording paused' : 'recording goes on',
    );
    const view = recordings.changed(id, { state: paused ? 'paused' : 'recording' });
    if (announced) voice.tellAll(room, paused ? 'recording-paused' : 'recording-resumed');
    voice.setTone(room, !paused);
    return view;
  }

  /** Null: the mixer is gone, and the next part begins as it should be. */
  private async controlMixer(live: LiveRecording, paused: boolean): Promise<RecordingPosition | null> {
    const { id, room } = live.options;
    try {
      return await this.options.mixers.controlRecording(room.name, id, paused);
    } catch (error) {
      if (isLost(error) && !this.failures.has(id)) return null;
      if (paused) live.picture?.goOn();
      throw new ControlError('mixer-unavailable', describe(error));
    }
  }

  private async goOn(live: LiveRecording): Promise<void> {
    const { rooms, recordings, mixers, log } = this.options;
    const { id, room, clock } = live.options;
    if (rooms.get(room.name) !== room) return void (await this.conclude(live, { durationMs: null, error: null }));
    const number = live.part.number + 1;
    try {
      live.goOn({ number, startMs: clock.positionMs });
      // Before there is anything in it, so that it is found whenever the server ends.
      await recordings.setParts(id, live.parts);
      const { originMs } = await mixers.startRecording(this.toStart(live));
      if (originMs !== null) live.placePart(clock.positionAt(originMs));
      await recordings.setParts(id, live.parts);
      live.tell({ type: 'part', part: number });
      log.info({ recording: id, room: room.name, part: number }, 'recording goes on after the mixer died');
    } catch (error) {
      // That one died, too: `lost` is told of it again.
      if (isLost(error))
        return log.warn({ recording: id, room: room.name, part: number }, 'the next mixer died as well');
      return this.fail(live, `the mixer died, and it could not go on: ${describe(error)}`);
    }
  }

  private async end(live: LiveRecording): Promise<RecordingView> {
    const { voice } = this.options;
    const { room, announced } = live.options;
    void live.picture?.end();
    const view = await this.conclude(live, await this.stopMixer(live));
    if (announced) voice.tellAll(room, 'recording-stopped');
    return view;
  }

  private async stopMixer(live: LiveRecording): Promise<RecordingEnd> {
    const { id, room } = live.options;
    try {
      const { durationMs } = await this.options.mixers.stopRecording(room.name, id);
      return { durationMs: Math.round(live.part.startMs + durationMs), error: null };
    } catch (error) {
      return { durationMs: null, error: this.failures.get(id) ?? (isLost(error) ? null : describe(error)) };
    }
  }

  private async fail(live: LiveRecording, reason: string): Promise<void> {
    const { log, voice } = this.options;
    const { id, room, announced } = live.options;
    log.error({ recording: id, room: room.name, reason }, 'recording failed');
    // At once: what follows looks at a disk that may be the reason.
    if (announced) voice.tellAll(room, 'recording-stopped');
    await this.conclude(live, { durationMs: null, error: reason });
  }

  /** Nothing is recorded any more. */
  private async conclude(live: LiveRecording, end: RecordingEnd): Promise<RecordingView> {
    const { recordings, voice } = this.options;
    const { id, room } = live.options;
    this.live.delete(room.name);
    voice.setTone(room, false);
    await live.picture?.end();
    await live.end(end.durationMs, end.error);
    return recordings.ended(id, end);
  }
}

function isLost(error: unknown): boolean {
  return error instanceof MixerError && LOST.has(error.code);
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
