import { type CipherGCM, createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { readUint16, readUint32, writeUint32 } from './rtp-packet.ts';
import type { SrtpSessionKeys } from './srtp-key-derivation.ts';
import {
  E_FLAG,
  RTCP_CLEAR_LENGTH,
  RTCP_INDEX_LENGTH,
  RTCP_SSRC_OFFSET,
  RTP_SEQUENCE_OFFSET,
  RTP_SSRC_OFFSET,
} from './srtp-layout.ts';
import type { SrtpTransform } from './srtp-transform.ts';

const TAG_LENGTH = 16;
const OPTIONS = { authTagLength: TAG_LENGTH };

/** For all instances. */
const iv = new Uint8Array(12);

/**
 * AES in Galois/counter mode (RFC 7714).
 *
 * A cipher of node:crypto has to be made for each packet, since it cannot be given another initialisation vector: 3 µs. A
 * GHASH of our own over a kept ECB cipher would take half of that, but only with tables that are looked up by secrets.
 */
export class AesGcmTransform implements SrtpTransform {
  readonly rtpTagAfterMki = 0;
  readonly rtcpTagAfterMki = 0;
  readonly #rtp: AesGcm;
  readonly #rtcp: AesGcm;

  constructor(rtp: SrtpSessionKeys, rtcp: SrtpSessionKeys) {
    this.#rtp = new AesGcm(rtp.encryptionKey, rtp.salt);
    this.#rtcp = new AesGcm(rtcp.encryptionKey, rtcp.salt);
  }

  /** The header is associated data (RFC 7714 §8.2). */
  sealRtp(packet: Uint8Array, headerLength: number, length: number, roc: number): number {
    this.#fillRtpIv(packet, roc);
    const cipher = this.#rtp.cipher();
    cipher.setAAD(packet.subarray(0, headerLength));
    packet.set(cipher.update(packet.subarray(headerLength, length)), headerLength);
    return appendTag(packet, length, cipher);
  }

  openRtp(packet: Uint8Array, headerLength: number, length: number, roc: number): number {
    const end = length - TAG_LENGTH;
    if (end < headerLength) return -1;
    this.#fillRtpIv(packet, roc);
    const plain = this.#rtp.open(packet.subarray(0, headerLength), packet, headerLength, end, end);
    if (plain === null) return -1;
    packet.set(plain, headerLength);
    return end;
  }

  /** The E flag and the index are associated data besides the header (RFC 7714 §9.2). */
  sealRtcp(packet: Uint8Array, length: number, index: number): number {
    this.#fillRtcpIv(packet, index);
    const cipher = this.#rtcp.cipher();
    const associated = new Uint8Array(RTCP_CLEAR_LENGTH + RTCP_INDEX_LENGTH);
    associated.set(packet.subarray(0, RTCP_CLEAR_LENGTH));
    writeUint32(associated, RTCP_CLEAR_LENGTH, (E_FLAG | index) >>> 0);
    cipher.setAAD(associated);
    packet.set(cipher.update(packet.subarray(RTCP_CLEAR_LENGTH, length)), RTCP_CLEAR_LENGTH);
    const end = appendTag(packet, length, cipher);
    writeUint32(packet, end, (E_FLAG | index) >>> 0);
    return end + RTCP_INDEX_LENGTH;
  }

  openRtcp(packet: Uint8Array, length: number): number {
    const indexWord = this.rtcpIndexWord(packet, length);
    if (indexWord < 0) return -1;
    const end = length - RTCP_INDEX_LENGTH - TAG_LENGTH;
    // Without encryption the whole packet is associated data, and there is no ciphertext (RFC 7714 §9.3).
    const encrypted = indexWord >= E_FLAG;
    const clearLength = encrypted ? RTCP_CLEAR_LENGTH : end;
    const associated = new Uint8Array(clearLength + RTCP_INDEX_LENGTH);
    associated.set(packet.subarray(0, clearLength));
    writeUint32(associated, clearLength, indexWord);
    this.#fillRtcpIv(packet, encrypted ? indexWord - E_FLAG : indexWord);
    const plain = this.#rtcp.open(associated, packet, clearLength, end, end);
    if (plain === null) return -1;
    packet.set(plain, clearLength);
    return end;
  }

  rtcpIndexWord(packet: Uint8Array, length: number): number {
    const tooShort = length < RTCP_CLEAR_LENGTH + TAG_LENGTH + RTCP_INDEX_LENGTH;
    return tooShort ? -1 : readUint32(packet, length - RTCP_INDEX_LENGTH);
  }

  #fillRtpIv(packet: Uint8Array, roc: number): void {
    this.#rtp.fillIv(readUint32(packet, RTP_SSRC_OFFSET), roc, readUint16(packet, RTP_SEQUENCE_OFFSET));
  }

  #fillRtcpIv(packet: Uint8Array, index: number): void {
    this.#rtcp.fillIv(readUint32(packet, RTCP_SSRC_OFFSET), index >>> 16, index & 0xffff);
  }
}

class AesGcm {
  readonly #algorithm: 'aes-128-gcm' | 'aes-256-gcm';
  readonly #key: KeyObject;
  readonly #salt: Uint8Array;

  constructor(key: Uint8Array, salt: Uint8Array) {
    this.#algorithm = key.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm';
    this.#key = createSecretKey(key);
    this.#salt = salt;
  }

  /** Under what `fillIv` made. */
  cipher(): CipherGCM {
    return createCipheriv(this.#algorithm, this.#key, iv, OPTIONS);
  }

  /** Null when the tag, which stands at `tagOffset`, is wrong. */
  open(associated: Uint8Array, packet: Uint8Array, start: number, end: number, tagOffset: number): Uint8Array | null {
    const decipher = createDecipheriv(this.#algorithm, this.#key, iv, OPTIONS);
    decipher.setAuthTag(packet.subarray(tagOffset, tagOffset + TAG_LENGTH));
    decipher.setAAD(associated);
    const plain = decipher.update(packet.subarray(start, end));
    try {
      decipher.final();
    } catch {
      return null;
    }
    return plain;
  }

  /**
   * (00 00 ‖ SSRC ‖ index) ⊕ salt, the index of 48 bits being `high` · 2^16 + `low` (RFC 7714 §8.1).
   *
   * SRTCP has its 31-bit index in the same place, with zeros before it (§9.1).
   */
  fillIv(ssrc: number, high: number, low: number): void {
    const salt = this.#salt;
    iv[0] = salt[0]!;
    iv[1] = salt[1]!;
    for (let index = 0; index < 4; index++) {
      const shift = 24 - 8 * index;
      iv[2 + index] = salt[2 + index]! ^ (ssrc >>> shift);
      iv[6 + index] = salt[6 + index]! ^ (high >>> shift);
    }
    iv[10] = salt[10]! ^ (low >>> 8);
    iv[11] = salt[11]! ^ low;
  }
}

function appendTag(packet: Uint8Array, length: number, cipher: CipherGCM): number {
  cipher.final();
  packet.set(cipher.getAuthTag(), length);
  return length + TAG_LENGTH;
}
