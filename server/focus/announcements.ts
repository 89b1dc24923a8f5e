import { randomBytes } from 'node:crypto';
import type { Announcer, Playback } from '../ivr/announcer.ts';
import type { Room } from '../rooms/room.ts';
import {
  type Announcement,
  type AnnouncementPatch,
  type AnnouncementProgress,
  ControlError,
  type NewAnnouncement,
} from './control.ts';

export interface AnnouncementsOptions {
  readonly announcer: Announcer;
  hasPrompt(language: Room['policy']['language'], id: string): boolean;
  promptFile(language: Room['policy']['language'], id: string): string;
  /** A WAV file of it; throws a `ControlError` when there is none. */
  recordingFile(room: Room, id: string): Promise<FileToPlay>;
  /** A file of an uploaded sound; throws a `ControlError` when there is none. */
  soundFile(id: string): string;
  /** Milliseconds since 1970. */
  epochMs(): number;
}

export interface FileToPlay {
  readonly path: string;
  /** Base64, of one that is encrypted; never logged. */
  readonly key?: string;
}

interface Running {
  readonly announcement: Announcement;
  readonly room: Room;
  readonly playback: Playback;
}

/** What was asked to be played in rooms and has not ended. */
export class Announcements {
  private readonly options: AnnouncementsOptions;
  private readonly running = new Map<string, Running>();

  constructor(options: AnnouncementsOptions) {
    this.options = options;
  }

  async start(room: Room, wanted: NewAnnouncement): Promise<Announcement> {
    const { participant, gainDb, startMs, repeat } = wanted;
    if (participant !== null && room.participant(participant) === undefined) {
      throw new ControlError('participant-not-found', `there is no participant ${participant} in ${room.name}`);
    }
    const { path, ...sealed } = await this.fileOf(room, wanted);
    const id = randomBytes(6).toString('hex');
    const to = participant === null ? { room: room.name } : { leg: participant };
    const sound = { to, files: [path], ...sealed, gainDb, startMs, repeat };
    const playback = this.options.announcer.play(sound, () => this.running.delete(id));
    const createdAt = new Date(this.options.epochMs()).toISOString();
    const announcement = { id, room: room.name, createdAt, ...wanted };
    this.running.set(id, { announcement, room, playback });
    return announcement;
  }

  list(room: Room): Announcement[] {
    return [...this.running.values()].filter((running) => running.room === room).map((running) => running.announcement);
  }

  /** Changes nothing where the patch says nothing; tells how far it is. */
  async update(room: Room, id: string, { gainDb, positionMs }: AnnouncementPatch): Promise<AnnouncementProgress> {
    const found = this.find(room, id);
    const change = { ...(gainDb === undefined ? {} : { gainDb }), ...(positionMs === undefined ? {} : { positionMs }) };
    const position = await found.playback.control(change).catch((error: { code?: unknown }) => {
      if (error.code === 'no-such-sound') throw notFound(room, id);
      throw new ControlError('mixer-unavailable', String(error));
    });
    const announcement = { ...found.announcement, gainDb: gainDb ?? found.announcement.gainDb };
    if (this.running.get(id) === found) this.running.set(id, { ...found, announcement });
    return { ...announcement, ...position };
  }

  stop(room: Room, id: string): void {
    const { playback } = this.find(room, id);
    this.running.delete(id);
    playback.stop();
  }

  private find(room: Room, id: string): Running {
    const found = this.running.get(id);
    if (found?.room !== room) throw notFound(room, id);
    return found;
  }

  private async fileOf(room: Room, { prompt, recording, sound }: NewAnnouncement): Promise<FileToPlay> {
    if (recording !== null) return this.options.recordingFile(room, recording);
    if (sound !== null) return { path: this.options.soundFile(sound) };
    const { language } = room.policy;
    if (prompt === null || !this.options.hasPrompt(language, prompt)) {
      throw new ControlError('prompt-not-found', `there is no prompt ${prompt} in ${language}`);
    }
    return { path: this.options.promptFile(language, prompt) };
  }
}

function notFound(room: Room, id: string): ControlError {
  return new ControlError('announcement-not-found', `${id} is not played in ${room.name}`);
}
