import { randomBytes } from 'node:crypto';
import type { Announcer, Playback } from '../ivr/announcer.ts';
import type { Room } from '../rooms/room.ts';
import { type Announcement, ControlError, type NewAnnouncement } from './control.ts';

export interface AnnouncementsOptions {
  readonly announcer: Announcer;
  hasPrompt(language: Room['policy']['language'], id: string): boolean;
  promptFile(language: Room['policy']['language'], id: string): string;
  /** A WAV file of it; throws a `ControlError` when there is none. */
  recordingFile(room: Room, id: string): Promise<string>;
}

/** What was asked to be played in rooms and has not ended. */
export class Announcements {
  private readonly options: AnnouncementsOptions;
  private readonly running = new Map<string, { room: Room; playback: Playback }>();

  constructor(options: AnnouncementsOptions) {
    this.options = options;
  }

  async start(room: Room, wanted: NewAnnouncement): Promise<Announcement> {
    const { participant, gainDb, repeat } = wanted;
    if (participant !== null && room.participant(participant) === undefined) {
      throw new ControlError('participant-not-found', `there is no participant ${participant} in ${room.name}`);
    }
    const file = await this.fileOf(room, wanted);
    const id = randomBytes(6).toString('hex');
    const to = participant === null ? { room: room.name } : { leg: participant };
    const playback = this.options.announcer.play({ to, files: [file], gainDb, repeat }, () => this.running.delete(id));
    this.running.set(id, { room, playback });
    return { id, room: room.name, ...wanted };
  }

  stop(room: Room, id: string): void {
    const found = this.running.get(id);
    if (found?.room !== room) throw new ControlError('announcement-not-found', `${id} is not played in ${room.name}`);
    this.running.delete(id);
    found.playback.stop();
  }

  private async fileOf(room: Room, { prompt, recording }: NewAnnouncement): Promise<string> {
    if (recording !== null) return this.options.recordingFile(room, recording);
    const { language } = room.policy;
    if (prompt === null || !this.options.hasPrompt(language, prompt)) {
      throw new ControlError('prompt-not-found', `there is no prompt ${prompt} in ${language}`);
    }
    return this.options.promptFile(language, prompt);
  }
}
