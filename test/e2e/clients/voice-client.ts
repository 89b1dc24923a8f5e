import type { Hearing } from './hearing.ts';
import type { Voice } from './tone-levels.ts';

/** A phone with a tone of its own, whatever program it is. */
export interface VoiceClient {
  readonly voice: Voice;
  /** How much later than the network this program's output is at most: its own jitter buffer and its writing. */
  readonly playoutDelayMs: number;
  /** Resolves when the call stands. */
  dial(uri: string): Promise<void>;
  hangUp(): Promise<void>;
  /** What it has received since the call began. */
  hearing(): Hearing;
  /** Resolves when the far end has ended the call. */
  ended(timeoutMs: number): Promise<void>;
  stop(): Promise<void>;
}
