/**
 * libopus 1.6 as WebAssembly, out of the package libopus-wasm: for decoding, with FEC and concealment of any length, which
 * the other package, opusscript, has no calls for.
 *
 * Its low level is used directly, not the wrapper around it, which makes a new array for each frame. Decoders only: an
 * encoder of stereo overruns the module's stack without a trap, and then never comes back.
 */

/** The part of the Emscripten module that is used. Views change when memory grows, so they are read anew each time. */
interface LibopusModule {
  readonly HEAPU8: Uint8Array;
  readonly HEAP16: Int16Array;
  readonly HEAP32: Int32Array;
  _malloc(bytes: number): number;
  /** Returns the decoder's address; 0 and an error at `error` when there is no memory. */
  _oc_create_decoder(sampleRateHz: number, channels: number, error: number): number;
  _oc_destroy_decoder(decoder: number): void;
  /** Packet 0 of length 0: nothing was received. Returns the number of samples, or libopus's negative error. */
  _oc_decode(decoder: number, packet: number, length: number, pcm: number, samples: number, fec: 0 | 1): number;
}

const MONO = 1;
/** RFC 6716 §3.2.5: 120 ms at 48 kHz. */
const MAX_SAMPLES = 5760;
/** No UDP datagram is longer. */
const MAX_PACKET_BYTES = 65535;

/** One instance of the module, with one scratch buffer each way, for its calls never overlap. */
export class OpusDecoderRuntime {
  /** Set when a call ended in a trap: nothing in this instance can be trusted any more. */
  broken = false;
  private readonly module: LibopusModule;
  private readonly pcmAddress: number;
  private readonly packetAddress: number;
  private view: Int16Array = new Int16Array(0);

  constructor(module: LibopusModule) {
    this.module = module;
    this.pcmAddress = module._malloc(MAX_SAMPLES * 2);
    this.packetAddress = module._malloc(MAX_PACKET_BYTES);
  }

  /** Returns a decoder's address. Always mono: libopus mixes stereo packets down. */
  open(sampleRateHz: number): number {
    const decoder = this.module._oc_create_decoder(sampleRateHz, MONO, this.pcmAddress);
    if (decoder === 0) throw new Error(`no Opus decoder (error ${this.module.HEAP32[this.pcmAddress >> 2]})`);
    return decoder;
  }

  close(decoder: number): void {
    if (!this.broken) this.module._oc_destroy_decoder(decoder);
  }

  /** Returns the number of samples written to `out`; 0 if the packet cannot be decoded. */
  decode(decoder: number, packet: Uint8Array, out: Int16Array, offset: number): number {
    if (packet.length > MAX_PACKET_BYTES) return 0;
    this.module.HEAPU8.set(packet, this.packetAddress);
    return this.run(decoder, this.packetAddress, packet.length, MAX_SAMPLES, 0, out, offset);
  }

  /**
   * Makes up `samples` samples (a multiple of 2.5 ms, at most 120 ms) of a packet that is missing: from the copy in
   * `following`, the packet right after it, where that has one, else from what was before.
   */
  conceal(decoder: number, following: Uint8Array | null, samples: number, out: Int16Array, offset: number): number {
    if (following === null || following.length === 0 || following.length > MAX_PACKET_BYTES) {
      return this.run(decoder, 0, 0, samples, 0, out, offset);
    }
    this.module.HEAPU8.set(following, this.packetAddress);
    return this.run(decoder, this.packetAddress, following.length, samples, 1, out, offset);
  }

  private run(
    decoder: number,
    packet: number,
    length: number,
    most: number,
    fec: 0 | 1,
    out: Int16Array,
    offset: number,
  ): number {
    let samples: number;
    try {
      samples = this.module._oc_decode(decoder, packet, length, this.pcmAddress, most, fec);
    } catch {
      this.lose();
      return 0;
    }
    if (samples <= 0 || samples > out.length - offset) return 0;
    out.set(this.decoded(samples), offset);
    return samples;
  }

  /** What the last call made: mostly as long as before, so that the same view does. */
  private decoded(samples: number): Int16Array {
    const heap = this.module.HEAP16;
    if (this.view.length !== samples || this.view.buffer !== heap.buffer) {
      const first = this.pcmAddress >> 1;
      this.view = heap.subarray(first, first + samples);
    }
    return this.view;
  }

  /** Gives this instance up and has another one made, which takes some milliseconds. */
  lose(): void {
    if (this.broken) return;
    this.broken = true;
    void load().then((runtime) => {
      current = runtime;
    });
  }
}

async function load(): Promise<OpusDecoderRuntime> {
  // The package exports only its wrapper; the module beside it is the same in each installation of this version.
  const url = new URL('./generated/libopus.generated.mjs', import.meta.resolve('libopus-wasm'));
  const { default: create } = (await import(url.href)) as { default: () => Promise<LibopusModule> };
  const module = await create();
  if (typeof module._oc_decode !== 'function' || !(module.HEAP16 instanceof Int16Array)) {
    throw new Error('libopus-wasm is not what it was in version 0.2');
  }
  return new OpusDecoderRuntime(module);
}

let current = await load();

/** The instance that new decoders live in. While one that broke is being replaced, it is still that one. */
export function opusDecoderRuntime(): OpusDecoderRuntime {
  return current;
}
