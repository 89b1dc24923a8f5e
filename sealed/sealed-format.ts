/**
 * A sealed file: AES-256-GCM in records, so that it can be appended to, and read from anywhere.
 *
 * Header: `PARLEY-SEALED1`, and 8 random octets, the file's nonce. Then records: 4 octets (network order: the highest bit
 * marks the last record, the rest is the plain length), the ciphertext, and a tag of 16 octets. A record's nonce is the
 * file's and its number, from 0 on, in 4 octets; the 4 octets in front of it are authenticated with it. So records can be
 * neither changed, swapped nor left out, and the last one shows that nothing is missing behind it.
 */

export const MAGIC = Buffer.from('PARLEY-SEALED1', 'latin1');
export const FILE_NONCE_BYTES = 8;
export const FILE_HEADER_BYTES = MAGIC.length + FILE_NONCE_BYTES;
export const RECORD_HEAD_BYTES = 4;
export const TAG_BYTES = 16;
export const RECORD_EXTRA_BYTES = RECORD_HEAD_BYTES + TAG_BYTES;
export const KEY_BYTES = 32;
export const CIPHER = 'aes-256-gcm';

/** Where all records but the last are of this length, the place of each is known. */
export const FIXED_RECORD_BYTES = 64 * 1024;
/** Records of another length are shorter, so that the first one tells what a file has. */
export const LONGEST_WRITTEN_RECORD_BYTES = FIXED_RECORD_BYTES - 1;

const LAST = 0x8000_0000;
const NONCE_BYTES = FILE_NONCE_BYTES + 4;

export function recordHead(plainLength: number, last: boolean): Buffer {
  const head = Buffer.allocUnsafe(RECORD_HEAD_BYTES);
  head.writeUInt32BE(last ? (plainLength | LAST) >>> 0 : plainLength);
  return head;
}

/** Null for what is no record's head. */
export function parseRecordHead(head: Buffer): { plainLength: number; last: boolean } | null {
  const word = head.readUInt32BE();
  const plainLength = word & ~LAST;
  return plainLength > FIXED_RECORD_BYTES ? null : { plainLength, last: word >= LAST };
}

export function recordNonce(fileNonce: Uint8Array, record: number): Buffer {
  const nonce = Buffer.allocUnsafe(NONCE_BYTES);
  nonce.set(fileNonce);
  nonce.writeUInt32BE(record, FILE_NONCE_BYTES);
  return nonce;
}

/** The key as the configuration has it; throws a RangeError for one of another length. */
export function checkedKey(key: Uint8Array): Uint8Array {
  if (key.length !== KEY_BYTES) throw new RangeError(`a key is ${KEY_BYTES} octets, not ${key.length}`);
  return key;
}
