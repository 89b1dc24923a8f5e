import type { SrtpSuite } from '../protocol.ts';
import { readUint16, readUint32 } from './rtp-packet.ts';
import {
  E_FLAG,
  RTCP_SSRC_OFFSET,
  RTP_SEQUENCE_OFFSET,
  RTP_SSRC_OFFSET,
  rtpHeaderLength,
  SRTP_MAX_PACKET_LENGTH,
} from './srtp-layout.ts';
import { ReplayWindow } from './srtp-replay-window.ts';
import { createTransform, type SrtpTransform } from './srtp-transform.ts';

/** Sources with a state of their own. A phone may have a new one after each re-INVITE; the oldest makes room. */
const MAX_SOURCES = 32;

/** How far a rollover counter is looked for: 256 of them are four days at 50 packets a second. */
const ROC_SEARCH_END = 256;
/** Tries for each packet, besides 0. */
const ROC_SEARCH_STEP = 4;

/** What is known of one source of the other side. */
interface Source {
  ssrc: number;
  /** Rollover counter and sequence number that are highest together; -1 before the first RTP packet. */
  roc: number;
  sequenceNumber: number;
  readonly rtp: ReplayWindow;
  readonly rtcp: ReplayWindow;
}

/**
 * Checks and decrypts what the other side sends, RTP and RTCP, under one master key (RFC 3711 §3.3).
 *
 * The rollover counter is not in the packets. A source's begins with 0, but this process may be new and the call old: it
 * knows nothing of packets before. So as long as no packet was authentic, each is tried with 0 and a few more, other ones
 * for each packet; within the first second the right one is found, up to four days into a call. That makes a forgery
 * no likelier than five packets would, and costs five authentications for each packet that is not authentic.
 */
export class SrtpReceiver {
  /** Some RTP packet was authentic. */
  synchronised = false;
  readonly #transform: SrtpTransform;
  readonly #mki: Uint8Array;
  /** The oldest first. */
  readonly #sources: Source[] = [];
  #rocSearch = 1;

  /** @param mki octets of the master key identifier in hexadecimal; null when packets have none. */
  constructor(suite: SrtpSuite, masterKeyAndSalt: string, mki: string | null) {
    this.#transform = createTransform(suite, masterKeyAndSalt);
    this.#mki = Buffer.from(mki ?? '', 'hex');
  }

  /**
   * Turns the SRTP packet in the first `length` octets into RTP, and returns the new length; -1, with the packet as it was,
   * to drop it.
   */
  unprotectRtp(packet: Uint8Array, length: number): number {
    const headerLength = rtpHeaderLength(packet, length);
    if (headerLength < 0) return -1;
    const tagLength = this.#transform.rtpTagAfterMki;
    const withoutMki = this.#takeOutMki(packet, length, tagLength);
    if (withoutMki < 0) return -1;
    const plainLength = withoutMki < headerLength ? -1 : this.#openRtp(packet, headerLength, withoutMki);
    if (plainLength < 0) this.#putMkiBack(packet, length, tagLength);
    return plainLength;
  }

  /** The same for SRTCP. */
  unprotectRtcp(packet: Uint8Array, length: number): number {
    if (length > SRTP_MAX_PACKET_LENGTH) return -1;
    const tagLength = this.#transform.rtcpTagAfterMki;
    const withoutMki = this.#takeOutMki(packet, length, tagLength);
    if (withoutMki < 0) return -1;
    const plainLength = this.#openRtcp(packet, withoutMki);
    if (plainLength < 0) this.#putMkiBack(packet, length, tagLength);
    return plainLength;
  }

