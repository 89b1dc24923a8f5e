import { element, matroskaFileHeader, unsigned } from '../recording/ebml.ts';
import { NAL_IDR_SLICE, NAL_PPS, NAL_SPS, NAL_TYPE_MASK, type NalBounds, nextNalUnit } from './rtp/h264-nal.ts';

/** A video track of H.264 in Matroska (RFC 9559 §5.1.4.1.28, codec mappings: V_MPEG4/ISO/AVC), appended to as it comes. */

const VIDEO = 0xe0;
const PIXEL_WIDTH = 0xb0;
const PIXEL_HEIGHT = 0xba;
/** Of what precedes each NAL unit in a block, in place of a start code (ISO/IEC 14496-15 §5.3.3). */
const LENGTH_OCTETS = 4;

const bounds: NalBounds = { start: 0, end: 0 };

/** @param keyFrame of the stream, a byte stream with its parameter sets; null when they are not there. */
export function videoHeader(
  keyFrame: Uint8Array,
  size: { width: number; height: number },
  title: string,
  startedAt: Date,
): Uint8Array | null {
  const codecPrivate = configurationRecord(keyFrame);
  if (codecPrivate === null) return null;
  const video = element(VIDEO, Buffer.concat([unsigned(PIXEL_WIDTH, size.width), unsigned(PIXEL_HEIGHT, size.height)]));
  return matroskaFileHeader(
    { type: 'video', codecId: 'V_MPEG4/ISO/AVC', codecPrivate, elements: [video] },
    title,
    startedAt,
  );
}

/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1). */
function configurationRecord(keyFrame: Uint8Array): Uint8Array | null {
  let sps: Uint8Array | null = null;
  let pps: Uint8Array | null = null;
  for (let at = 0; nextNalUnit(keyFrame, at, bounds); at = bounds.end) {
    const type = keyFrame[bounds.start]! & NAL_TYPE_MASK;
    if (type === NAL_SPS) sps ??= keyFrame.slice(bounds.start, bounds.end);
    if (type === NAL_PPS) pps ??= keyFrame.slice(bounds.start, bounds.end);
    if (type === NAL_IDR_SLICE) break;
  }
  if (sps === null || pps === null || sps.length < 4) return null;
  return Buffer.concat([
    Uint8Array.of(1, sps[1]!, sps[2]!, sps[3]!, 0xfc | (LENGTH_OCTETS - 1), 0xe1, sps.length >> 8, sps.length & 0xff),
    sps,
    Uint8Array.of(1, pps.length >> 8, pps.length & 0xff),
    pps,
  ]);
}

/** How long an access unit is as a block's content. */
export function blockLength(unit: Uint8Array): number {
  let length = 0;
  for (let at = 0; nextNalUnit(unit, at, bounds); at = bounds.end) length += LENGTH_OCTETS + bounds.end - bounds.start;
  return length;
}

/** Writes an access unit, a byte stream, as a block's content, and returns where it ends. */
export function writeBlockContent(unit: Uint8Array, out: Uint8Array, offset: number): number {
  let to = offset;
  for (let at = 0; nextNalUnit(unit, at, bounds); at = bounds.end) {
    const length = bounds.end - bounds.start;
    out[to] = length >>> 24;
    out[to + 1] = length >>> 16;
    out[to + 2] = length >>> 8;
    out[to + 3] = length;
    out.set(unit.subarray(bounds.start, bounds.end), to + LENGTH_OCTETS);
    to += LENGTH_OCTETS + length;
  }
  return to;
}

export const LONG_BLOCK_HEAD_BYTES = 9;

/** The octets in front of a frame; its size takes four octets, as frames are large. */
export function writeLongBlockHead(
  out: Uint8Array,
  offset: number,
  relativeMs: number,
  length: number,
  keyFrame: boolean,
): void {
  const size = length + 4;
  out[offset] = 0xa3;
  out[offset + 1] = 0x10 | (size >>> 24);
  out[offset + 2] = size >>> 16;
  out[offset + 3] = size >>> 8;
  out[offset + 4] = size;
  out[offset + 5] = 0x81; // the track's number
  out[offset + 6] = relativeMs >> 8;
  out[offset + 7] = relativeMs;
  out[offset + 8] = keyFrame ? 0x80 : 0;
}
