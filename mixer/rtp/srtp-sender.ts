import type { SrtpSuite } from '../protocol.ts';
import { readUint16, readUint32 } from './rtp-packet.ts';
import { RTP_SEQUENCE_OFFSET, RTP_SSRC_OFFSET, rtpHeaderLength } from './srtp-layout.ts';
import { createTransform, type SrtpTransform } from './srtp-transform.ts';

/** As many packets as a master key may secure (RFC 3711 §9.2): then nothing more goes out. */
const MAX_ROC = 0xffffffff;
const MAX_RTCP_INDEX = 0x7fffffff;

/** A stream and that of its retransmissions, and as many after changes. What is more is a mistake, and not sent. */
const MAX_SOURCES = 8;

interface Source {
  readonly ssrc: number;
  /** Of the packet that is furthest on. */
  roc: number;
  sequenceNumber: number;
}

/** Secures what one side sends under one master key, its RTP and its RTCP (RFC 3711 §3.3). */
export class SrtpSender {
  readonly #transform: SrtpTransform;
  /** Each with an index of its own, which with its SSRC makes a key stream of its own (§4.1.1). */
  readonly #sources: Source[] = [];
  #rtcpIndex = 0;

  constructor(suite: SrtpSuite, masterKeyAndSalt: string) {
    this.#transform = createTransform(suite, masterKeyAndSalt);
  }

  /**
   * Turns the RTP packet in the first `length` octets into SRTP, and returns the new length; there must be 16 octets more.
   *
   * A packet may be sent again, also after others (RFC 4585 generic NACK), but only octet for octet as it was: its key stream
   * is the same. Returns 0, and nothing may be sent, when the key is used up or there are too many sources.
   */
  protectRtp(packet: Uint8Array, length: number): number {
    const sequenceNumber = readUint16(packet, RTP_SEQUENCE_OFFSET);
    const source = this.#source(readUint32(packet, RTP_SSRC_OFFSET), sequenceNumber);
    if (source === null) return 0;
    const ahead = (sequenceNumber - source.sequenceNumber) & 0xffff;
    const isFurther = ahead < 0x8000;
    const wraps = isFurther ? sequenceNumber < source.sequenceNumber : sequenceNumber > source.sequenceNumber;
    const roc = source.roc + (wraps ? (isFurther ? 1 : -1) : 0);
    if (roc < 0 || roc > MAX_ROC) return 0;
    if (isFurther) {
      source.roc = roc;
      source.sequenceNumber = sequenceNumber;
    }
    return this.#transform.sealRtp(packet, rtpHeaderLength(packet, length), length, roc);
  }

  /** A new one begins with this packet; null: there are too many. */
  #source(ssrc: number, sequenceNumber: number): Source | null {
    const sources = this.#sources;
    for (let index = 0; index < sources.length; index++) if (sources[index]!.ssrc === ssrc) return sources[index]!;
    if (sources.length === MAX_SOURCES) return null;
    const source = { ssrc, roc: 0, sequenceNumber };
    sources.push(source);
    return source;
  }

  /** The same for a compound RTCP packet, with room for 20 octets more. */
  protectRtcp(packet: Uint8Array, length: number): number {
    if (this.#rtcpIndex === MAX_RTCP_INDEX) return 0;
    this.#rtcpIndex++;
    return this.#transform.sealRtcp(packet, length, this.#rtcpIndex);
  }
}
