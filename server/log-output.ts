import { write, writeSync } from 'node:fs';

/** Bytes that may wait for a reader who does not read, before lines are dropped: memory stays bounded. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** Until a pipe that is full is tried again. */
const RETRY_MS = 50;
/** At the end of the process, for a reader who is slow. */
const LAST_TRIES = 20;

const isFull = (error: unknown): boolean => ['EAGAIN', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '');

/**
 * Where log lines go. They are written in the background, so that a slow reader never holds up calls. When the reader is
 * gone, or the disk is full, lines are lost and nothing else happens: a server without a log goes on, and can be stopped.
 */
export class LogOutput {
  /** Lines that nobody will read. */
  dropped = 0;
  readonly #fd: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** Being written, and how much of it has been. */
  #current: Buffer | null = null;
  #written = 0;
  /** The background is at it. */
  #writing = false;
  #gone = false;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(line: string): void {
    if (this.#gone || this.#waitingBytes + line.length > MAX_WAITING_BYTES) {
      this.dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    if (this.#current === null && !this.#writing) this.#next();
  }

  /** Writes at once what still waits; for the end of the process, which takes a second longer at most. */
  flushSync(): void {
    if (this.#writing) {
      // What is being written in the background will be; once more would be twice. It has a moment to come first.
      this.#current = null;
      sleepSync(RETRY_MS);
    }
    for (let tries = 0; tries < LAST_TRIES && !this.#gone; ) {
      const rest = this.#current?.subarray(this.#written) ?? this.#take();
      if (rest === null) return;
      try {
        this.#wrote(writeSync(this.#fd, rest));
      } catch (error) {
        if (isFull(error)) sleepSync(RETRY_MS);
        else this.#gone = true;
        tries++;
      }
    }
  }

  #take(): Buffer | null {
    if (this.#waiting.length === 0) return null;
    this.#current = Buffer.from(this.#waiting.join(''));
    this.#written = 0;
    this.#waiting = [];
    this.#waitingBytes = 0;
    return this.#current;
  }

  #next(): void {
    const current = this.#current ?? this.#take();
    if (current === null || this.#gone) return;
    this.#writing = true;
    write(this.#fd, current, this.#written, current.length - this.#written, null, (error, bytes) => {
      this.#writing = false;
      if (error === null) this.#wrote(bytes);
      else if (!this.#failed(error)) return;
      this.#next();
    });
  }

  /** Whether the next lines may be written at once. */
  #failed(error: NodeJS.ErrnoException): boolean {
    if (isFull(error)) {
      setTimeout(() => this.#next(), RETRY_MS).unref();
      return false;
    }
    // A full disk may have room for the next lines; from a reader who is gone nothing comes again.
    this.#gone = error.code !== 'ENOSPC';
    this.#current = null;
    return true;
  }

  #wrote(bytes: number): void {
    if (this.#current === null) return;
    this.#written += bytes;
    if (this.#written >= this.#current.length) this.#current = null;
  }
}

function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
