import { createRequire } from 'node:module';

/**
 * libopus 1.4 as WebAssembly, out of the package opusscript.
 *
 * Its low level is used directly, not the wrapper around it. The wrapper takes the addresses of its PCM buffers for
 * indices of 16-bit words, and so reads and writes at twice the address, outside of what it allocated; and it keeps views
 * that are detached once the memory grows: of 400 instances none can encode or decode any more. It also copies each frame
 * several times.
 */

/** The codec state that the package makes: an encoder and a decoder in one. Negative results are libopus's errors. */
export interface OpusHandler {
  /** `bytes` is the number of octet pairs to be joined to samples first: 0 for PCM that is in place already. */
  _encode(pcm: number, bytes: number, packet: number, samples: number): number;
  /** Writes each sample as two 16-bit words, its lower and its higher octet. An empty packet conceals 5760 samples. */
  _decode(packet: number, length: number, pcm: number): number;
  _encoder_ctl(request: number, value: number): number;
}

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
export class OpusRuntime {
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

  /** Always mono: libopus mixes stereo packets down, and only mono encoders fit the module's 64 KiB stack. */
  open(sampleRateHz: number): OpusHandler {
    return new this.module.OpusScriptHandler(sampleRateHz, MONO, APPLICATION_VOIP);
  }

  close(handler: OpusHandler): void {
    if (!this.broken) this.module.OpusScriptHandler.destroy_handler(handler);
  }

  /** Returns the number of samples written to `out`; 0 if the packet cannot be decoded. */
  decode(handler: OpusHandler, packet: Uint8Array, out: Int16Array, offset: number): number {
    if (packet.length > MAX_PACKET_BYTES) return 0;
    this.module.HEAPU8.set(packet, this.packetAddress);
    let samples: number;
    try {
      samples = handler._decode(this.packetAddress, packet.length, this.pcmAddress);
    } catch {
      this.broken = true;
      return 0;
    }
    const words = this.module.HEAP32;
    const first = this.pcmAddress >> 2;
    for (let i = 0; i < samples; i++) {
      const word = words[first + i]!;
      out[offset + i] = (word & 0xff) | ((word >> 16) << 8);
    }
    return Math.max(samples, 0);
  }

  /** Returns the packet's length; 0 if the module broke. Throws on a length of frame that Opus does not have. */
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

let current: OpusRuntime | null = null;

/** The instance that new codecs live in: made at first use, and again when one broke. */
export function opusRuntime(): OpusRuntime {
  if (current === null || current.broken) current = new OpusRuntime(loadModule());
  return current;
}

function loadModule(): OpusModule {
  const factory = createRequire(import.meta.url)(MODULE_PATH) as () => OpusModule;
  const module = factory();
  if (typeof module.OpusScriptHandler !== 'function' || !(module.HEAP32 instanceof Int32Array)) {
    throw new Error(`${MODULE_PATH} is not what it was in opusscript 0.1`);
  }
  return module;
}
