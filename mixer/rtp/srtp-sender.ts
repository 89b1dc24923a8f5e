import type { SrtpSuite } from '../protocol.ts';
import { readUint16, readUint32 } from './rtp-packet.ts';
import { RTP_SEQUENCE_OFFSET, RTP_SSRC_OFFSET, rtpHeaderLength } from './srtp-layout.ts';
import { createTransform, type SrtpTransform } from './srtp-transform.ts';

/** As many packets as a master key may secure (RFC 3711 §9.2): then nothing more goes out. */
const MAX_ROC = 0xffffffff;
const MAX_RTCP_INDEX = 0x7fffffff;

/** Secures what one source sends, its RTP and its RTCP (RFC 3711 §3.3). */
export class SrtpSender {
  readonly #transform: SrtpTransform;
  #ssrc = -1;
  #roc = 0;
  #sequenceNumber = -1;
  #rtcpIndex = 0;

  constructor(suite: SrtpSuite, masterKeyAndSalt: string) {
    this.#transform = createTransform(suite, masterKeyAndSalt);
  }

  /**
   * Turns the RTP packet in the first `length` octets into SRTP, and returns the new length; there must be 16 octets more.
   *
   * Sequence numbers must go up. Throws when the source changes: with the same key, its index would begin anew.
   * Returns 0 when the key is used up.
   */
  protectRtp(packet: Uint8Array, length: number): number {
    const ssrc = readUint32(packet, RTP_SSRC_OFFSET);
    if (this.#ssrc === -1) this.#ssrc = ssrc;
    else if (this.#ssrc !== ssrc) throw new Error('an SRTP sender has one source');
    const sequenceNumber = readUint16(packet, RTP_SEQUENCE_OFFSET);
    if (sequenceNumber <= this.#sequenceNumber) {
      if (this.#roc === MAX_ROC) return 0;
      this.#roc++;
    }
    this.#sequenceNumber = sequenceNumber;
    return this.#transform.sealRtp(packet, rtpHeaderLength(packet, length), length, this.#roc);
  }

  /** The same for a compound RTCP packet, with room for 20 octets more. */
  protectRtcp(packet: Uint8Array, length: number): number {
    if (this.#rtcpIndex === MAX_RTCP_INDEX) return 0;
    this.#rtcpIndex++;
    return this.#transform.sealRtcp(packet, length, this.#rtcpIndex);
  }
}