  #openRtp(packet: Uint8Array, headerLength: number, length: number): number {
    const source = this.#source(readUint32(packet, RTP_SSRC_OFFSET));
    if (source === null || source.sequenceNumber < 0) return this.#openFirst(packet, headerLength, length, source);
    const sequenceNumber = readUint16(packet, RTP_SEQUENCE_OFFSET);
    const roc = guessRoc(source, sequenceNumber);
    if (roc < 0 || source.rtp.isReplay(indexOf(roc, sequenceNumber))) return -1;
    const plainLength = this.#transform.openRtp(packet, headerLength, length, roc);
    if (plainLength >= 0) noteRtp(source, roc, sequenceNumber);
    return plainLength;
  }

  #openRtcp(packet: Uint8Array, length: number): number {
    const indexWord = this.#transform.rtcpIndexWord(packet, length);
    if (indexWord < 0) return -1;
    const index = indexWord >= E_FLAG ? indexWord - E_FLAG : indexWord;
    const ssrc = readUint32(packet, RTCP_SSRC_OFFSET);
    const source = this.#source(ssrc);
    if (source?.rtcp.isReplay(index)) return -1;
    const plainLength = this.#transform.openRtcp(packet, length);
    if (plainLength < 0) return -1;
    (source ?? this.#addSource(ssrc)).rtcp.received(index);
    return plainLength;
  }

  /** The first RTP packet of a source. `known` is its state if its RTCP came before. */
  #openFirst(packet: Uint8Array, headerLength: number, length: number, known: Source | null): number {
    // A source may begin just before its sequence number wraps, and the packets before that be lost.
    const tries = this.synchronised ? 2 : 1 + ROC_SEARCH_STEP;
    for (let attempt = 0; attempt < tries; attempt++) {
      const roc = attempt === 0 || this.synchronised ? attempt : this.#rocSearch + attempt - 1;
      const plainLength = this.#transform.openRtp(packet, headerLength, length, roc);
      if (plainLength < 0) continue;
      this.synchronised = true;
      noteRtp(
        known ?? this.#addSource(readUint32(packet, RTP_SSRC_OFFSET)),
        roc,
        readUint16(packet, RTP_SEQUENCE_OFFSET),
      );
      return plainLength;
    }
    this.#rocSearch += ROC_SEARCH_STEP;
    if (this.#rocSearch > ROC_SEARCH_END) this.#rocSearch = 1;
    return -1;
  }

  #source(ssrc: number): Source | null {
    for (let index = this.#sources.length - 1; index >= 0; index--) {
      const source = this.#sources[index]!;
      if (source.ssrc === ssrc) return source;
    }
    return null;
  }

  #addSource(ssrc: number): Source {
    if (this.#sources.length === MAX_SOURCES) this.#sources.shift();
    const source = { ssrc, roc: 0, sequenceNumber: -1, rtp: new ReplayWindow(), rtcp: new ReplayWindow() };
    this.#sources.push(source);
    return source;
  }

  /** Checks and takes out the master key identifier, which stands before the tag; -1 when it is another. */
  #takeOutMki(packet: Uint8Array, length: number, tagLength: number): number {
    const mki = this.#mki;
    if (mki.length === 0) return length;
    const offset = length - tagLength - mki.length;
    if (offset < 0) return -1;
    for (let index = 0; index < mki.length; index++) {
      if (packet[offset + index] !== mki[index]) return -1;
    }
    packet.copyWithin(offset, offset + mki.length, length);
    return length - mki.length;
  }

  /** What is not authentic may be so by another key that has the same identifier. */
  #putMkiBack(packet: Uint8Array, length: number, tagLength: number): void {
    const mki = this.#mki;
    if (mki.length === 0) return;
    const offset = length - tagLength - mki.length;
    packet.copyWithin(offset + mki.length, offset, length - mki.length);
    packet.set(mki, offset);
  }
}

/** RFC 3711 §3.3.1, appendix A: the rollover counter that brings a packet nearest to the highest; -1 when there is none. */
function guessRoc(source: Source, sequenceNumber: number): number {
  const ahead = sequenceNumber - source.sequenceNumber;
  if (ahead > 0x8000) return source.roc - 1;
  if (ahead < -0x8000) return source.roc === 0xffffffff ? -1 : source.roc + 1;
  return source.roc;
}

function indexOf(roc: number, sequenceNumber: number): number {
  return roc * 0x10000 + sequenceNumber;
}

function noteRtp(source: Source, roc: number, sequenceNumber: number): void {
  source.rtp.received(indexOf(roc, sequenceNumber));
  if (source.sequenceNumber >= 0 && indexOf(roc, sequenceNumber) <= indexOf(source.roc, source.sequenceNumber)) return;
  source.roc = roc;
  source.sequenceNumber = sequenceNumber;
}
