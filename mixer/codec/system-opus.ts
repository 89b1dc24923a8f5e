import type { OpusEncoders } from './opus-encoders.ts';

const MONO = 1;
const APPLICATION_VOIP = 2048;
/** RFC 6716 §3.2.5: 120 ms at 48 kHz. */
const MAX_SAMPLES = 5760;
/** Longer than any packet of one frame (RFC 6716 §3.4: 1275 octets). */
const MAX_PACKET_BYTES = 1500;

type Call = (...args: unknown[]) => number;

interface Calls {
  opus_encoder_get_size: Call;
  opus_encoder_init: Call;
  opus_encoder_ctl: Call;
  opus_encode: Call;
  addressOf: (memory: ArrayBuffer) => number;
}

interface State {
  /** Holds the OpusEncoder; libopus keeps it in one piece without pointers into itself, so that a copy is one too. */
  readonly memory: Uint8Array;
  readonly address: number;
}

/** The libopus that the system has, called directly. Encoders only. */
export class SystemOpus implements OpusEncoders<State> {
  readonly broken = false;
  private readonly calls: Calls;
  private readonly stateBytes: number;
  private readonly pcm = new Int16Array(MAX_SAMPLES);
  private readonly packet = new Uint8Array(MAX_PACKET_BYTES);
  private readonly pcmAddress: number;
  private readonly packetAddress: number;

  constructor(calls: Calls) {
    this.calls = calls;
    this.stateBytes = calls.opus_encoder_get_size(MONO);
    this.pcmAddress = calls.addressOf(this.pcm.buffer);
    this.packetAddress = calls.addressOf(this.packet.buffer);
  }

  open(sampleRateHz: number): State {
    const memory = new Uint8Array(this.stateBytes);
    const address = this.calls.addressOf(memory.buffer);
    const error = this.calls.opus_encoder_init(address, sampleRateHz, MONO, APPLICATION_VOIP);
    if (error < 0) throw new RangeError(`no Opus encoder for ${sampleRateHz} Hz (error ${error})`);
    return { memory, address };
  }

  /** Its memory goes with the last who knows it. */
  close(): void {}

  set({ address }: State, request: number, value: number): number {
    return this.calls.opus_encoder_ctl(address, request, 'int', value);
  }

  copy(from: State, to: State): void {
    to.memory.set(from.memory);
  }

  encode(
    { address }: State,
    pcm: Int16Array,
    offset: number,
    samples: number,
    out: Uint8Array,
    outOffset: number,
  ): number {
    const { calls, packet } = this;
    for (let i = 0; i < samples; i++) this.pcm[i] = pcm[offset + i]!;
    const length = calls.opus_encode(address, this.pcmAddress, samples, this.packetAddress, MAX_PACKET_BYTES);
    if (length < 0) throw new RangeError(`Opus cannot encode a frame of ${samples} samples (error ${length})`);
    for (let i = 0; i < length; i++) out[outOffset + i] = packet[i]!;
    return length;
  }
}

/** By the name that its interface has had since 1.0. */
const LIBRARY = process.platform === 'darwin' ? 'libopus.0.dylib' : 'libopus.so.0';

/** Null where the system has none, or the library that calls it is not there for it. */
export async function loadSystemOpus(): Promise<SystemOpus | null> {
  try {
    const { default: koffi } = await import('koffi');
    const library = koffi.load(LIBRARY);
    return new SystemOpus({
      opus_encoder_get_size: library.func('int opus_encoder_get_size(int)'),
      opus_encoder_init: library.func('int opus_encoder_init(uintptr_t, int32_t, int, int)'),
      opus_encoder_ctl: library.func('int opus_encoder_ctl(uintptr_t, int, ...)'),
      opus_encode: library.func('int32_t opus_encode(uintptr_t, uintptr_t, int, uintptr_t, int32_t)'),
      addressOf: (memory) => Number(koffi.address(memory)),
    });
  } catch {
    return null;
  }
}
