import { setImmediate as afterMicrotasks } from 'node:timers/promises';
import { EncodedAudioPacketSource, EncodedPacket, MkvOutputFormat, Output, StreamTarget } from 'mediabunny';

const SAMPLES_PER_SECOND = 48_000;

/**
 * Blocks reach the file one by one, in clusters of unknown size (RFC 9559 §5.1.3), so the length of a cluster does not
 * decide what a crash costs; it decides how many cue points are held in memory until the end.
 */
const CLUSTER_SECONDS = 5;

/** RFC 6716 §3.1: mono CELT full-band frames whose first decoded bit says silence, longest first. */
const SILENT_PACKETS: readonly { samples48k: number; packet: Uint8Array }[] = [
  { samples48k: 960, packet: Uint8Array.of(0xf8, 0xff, 0xfe) },
  { samples48k: 480, packet: Uint8Array.of(0xf0, 0xff, 0xfe) },
  { samples48k: 240, packet: Uint8Array.of(0xe8, 0xff, 0xfe) },
  { samples48k: 120, packet: Uint8Array.of(0xe0, 0xff, 0xfe) },
];

/**
 * The identification header (RFC 7845 §5.1) of one mono channel at 48 kHz.
 *
 * Deviation: pre-skip is 0. The capture begins in the middle of an encoder's life, so there is nothing to skip, and the
 * encoder's few milliseconds of delay stay in, as every listener has them: so the file is as long as its time line.
 */
function opusHead(): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(19);
  head.set(new TextEncoder().encode('OpusHead'));
  const view = new DataView(head.buffer);
  view.setUint8(8, 1); // version
  view.setUint8(9, 1); // channels
  view.setUint32(12, SAMPLES_PER_SECOND, true);
  return head;
}

/**
 * Turns Opus packets into the bytes of an append-only Matroska file with one mono track; touches no file.
 *
 * `bytes` up to `length` are what has not been taken yet; the owner writes them and calls `taken`.
 */
export class MatroskaTrack {
  bytes = new Uint8Array(16 * 1024);
  length = 0;
  /** Where the time line stands, samples at 48 kHz. */
  samples48k = 0;
  /** Silence that was asked for in parts shorter than the shortest Opus frame. */
  #silenceDue = 0;
  readonly #source = new EncodedAudioPacketSource('opus');
  readonly #output: Output;

  constructor() {
    const stream = new WritableStream<{ data: Uint8Array }>({ write: ({ data }) => this.#collect(data) });
    this.#output = new Output({
      format: new MkvOutputFormat({ appendOnly: true, minimumClusterDuration: CLUSTER_SECONDS }),
      target: new StreamTarget(stream),
    });
  }

  async start(title: string, date: Date): Promise<void> {
    const decoderConfig = {
      codec: 'opus',
      numberOfChannels: 1,
      sampleRate: SAMPLES_PER_SECOND,
      description: opusHead(),
    };
    this.#output.addAudioTrack(this.#source, { decoderConfig });
    this.#output.setMetadataTags({ title, date });
    await this.#output.start();
    await afterMicrotasks();
  }

  /** `packet` may be used again as soon as the promise is settled. */
  async addPacket(packet: Uint8Array, samples48k: number): Promise<void> {
    const timestamp = this.samples48k / SAMPLES_PER_SECOND;
    this.samples48k += samples48k;
    await this.#source.add(new EncodedPacket(packet, 'key', timestamp, samples48k / SAMPLES_PER_SECOND));
  }

  /** Adds at most `maxPackets` of silence; returns what is left of `samples48k`, in samples. */
  async addSilence(samples48k: number, maxPackets: number): Promise<number> {
    let left = samples48k;
    for (let packets = 0; packets < maxPackets && left > 0; ) {
      const due = this.#silenceDue + left;
      const silent = SILENT_PACKETS.find((candidate) => candidate.samples48k <= due);
      if (silent === undefined) {
        this.#silenceDue = due;
        return 0;
      }
      await this.addPacket(silent.packet, silent.samples48k);
      left = due - silent.samples48k;
      this.#silenceDue = 0;
      packets++;
    }
    return left;
  }

  /** Waits until all that was added is in `bytes`: the library hands its bytes on within microtasks. */
  async settle(): Promise<void> {
    await afterMicrotasks();
  }

  /** Writes the cues. Nothing may be added afterwards. */
  async finish(): Promise<void> {
    await this.#output.finalize();
    await afterMicrotasks();
  }

  taken(): void {
    this.length = 0;
  }

  #collect(data: Uint8Array): void {
    const needed = this.length + data.length;
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(data, this.length);
    this.length = needed;
  }
}
