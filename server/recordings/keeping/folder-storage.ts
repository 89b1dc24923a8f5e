import { createReadStream } from 'node:fs';
import { mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { writeFileBy } from '../../write-file.ts';
import type { PutOptions, RecordingStorage } from './storage.ts';

/** Copies in a directory, such as a mounted share. */
export class FolderStorage implements RecordingStorage {
  readonly name: string;
  readonly #root: string;

  constructor(folder: string) {
    this.#root = resolve(folder);
    this.name = this.#root;
  }

  holds(location: string): boolean {
    const way = relative(this.#root, resolve(location));
    return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !/^[a-z0-9]+:\/\//.test(location);
  }

  async put(key: string, path: string, { signal }: PutOptions): Promise<string> {
    const target = join(this.#root, ...key.split('/'));
    await mkdir(dirname(target), { recursive: true, mode: 0o750 });
    try {
      await copyWhole(path, target, signal);
    } catch (error) {
      await this.#removeEmpty(dirname(target));
      throw error;
    }
    return target;
  }

  async get(location: string, path: string, signal: AbortSignal): Promise<void> {
    await copyWhole(this.#inside(location), path, signal);
  }

  /** With the directories that are empty then. */
  async remove(location: string): Promise<void> {
    const file = this.#inside(location);
    await rm(file, { force: true });
    await this.#removeEmpty(dirname(file));
  }

  close(): void {}

  /** It, and those it is in, as far as nothing else is in them. */
  async #removeEmpty(from: string): Promise<void> {
    for (let directory = from; directory !== this.#root; directory = dirname(directory)) {
      const removed = await rmdir(directory).then(
        () => true,
        () => false,
      );
      if (!removed) return;
    }
  }

  #inside(location: string): string {
    if (!this.holds(location)) throw new Error(`${location} is not in ${this.#root}`);
    return resolve(location);
  }
}

/** The name is given only to what is whole and on the disk. */
async function copyWhole(from: string, to: string, signal: AbortSignal): Promise<void> {
  const part = `${to}.part`;
  try {
    await writeFileBy(part, (file) => pipeline(createReadStream(from), file, { signal }));
    await rename(part, to);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}
