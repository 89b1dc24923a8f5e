import { createDecipheriv } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import {
  CIPHER,
  checkedKey,
  FILE_HEADER_BYTES,
  FIXED_RECORD_BYTES,
  MAGIC,
  parseRecordHead,
  RECORD_EXTRA_BYTES,
  RECORD_HEAD_BYTES,
  recordNonce,
  TAG_BYTES,
} from './sealed-format.ts';

/**
 * - `not-sealed`: no sealed file, or not even its first octets are there;
 * - `wrong-key`: its first record was not sealed with this key (or was changed);
 * - `damaged`: a later record is not as it was written;
 * - `cut`: its end is missing.
 */
export type SealedErrorCode = 'not-sealed' | 'wrong-key' | 'damaged' | 'cut';

export class SealedError extends Error {
  readonly code: SealedErrorCode;

  constructor(code: SealedErrorCode, path: string) {
    super(`${path} cannot be unsealed: ${code}`);
    this.code = code;
  }
}

export interface ReadSealedOptions {
  /** Of the plain octets, both included, as for `createReadStream`; default: all. */
  start?: number;
  end?: number;
  /** For what a crash may have cut off: reads as far as there are whole records. Default: that is an error. */
  unfinished?: boolean;
}

function isNothing(octets: Uint8Array): boolean {
  return octets.every((octet) => octet === 0);
}

/** A record's place in the file. */
interface Place {
  number: number;
  offset: number;
  /** Of its first plain octet. */
  plainStart: number;
}

const FIRST: Place = { number: 0, offset: FILE_HEADER_BYTES, plainStart: 0 };

/** The plain octets, in pieces of at most 64 KiB. Rejects with a `SealedError`, or when the file cannot be read. */
export async function* readSealed(
  path: string,
  key: Uint8Array,
  options: ReadSealedOptions = {},
): AsyncGenerator<Buffer, void, void> {
  const { start = 0, end = Number.POSITIVE_INFINITY, unfinished = false } = options;
  const file = await open(path, 'r');
  try {
    const reader = new SealedReader(file, path, checkedKey(key));
    if (!(await reader.open(unfinished))) return;
    let place = await reader.find(start);
    for (;;) {
      const record = await reader.read(place);
      if (typeof record === 'string') {
        if (unfinished && record !== 'wrong-key') return;
        throw new SealedError(record, path);
      }
      const { plain, last } = record;
      const wanted = plain.subarray(Math.max(0, start - place.plainStart), end - place.plainStart + 1);
      if (wanted.length > 0) yield wanted;
      const plainStart = place.plainStart + plain.length;
      if (last || plainStart > end) return;
      place = { number: place.number + 1, offset: place.offset + plain.length + RECORD_EXTRA_BYTES, plainStart };
    }
  } finally {
    await file.close();
  }
}

/** How many plain octets there are in whole records; needs no key, and looks at none of them. */
export async function sealedPlainSize(path: string): Promise<number> {
  const file = await open(path, 'r');
  try {
    const reader = new SealedReader(file, path, null);
    await reader.open();
    return (await reader.find(Number.POSITIVE_INFINITY)).plainStart;
  } finally {
    await file.close();
  }
}

class SealedReader {
  private readonly file: FileHandle;
  private readonly path: string;
  private readonly key: Uint8Array | null;
  private fileNonce: Uint8Array = Buffer.alloc(0);
  private size = 0;

  constructor(file: FileHandle, path: string, key: Uint8Array | null) {
    this.file = file;
    this.path = path;
    this.key = key;
  }

  /** `unfinished`: gives false where a crash came before even the header was on the disk. */
  async open(unfinished = false): Promise<boolean> {
    this.size = (await this.file.stat()).size;
    const header = (await this.octets(0, Math.min(this.size, FILE_HEADER_BYTES))) ?? Buffer.alloc(0);
    const isWhole = header.length === FILE_HEADER_BYTES;
    const magic = header.subarray(0, MAGIC.length);
    if (unfinished && (isNothing(header) || (!isWhole && MAGIC.subarray(0, magic.length).equals(magic)))) return false;
    if (!isWhole || !magic.equals(MAGIC)) throw new SealedError('not-sealed', this.path);
    this.fileNonce = header.subarray(MAGIC.length);
    return true;
  }

  /** The record with this plain octet, or the first that is not whole, or what comes after the last. */
  async find(plainOffset: number): Promise<Place> {
    let place = FIRST;
    let head = await this.head(place);
    if (head?.plainLength === FIXED_RECORD_BYTES) {
      const records = Math.floor((this.size - FILE_HEADER_BYTES) / (FIXED_RECORD_BYTES + RECORD_EXTRA_BYTES));
      const number = Math.min(Math.floor(plainOffset / FIXED_RECORD_BYTES), Math.max(0, records - 1));
      const offset = FILE_HEADER_BYTES + number * (FIXED_RECORD_BYTES + RECORD_EXTRA_BYTES);
      place = { number, offset, plainStart: number * FIXED_RECORD_BYTES };
      head = await this.head(place);
    }
    for (; head !== null; head = await this.head(place)) {
      const plainEnd = place.plainStart + head.plainLength;
      const next = place.offset + head.plainLength + RECORD_EXTRA_BYTES;
      if (plainEnd > plainOffset || next > this.size) return place;
      if (head.last) return Number.isFinite(plainOffset) ? place : { ...place, plainStart: plainEnd };
      place = { number: place.number + 1, offset: next, plainStart: plainEnd };
    }
    return place;
  }

  async read(place: Place): Promise<{ plain: Buffer; last: boolean } | Exclude<SealedErrorCode, 'not-sealed'>> {
    const unauthentic = place.number === 0 ? 'wrong-key' : 'damaged';
    const head = await this.octets(place.offset, RECORD_HEAD_BYTES);
    if (head === null) return 'cut';
    const parsed = parseRecordHead(head);
    if (parsed === null) return unauthentic;
    const { plainLength, last } = parsed;
    const sealed = await this.octets(place.offset + RECORD_HEAD_BYTES, plainLength + TAG_BYTES);
    // A power cut may leave a file longer than what was written of it, with zeros for the rest.
    if (sealed === null || isNothing(sealed.subarray(plainLength))) return 'cut';
    const decipher = createDecipheriv(CIPHER, this.key!, recordNonce(this.fileNonce, place.number));
    decipher.setAAD(head);
    decipher.setAuthTag(sealed.subarray(plainLength));
    const plain = decipher.update(sealed.subarray(0, plainLength));
    try {
      decipher.final();
    } catch {
      return unauthentic;
    }
    return { plain, last };
  }

  private async head(place: Place): Promise<{ plainLength: number; last: boolean } | null> {
    const head = await this.octets(place.offset, RECORD_HEAD_BYTES);
    return head && parseRecordHead(head);
  }

  /** Null when they are not all there. */
  private async octets(offset: number, length: number): Promise<Buffer | null> {
    if (offset + length > this.size) return null;
    const octets = Buffer.allocUnsafe(length);
    let read = 0;
    while (read < length) {
      const { bytesRead } = await this.file.read(octets, read, length - read, offset + read);
      if (bytesRead === 0) return null;
      read += bytesRead;
    }
    return octets;
  }
}
