import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../log.ts';

export interface NameRecorder {
  /** See `recordLeg` of the mixer protocol. */
  recordLeg(params: {
    leg: string;
    path: string;
    maxMs: number;
    endsAtSilenceMs: number;
  }): Promise<{ durationMs: number }>;
}

const MOST_MS = 5000;
const SILENCE_MS = 1200;

/** Names as people have said them when they entered: a file each, for as long as they are there. */
export class Names {
  private readonly directory: string;
  private readonly recorder: NameRecorder;
  private readonly log: Log;
  private readonly said = new Set<string>();
  /** Who is saying theirs. */
  private readonly saying = new Set<string>();

  /** What a former run left behind is removed. Throws when the directory cannot be made. */
  constructor(directory: string, recorder: NameRecorder, log: Log) {
    this.directory = directory;
    this.recorder = recorder;
    this.log = log;
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  /** Settled when the name was said, or was not. */
  async record(participant: string): Promise<void> {
    const path = this.pathOf(participant);
    this.saying.add(participant);
    try {
      const { durationMs } = await this.recorder.recordLeg({
        ...{ leg: participant, path },
        ...{ maxMs: MOST_MS, endsAtSilenceMs: SILENCE_MS },
      });
      if (durationMs > 0) this.said.add(participant);
    } catch (error) {
      this.log.warn({ participant, reason: String(error) }, 'name not recorded');
    }
    // Who hung up in the middle of it has been forgotten already; what they had said comes all the same.
    if (!this.saying.delete(participant)) this.forget(participant);
  }

  /** The file with it; null when it was not said. */
  of(participant: string): string | null {
    return this.said.has(participant) ? this.pathOf(participant) : null;
  }

  forget(participant: string): void {
    this.saying.delete(participant);
    if (!this.said.delete(participant)) return;
    try {
      rmSync(this.pathOf(participant), { force: true });
    } catch (error) {
      this.log.warn({ participant, reason: String(error) }, 'name not removed');
    }
  }

  private pathOf(participant: string): string {
    return join(this.directory, `${participant}.wav`);
  }
}
