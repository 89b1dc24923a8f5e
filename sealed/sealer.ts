import { createCipheriv, randomBytes } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import {
  CIPHER,
  checkedKey,
  FILE_NONCE_BYTES,
  FIXED_RECORD_BYTES,
  LONGEST_WRITTEN_RECORD_BYTES,
  MAGIC,
  recordHead,
  recordNonce,
} from './sealed-format.ts';

/**
 * - `as written`: each `seal` makes records of its own, so that what was written so far can be read whenever it ends;
 * - `fixed`: for a file that is made once, of which parts are read.
 */
export type Records = 'as written' | 'fixed';

/** Makes the octets of one sealed file (see sealed-format.ts), to be written in this order. */
export class Sealer {
  private readonly key: Uint8Array;
  private readonly records: Records;
  /** Empty until the first octets are made: no time is spent on it before. */
  private fileNonce: Uint8Array = new Uint8Array(0);
  private count = 0;
  private ended = false;
  /** With `fixed`: what does not fill a record yet. */
  private rest: Buffer = Buffer.alloc(0);

  /** @param key 32 octets; a RangeError for any other length */
  constructor(key: Uint8Array, records: Records) {
    this.key = checkedKey(key);
    this.records = records;
  }

  /** What is to be appended for `plain`; may be empty with `fixed`. Nothing of `plain` is kept that is not copied. */
  seal(plain: Uint8Array): Buffer {
    const out = this.begin();
    if (this.records === 'as written') {
      for (let from = 0; from < plain.length; from += LONGEST_WRITTEN_RECORD_BYTES) {
        this.record(out, plain.subarray(from, from + LONGEST_WRITTEN_RECORD_BYTES), false);
      }
      return Buffer.concat(out);
    }
    let waiting = Buffer.concat([this.rest, plain]);
    // One is held back, as the last is marked.
    for (; waiting.length > FIXED_RECORD_BYTES; waiting = waiting.subarray(FIXED_RECORD_BYTES)) {
      this.record(out, waiting.subarray(0, FIXED_RECORD_BYTES), false);
    }
    this.rest = waiting;
    return Buffer.concat(out);
  }

  /** The end of the file, which says that it is one. */
  finish(): Buffer {
    const out = this.begin();
    this.record(out, this.rest, true);
    this.ended = true;
    return Buffer.concat(out);
  }

  private begin(): Uint8Array[] {
    if (this.ended) throw new Error('the sealed file has ended');
    if (this.fileNonce.length > 0) return [];
    this.fileNonce = randomBytes(FILE_NONCE_BYTES);
    return [MAGIC, this.fileNonce];
  }

  private record(out: Uint8Array[], plain: Uint8Array, last: boolean): void {
    const head = recordHead(plain.length, last);
    const cipher = createCipheriv(CIPHER, this.key, recordNonce(this.fileNonce, this.count++));
    cipher.setAAD(head);
    out.push(head, cipher.update(plain), cipher.final(), cipher.getAuthTag());
  }
}

/** Seals what flows through it, as a file of which parts can be read. */
export function sealStream(key: Uint8Array): Transform {
  const sealer = new Sealer(key, 'fixed');
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      done(null, sealer.seal(chunk));
    },
    flush(done: TransformCallback) {
      done(null, sealer.finish());
    },
  });
}
