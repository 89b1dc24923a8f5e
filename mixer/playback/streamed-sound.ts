import type { SoundFile, SoundReader } from './sound-file.ts';
import type { Sound } from './sounds.ts';

const PIECE_MS = 500;
/** So much is read ahead, for a disk that is busy. */
const PIECES = 4;

/** A long sound, of which only the next two seconds are in memory. */
export class StreamedSound implements Sound {
  failed: string | null = null;
  readonly sampleRateHz: number;
  private readonly reader: SoundReader;
  private readonly samples: number;
  private readonly pieceSamples: number;
  private readonly ring: Int16Array;
  /** Where the ring began. */
  private readonly start: number;
  /** Where the next sample is taken. */
  private next: number;
  private reading = false;
  /** Nothing more is read. */
  private closed = false;

  /** Settled when the first piece is there. */
  static async open(reader: SoundReader, file: SoundFile): Promise<StreamedSound> {
    const sound = new StreamedSound(reader, file);
    await sound.readPiece();
    if (sound.failed !== null) throw new Error(sound.failed);
    sound.readAhead();
    return sound;
  }

  private constructor(reader: SoundReader, { sampleRateHz, samples }: SoundFile) {
    this.reader = reader;
    this.start = reader.position;
    this.next = reader.position;
    this.samples = samples;
    this.sampleRateHz = sampleRateHz;
    this.pieceSamples = (sampleRateHz * PIECE_MS) / 1000;
    this.ring = new Int16Array(PIECES * this.pieceSamples);
  }

  get position(): number {
    return this.next;
  }

  get ended(): boolean {
    return this.next === this.samples;
  }

  take(out: Int16Array, offset: number, samples: number): number {
    const { ring } = this;
    const count = Math.min(samples, this.reader.position - this.next);
    const from = this.next - this.start;
    for (let index = 0; index < count; index++) out[offset + index] = ring[(from + index) % ring.length]!;
    this.next += count;
    this.readAhead();
    return count;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (!this.reading) void this.reader.close();
  }

  /** Begins to read the next piece as soon as there is room for it. Nothing is waited for. */
  private readAhead(): void {
    const { position } = this.reader;
    if (this.reading || this.closed || position === this.samples) return;
    if (position - this.next > this.ring.length - this.pieceSamples) return;
    void this.readPiece().then(() => this.readAhead());
  }

  /** All pieces but the last are of one length, so none goes over the ring's end. Never rejects. */
  private async readPiece(): Promise<void> {
    this.reading = true;
    try {
      const into = (this.reader.position - this.start) % this.ring.length;
      await this.reader.read(this.ring, into, this.pieceSamples);
    } catch (error) {
      this.failed = error instanceof Error ? error.message : String(error);
      this.closed = true;
    }
    this.reading = false;
    if (this.closed) await this.reader.close();
  }
}
