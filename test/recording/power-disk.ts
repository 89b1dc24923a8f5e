import { basename } from 'node:path';
import type { DiskFile } from '../../mixer/recording/append-file.ts';

/** How a file ends after a power cut, behind what had been brought to the disk. */
export type Tail = 'nothing' | 'half of it' | 'zeros';

interface Brought {
  atMs: number;
  length: number;
}

class PowerFile implements DiskFile {
  octets: Buffer = Buffer.alloc(0);
  /** What was on the disk, from when on. */
  readonly brought: Brought[] = [];
  private readonly disk: PowerDisk;
  private readonly durable: boolean;

  constructor(disk: PowerDisk, durable: boolean) {
    this.disk = disk;
    this.durable = durable;
  }

  async write(bytes: Uint8Array, offset = 0, length = bytes.length): Promise<{ bytesWritten: number }> {
    this.octets = Buffer.concat([this.octets, bytes.subarray(offset, offset + length)]);
    if (this.durable) await this.bring();
    return { bytesWritten: length };
  }

  async appendFile(bytes: Uint8Array): Promise<void> {
    await this.write(bytes);
  }

  datasync(): Promise<void> {
    return this.bring();
  }

  /** Brings nothing to the disk. */
  async close(): Promise<void> {}

  /** What a power cut at `atMs` leaves; null: not even a name. */
  leftAt(atMs: number, tail: Tail): Buffer | null {
    const length = this.brought.findLast((brought) => brought.atMs <= atMs)?.length;
    if (length === undefined) return null;
    const whole = this.octets.subarray(0, length);
    const next = this.brought.find((brought) => brought.atMs > atMs)?.length ?? this.octets.length;
    if (tail === 'nothing') return whole;
    const half = length + Math.floor((next - length) / 2);
    return Buffer.concat([this.octets.subarray(0, half), Buffer.alloc(tail === 'zeros' ? next - half : 0)]);
  }

  private async bring(): Promise<void> {
    const { length } = this.octets;
    await this.disk.delay(this.disk.syncMs);
    this.brought.push({ atMs: this.disk.now(), length });
  }
}

/**
 * A disk in virtual time that keeps what power cuts would leave: what was written is on it only when a write that waits for
 * that, or a `datasync`, is over. A new file has its name from then on.
 */
export class PowerDisk {
  readonly files = new Map<string, PowerFile>();
  readonly now: () => number;
  /** Of bringing something to the disk. */
  readonly syncMs: number;
  private waiting: { atMs: number; resolve: () => void }[] = [];

  constructor(now: () => number, syncMs: number) {
    this.now = now;
    this.syncMs = syncMs;
  }

  readonly createFile = async (path: string, durable: boolean): Promise<PowerFile> => {
    const file = new PowerFile(this, durable);
    this.files.set(basename(path), file);
    return file;
  };

  readonly delay = (ms: number): Promise<void> => {
    return new Promise((resolve) => this.waiting.push({ atMs: this.now() + ms, resolve }));
  };

  /** Has what is due by now happen. */
  run(): void {
    const due = this.waiting.filter(({ atMs }) => atMs <= this.now());
    this.waiting = this.waiting.filter((one) => !due.includes(one));
    for (const { resolve } of due) resolve();
  }
}
