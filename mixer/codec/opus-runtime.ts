import { createRequire } from 'node:module';
import type { OpusEncoders } from './opus-encoders.ts';

/**
 * libopus 1.4 as WebAssembly, out of the package opusscript: for encoding.
 *
 * Its low level is used directly, not the wrapper around it. The wrapper takes the addresses of its PCM buffers for
 * indices of 16-bit words, and so reads and writes at twice the address, outside of what it allocated; and it keeps views
 * that are detached once the memory grows: of 400 instances none can encode any more. It also copies each frame
 * several times.
 */

/** The codec state that the package makes: an encoder, and a decoder that is not used. Negative results are libopus's errors. */
export interface OpusHandler {
  /** `bytes` is the number of octet pairs to be joined to samples first: 0 for PCM that is in place already. */
  _encode(pcm: number, bytes: number, packet: number, samples: number): number;
  _encoder_ctl(request: number, value: number): number;
}

/**
 * Where the handler is in memory, which its JavaScript object knows under a name that the package's minifier gave it. Its
 * second word is the address of the encoder, which libopus keeps in one piece without pointers into itself
 * (opus_encoder_init: "previously allocated by the caller"), so that a copy of it is an encoder too.
 */
const ENCODER_WORD = 1;
/** The sampling rate in an OpusEncoder, by which to know one. */
const RATE_WORD = 4;
/** The allocator's word in front of what it gives out: length with itself, and two or three bits of its own. */
const CHUNK_FLAGS = 7;
const CHUNK_OVERHEAD = 4;

/** The part of the Emscripten module that is used. Views change when memory grows, so they are read anew each time. */
interface OpusModule {
  readonly HEAPU8: Uint8Array;
  readonly HEAP16: Int16Array;
  readonly HEAP32: Int32Array;
  _malloc(bytes: number): number;
  readonly OpusScriptHandler: {
    new (sampleRateHz: number, channels: number, application: number): OpusHandler;
    destroy_handler(handler: OpusHandler): void;
  };
}

const MODULE_PATH = 'opusscript/build/opusscript_native_wasm.js';
const MONO = 1;
const APPLICATION_VOIP = 2048;
/** RFC 6716 §3.2.5: 120 ms at 48 kHz. */
const MAX_SAMPLES = 5760;
/** No UDP datagram is longer. */
const MAX_PACKET_BYTES = 65535;

/** One instance of the module, with one scratch buffer each way, for its calls never overlap. */
export class OpusRuntime implements OpusEncoders<OpusHandler> {
  /** Set when a call ended in a trap: nothing in this instance can be trusted any more. */
  broken = false;
  private readonly module: OpusModule;
  private readonly pcmAddress: number;
  private readonly packetAddress: number;

  constructor(module: OpusModule) {
    this.module = module;
    this.pcmAddress = module._malloc(MAX_SAMPLES * 4);
    this.packetAddress = module._malloc(MAX_PACKET_BYTES);
  }

  /** Always mono: only mono encoders fit the module's 64 KiB stack. */
  open(sampleRateHz: number): OpusHandler {
    return new this.module.OpusScriptHandler(sampleRateHz, MONO, APPLICATION_VOIP);
  }

  close(handler: OpusHandler): void {
    if (!this.broken) this.module.OpusScriptHandler.destroy_handler(handler);
  }

  set(handler: OpusHandler, request: number, value: number): number {
    return handler._encoder_ctl(request, value);
  }

  copy(from: OpusHandler, to: OpusHandler): void {
    const source = this.encoderAddress(from);
    const target = this.encoderAddress(to);
    const bytes = Math.min(this.chunkBytes(source), this.chunkBytes(target));
    this.module.HEAPU8.copyWithin(target, source, source + bytes);
  }

  private encoderAddress(handler: OpusHandler): number {
    const words = this.module.HEAP32;
    const address = words[(addressOf(handler) >> 2) + ENCODER_WORD]!;
    const rateHz = words[(address >> 2) + RATE_WORD]!;
    if (rateHz < 8000 || rateHz > 48000) throw new Error(`${MODULE_PATH} is not what it was in opusscript 0.1`);
    return address;
  }

  private chunkBytes(address: number): number {
    return (this.module.HEAP32[(address >> 2) - 1]! & ~CHUNK_FLAGS) - CHUNK_OVERHEAD;
  }

  encode(
    handler: OpusHandler,
    pcm: Int16Array,
    offset: number,
    samples: number,
    out: Uint8Array,
    outOffset: number,
  ): number {
    const heap = this.module.HEAP16;
    const first = this.pcmAddress >> 1;
    for (let i = 0; i < samples; i++) heap[first + i] = pcm[offset + i]!;
    let length: number;
    try {
      length = handler._encode(this.pcmAddress, 0, this.packetAddress, samples);
    } catch {
      this.broken = true;
      return 0;
    }
    if (length < 0) throw new RangeError(`Opus cannot encode a frame of ${samples} samples (error ${length})`);
    const octets = this.module.HEAPU8;
    for (let i = 0; i < length; i++) out[outOffset + i] = octets[this.packetAddress + i]!;
    return length;
  }
}

/** The one number in the object of the class handle, neither of whose names can be relied on. */
function addressOf(handler: OpusHandler): number {
  for (const handle of ownValues(handler)) {
    for (const value of ownValues(handle)) if (typeof value === 'number') return value;
  }
  throw new Error(`${MODULE_PATH} is not what it was in opusscript 0.1`);
}

/** Those that cannot be enumerated as well. */
function ownValues(object: unknown): unknown[] {
  if (typeof object !== 'object' || object === null) return [];
  return Object.getOwnPropertyNames(object).map((name) => (object as Record<string, unknown>)[name]);
}

let current: OpusRuntime | null = null;

/** The instance that new codecs live in: made at first use, and again when one broke. */
export function opusRuntime(): OpusRuntime {
  if (current === null || current.broken) current = new OpusRuntime(loadModule());
  return current;
}

function loadModule(): OpusModule {
  const factory = createRequire(import.meta.url)(MODULE_PATH) as () => OpusModule;
  const module = factory();
  if (typeof module.OpusScriptHandler !== 'function' || !(module.HEAP16 instanceof Int16Array)) {
    throw new Error(`${MODULE_PATH} is not what it was in opusscript 0.1`);
  }
  return module;
}
