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
    try {
      const { durationMs } = await this.recorder.recordLeg({
        ...{ leg: participant, path },
        ...{ maxMs: MOST_MS, endsAtSilenceMs: SILENCE_MS },
      });
      if (durationMs > 0) this.said.add(participant);
    } catch (error) {
      this.log.warn({ participant, reason: String(error) }, 'name not recorded');
    }
  }

  /** The file with it; null when it was not said. */
  of(participant: string): string | null {
    return this.said.has(participant) ? this.pathOf(participant) : null;
  }

  forget(participant: string): void {
    if (!this.said.delete(participant)) return;
    rmSync(this.pathOf(participant), { force: true });
  }

  private pathOf(participant: string): string {
    return join(this.directory, `${participant}.wav`);
  }
}
