import { setTimeout as pause } from 'node:timers/promises';
import { seededRandom } from '../e2e/clients/lossy-relay.ts';
import type { Parley } from '../e2e/clients/parley.ts';
import { CallersClock, CodedCaller } from './coded-callers.ts';
import { VOICES } from './coded-sound.ts';

export type Victim = 'mixer' | 'server' | 'ffmpeg';

export interface Kill {
  victim: Victim;
  /** By the callers' clock. */
  atMs: number;
}

/** What happened, as those see it who were there. */
export interface KillStory {
  kills: Kill[];
  callers: readonly CodedCaller[];
  clock: CallersClock;
}

export const ROOM = 'killed';
/** Of these, ffmpeg makes several in turn. */
export const FORMATS = ['wav', 'm4a', 'ogg'] as const;
export const LATER_FORMATS = ['zip', 'tracks', 'vtt', 'jsonl'] as const;

/** Chosen so often in ten. */
const MIXERS = 5;
const SERVERS = 7;
const LONGEST_GAP_MS = 4_000;
const SHORTEST_GAP_MS = 400;
/** A job is killed no more often: after some attempts it is given up, which is not what is to be seen here. */
const KILLS_OF_A_JOB = 2;
const FFMPEG_WITHIN_MS = 20_000;
/** How long after its start an ffmpeg is killed, at most; for such short recordings few take longer. */
const LONGEST_FFMPEG_MS = 60;
/** Made only so that there is an ffmpeg to kill. */
const MORE_FORMATS = ['zip', 'tracks', 'mp3', 'webm', 'mp4', 'mka', 'png'] as const;
const MIXER_BACK_WITHIN_MS = 15_000;

/** Leads a conference of three through so many deaths; it is over, and nobody there any more, when this is settled. */
export class KillRun {
  readonly #server: Parley;
  readonly #random: () => number;
  readonly #kills: Kill[] = [];
  readonly #jobs = new Map<string, number>();
  #callers: CodedCaller[] = [];
  #clock: CallersClock | null = null;

  constructor(server: Parley, seed: number) {
    this.#server = server;
    this.#random = seededRandom(seed);
  }

  async run(kills: number, told: (kill: Kill, number: number) => void): Promise<KillStory> {
    const callers = await Promise.all(VOICES.map((voice) => CodedCaller.open(voice)));
    this.#callers = callers;
    const clock = new CallersClock(callers);
    this.#clock = clock;
    try {
      await this.#makeRoom();
      await this.#dial();
      for (let number = 1; number <= kills; number++) {
        await pause(SHORTEST_GAP_MS + this.#random() * (LONGEST_GAP_MS - SHORTEST_GAP_MS));
        await this.#kill(this.#choose());
        told(this.#kills.at(-1)!, number);
      }
      await pause(SHORTEST_GAP_MS + this.#random() * LONGEST_GAP_MS);
      await this.#hangUp();
      return { kills: this.#kills, callers, clock };
    } finally {
      clock.stop();
      for (const caller of callers) caller.close();
    }
  }

  #choose(): Victim {
    const number = this.#random() * 10;
    if (number < MIXERS) return 'mixer';
    return number < SERVERS ? 'server' : 'ffmpeg';
  }

  async #kill(victim: Victim): Promise<void> {
    if (victim === 'mixer') await this.#killMixer();
    else if (victim === 'server') await this.#killServer();
    else await this.#killFfmpeg();
  }

  async #makeRoom(): Promise<void> {
    const policy = { record: 'always', recordTracks: true, recordingAnnounced: false } as const;
    await this.#server.api.createRoom({ name: ROOM, ...policy });
  }

  /** One after the other, as people do. */
  async #dial(): Promise<void> {
    // A mixer that died twice within moments is away for a second.
    await this.#server.ready();
    for (const caller of this.#callers) {
      await caller.dial(this.#server.sipPort, this.#server.sipUri(ROOM), this.#clock!.nextPacket);
      await pause(this.#random() * 300);
    }
  }

  async #hangUp(): Promise<void> {
    await Promise.all(this.#callers.map((caller) => caller.hangUp()));
  }

  #note(victim: Victim): void {
    this.#kills.push({ victim, atMs: this.#clock!.nowMs });
  }

  async #killMixer(): Promise<void> {
    const deadline = performance.now() + MIXER_BACK_WITHIN_MS;
    for (;;) {
      const pid = this.#server.mixerPids()[0];
      if (pid !== undefined) {
        this.#note('mixer');
        process.kill(pid, 'SIGKILL');
        return;
      }
      if (performance.now() > deadline) throw new Error('there is no mixer');
      await pause(5);
    }
  }

  async #killServer(): Promise<void> {
    this.#note('server');
    const gone = this.#server.crash();
    for (const caller of this.#callers) caller.drop();
    await gone;
    await this.#server.startAgain();
    await this.#dial();
  }

  /** The conference ends, so that its recording is finished; then they meet again. */
  async #killFfmpeg(): Promise<void> {
    await this.#hangUp();
    const work = new AbortController();
    const asked = this.#askForMore(work.signal);
    asked.catch(() => undefined); // awaited below
    const delayMs = this.#random() * LONGEST_FFMPEG_MS;
    try {
      const { pid, job } = await this.#findFfmpeg(delayMs);
      this.#jobs.set(job, (this.#jobs.get(job) ?? 0) + 1);
      this.#note('ffmpeg');
      killIfThere(pid);
    } finally {
      work.abort();
    }
    await asked;
    await this.#dial();
  }

  /** So that there is work for ffmpeg as long as one is looked for; what is answered is looked at in the end. */
  async #askForMore(signal: AbortSignal): Promise<void> {
    const { api } = this.#server;
    for (const { id } of (await api.recordings(ROOM)).filter(({ durationMs }) => durationMs).reverse()) {
      for (const format of MORE_FORMATS) {
        if (signal.aborted) return;
        await api.recordingFile(id, format);
      }
    }
  }

  /** One that has been at work for so long. */
  async #findFfmpeg(delayMs: number): Promise<{ pid: number; job: string }> {
    const seenMs = new Map<number, number>();
    const deadline = performance.now() + FFMPEG_WITHIN_MS;
    while (performance.now() < deadline) {
      for (const { pid, args } of this.#server.ffmpegs()) {
        const job = jobOf(args);
        if (job === '' || (this.#jobs.get(job) ?? 0) >= KILLS_OF_A_JOB) continue;
        const now = performance.now();
        if (now - (seenMs.get(pid) ?? now) >= delayMs) return { pid, job };
        if (!seenMs.has(pid)) seenMs.set(pid, now);
      }
      await pause(3);
    }
    throw new Error(`no ffmpeg was at work for ${delayMs.toFixed(0)} ms within ${FFMPEG_WITHIN_MS} ms`);
  }
}

/** The file that it makes, and so the job; empty when it only says what it can do. */
function jobOf(args: readonly string[]): string {
  return /[0-9]{8}-[0-9]{6}-[0-9a-f]{12}\/finished-[^.]*\.[a-z0-9]+/.exec(args.join(' '))?.[0] ?? '';
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}
