import { basename } from 'node:path';
import type { DiskFile } from '../../mixer/recording/append-file.ts';
import { type MatroskaFile, readMatroska } from './matroska-blocks.ts';

/** A disk whose behaviour a test decides. */
export class MemoryDisk {
  readonly files = new Map<string, Buffer[]>();
  readonly closed: string[] = [];
  /** Octets in one write each. */
  readonly writes: number[] = [];
  /** Why no file can be made, or nothing be written, as an error code. */
  refusesFiles: string | null = null;
  refusesWrites: string | null = null;
  private stalled: Promise<void> | null = null;
  private goOn: () => void = () => undefined;

  readonly createFile = async (path: string): Promise<DiskFile> => {
    await this.stalled;
    if (this.refusesFiles !== null) throw Object.assign(new Error(this.refusesFiles), { code: this.refusesFiles });
    const name = basename(path);
    if (this.files.has(name)) throw Object.assign(new Error(`EEXIST: ${name}`), { code: 'EEXIST' });
    const pieces: Buffer[] = [];
    this.files.set(name, pieces);
    return {
      write: async (bytes, offset, length) => {
        const piece = Buffer.from(bytes.subarray(offset, offset + length));
        await this.stalled;
        const code = this.refusesWrites;
        if (code !== null) throw Object.assign(new Error(code), { code });
        this.writes.push(length);
        pieces.push(piece);
        return { bytesWritten: length };
      },
      datasync: async () => undefined,
      close: async () => void this.closed.push(name),
    };
  };

  /** Nothing is answered until `release`. */
  stall(): void {
    this.stalled = new Promise((resolve) => {
      this.goOn = resolve;
    });
  }

  release(): void {
    this.stalled = null;
    this.goOn();
  }

  octets(name: string): Buffer {
    return Buffer.concat(this.files.get(name) ?? []);
  }

  matroska(name: string): MatroskaFile {
    return readMatroska(this.octets(name));
  }
}

/** What is done between two ticks of a room. */
export async function rest(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
