import { opusRuntime } from './opus-runtime.ts';
import { loadSystemOpus } from './system-opus.ts';

/** A library that encodes Opus, and the encoders that live in it; always mono. `State` is what it knows an encoder by. */
export interface OpusEncoders<State = unknown> {
  /** Nothing in here can be trusted any more. */
  readonly broken: boolean;
  open(sampleRateHz: number): State;
  close(state: State): void;
  /** `opus_encoder_ctl`: a negative result is libopus's error. */
  set(state: State, request: number, value: number): number;
  /** Makes `to` an encoder that has encoded all that `from` has, with its settings. */
  copy(from: State, to: State): void;
  /** Returns the packet's length; 0 if the library broke. Throws on a length of frame that Opus does not have. */
  encode(state: State, pcm: Int16Array, offset: number, samples: number, out: Uint8Array, outOffset: number): number;
}

/**
 * The system's own libopus where it has one, for it uses the processor's vector instructions: an encode takes some 60% of
 * the time. Only what we mix goes through it, never what came from the network: decoders stay in WebAssembly, from which
 * no packet gets out.
 */
const system = await loadSystemOpus();

export const usesSystemOpus = system !== null;

/** Where new encoders live. */
export function opusEncoders(): OpusEncoders {
  return system ?? opusRuntime();
}
