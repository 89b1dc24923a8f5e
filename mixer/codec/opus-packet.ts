/** Reads what an Opus packet says of itself in its first octets (RFC 6716 §3), without decoding it. */

/** RFC 6716 §3.2.5: a packet holds no more sound than this. */
const MAX_PACKET_MS = 120;

/** Frame durations by the two lowest bits of the TOC's configuration (RFC 6716 §3.1, table 2). */
const SILK_FRAME_MS = [10, 20, 40, 60];
const CELT_FRAME_MS = [2.5, 5, 10, 20];

/** Length of one frame of the packet that begins with this TOC octet, milliseconds. */
function frameMs(toc: number): number {
  const configuration = toc >> 3;
  if (configuration < 12) return SILK_FRAME_MS[configuration & 3]!;
  if (configuration < 16) return configuration & 1 ? 20 : 10;
  return CELT_FRAME_MS[configuration & 3]!;
}

/** Number of frames (RFC 6716 §3.2); 0 if the packet does not say. */
function frameCount(packet: Uint8Array): number {
  switch (packet[0]! & 3) {
    case 0:
      return 1;
    case 1:
    case 2:
      return 2;
    default:
      return packet.length < 2 ? 0 : packet[1]! & 0x3f;
  }
}

/** Number of samples that a packet decodes to at this rate; 0 if it is empty or breaks the rules on length. */
export function opusPacketSamples(packet: Uint8Array, sampleRateHz: number): number {
  if (packet.length === 0) return 0;
  const durationMs = frameMs(packet[0]!) * frameCount(packet);
  return durationMs > MAX_PACKET_MS ? 0 : (durationMs * sampleRateHz) / 1000;
}

/**
 * Whether the packet says that it holds no voice: by its SILK layer's voice activity flags, or by holding nothing at all.
 *
 * The SILK layer begins with one flag for each of its frames of at most 20 ms, for the middle channel first, each coded as
 * a bit of even odds: so they are the highest bits of the first octet of each Opus frame (RFC 6716 §4.2.3). False for what
 * has no such layer (CELT), or whose frames are not found at once (code 2 and 3 packets).
 */
export function opusPacketSaysSilence(packet: Uint8Array): boolean {
  // DTX: a frame that was not sent (RFC 6716 §3.2.1 and §2.1.9).
  if (packet.length <= 2) return true;
  const toc = packet[0]!;
  if (toc >> 3 >= 16) return false;
  const silkFrames = Math.ceil(frameMs(toc) / 20);
  switch (toc & 3) {
    case 0:
      return firstBitsAreClear(packet[1]!, silkFrames);
    case 1:
      return (
        firstBitsAreClear(packet[1]!, silkFrames) &&
        firstBitsAreClear(packet[1 + ((packet.length - 1) >> 1)]!, silkFrames)
      );
    default:
      return false;
  }
}

/**
 * Whether the packet holds a coarse copy of the sound right before it (RFC 6716 §2.1.7).
 *
 * The flag follows the voice activity flags of the SILK layer (§4.2.4). False for packets of many frames (code 3), which
 * nobody makes for calls.
 */
export function opusPacketHasFec(packet: Uint8Array): boolean {
  const toc = packet[0]!;
  const code = toc & 3;
  if (packet.length <= 2 || toc >> 3 >= 16 || code === 3) return false;
  // A code 2 packet says the length of its first frame first, in one or two octets (§3.2.1).
  let firstFrame = 1;
  if (code === 2) firstFrame = packet[1]! < 252 ? 2 : 3;
  const silkFrames = Math.ceil(frameMs(toc) / 20);
  return firstFrame < packet.length && ((packet[firstFrame]! >> (7 - silkFrames)) & 1) === 1;
}

function firstBitsAreClear(octet: number, bits: number): boolean {
  return octet >> (8 - bits) === 0;
}
