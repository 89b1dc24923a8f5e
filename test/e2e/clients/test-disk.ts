import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const run = (program: string, ...args: string[]): void => void execFileSync(program, args, { stdio: 'pipe' });

/** Disks that are mounted now; none may outlive this process, and none may stay frozen. */
const mounted = new Set<TestDisk>();
const endAll = (): void => {
  for (const disk of [...mounted]) disk.end();
};
process.on('exit', endAll);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    endAll();
    process.kill(process.pid, signal);
  });
}

/** A disk of its own over an empty directory: small, or one that stalls. */
export class TestDisk {
  readonly directory: string;
  readonly #folder: string | null;
  #frozen = false;

  /** In memory, with so many octets. */
  static small(directory: string, kilobytes: number): TestDisk {
    run('mount', '-t', 'tmpfs', '-o', `size=${kilobytes}k,mode=750`, 'tmpfs', directory);
    return new TestDisk(directory, null);
  }

  /** One that `freeze` makes stall: ext4 in a file. */
  static stalling(directory: string): TestDisk {
    const folder = mkdtempSync(join(tmpdir(), 'parley-disk-'));
    const image = join(folder, 'image');
    writeFileSync(image, '');
    truncateSync(image, 32 << 20);
    run('mkfs.ext4', '-q', '-F', image);
    run('mount', '-o', 'loop', image, directory);
    return new TestDisk(directory, folder);
  }

  /** Whether this may be done here; says so where not. */
  static permitted(): boolean {
    const directory = mkdtempSync(join(tmpdir(), 'parley-mount-'));
    try {
      TestDisk.small(directory, 64).end();
      const disk = TestDisk.stalling(directory);
      disk.freeze();
      disk.end();
      return true;
    } catch (error) {
      console.warn(`SKIPPED, no file system can be mounted and frozen here: ${String(error).split('\n')[0]}`);
      return false;
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }

  private constructor(directory: string, folder: string | null) {
    this.directory = directory;
    this.#folder = folder;
    mounted.add(this);
  }

  /** Whoever writes to it waits. */
  freeze(): void {
    this.#frozen = true;
    run('fsfreeze', '-f', this.directory);
  }

  thaw(): void {
    if (!this.#frozen) return;
    run('fsfreeze', '-u', this.directory);
    this.#frozen = false;
  }

  end(): void {
    try {
      this.thaw();
    } finally {
      // Lazily: somebody may still have a file open.
      run('umount', '-l', this.directory);
      mounted.delete(this);
      if (this.#folder !== null) rmSync(this.#folder, { recursive: true, force: true });
    }
  }
}
