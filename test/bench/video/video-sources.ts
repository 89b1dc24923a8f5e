import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NAL_TYPE_MASK, type NalBounds, nextNalUnit } from '../../../mixer/video/rtp/h264-nal.ts';
import { packetizeH264 } from '../../../mixer/video/rtp/h264-packetizer.ts';
import { MAX_VIDEO_PAYLOAD, PayloadList } from '../../../mixer/video/rtp/payload-list.ts';
import { CodedPicture } from '../../video/coded-picture/draw-code.ts';

/** What the senders of a bench send: made once by the `ffmpeg` command, as files that it can read as well. */

export const SOURCE = { width: 640, height: 360, fps: 25 } as const;
const BITRATE = '600k';
const AUD = 9;

export interface Source {
  /** H.264, a byte stream. */
  path: string;
  /** RTP payloads of each frame. */
  frames: readonly (readonly Uint8Array[])[];
}

/** Lively pictures, each other ones. */
export function makeSources(directory: string, count: number, seconds: number): Source[] {
  return Array.from({ length: count }, (_, index) => {
    const path = join(directory, `sender-${index}.h264`);
    const { width, height, fps } = SOURCE;
    const input = `testsrc2=size=${width}x${height}:rate=${fps},hue=h=${(index * 37) % 360},noise=alls=6:allf=t`;
    encode(['-f', 'lavfi', '-i', input], path, seconds);
    return { path, frames: framesOf(path) };
  });
}

/** A coded picture whose code is the number of the frame; see `readCodes`. */
export function makeCodedSource(directory: string, seconds: number): Source {
  const { width, height, fps } = SOURCE;
  const raw = join(directory, 'coded.yuv');
  const picture = new CodedPicture(0, width, height);
  const pictures: Uint8Array[] = [];
  for (let frame = 0; frame < seconds * fps; frame++) pictures.push(picture.draw(frame).data.slice());
  writeFileSync(raw, Buffer.concat(pictures));
  const path = join(directory, 'coded.h264');
  encode(
    ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', `${width}x${height}`, '-r', `${fps}`, '-i', raw],
    path,
    seconds,
  );
  return { path, frames: framesOf(path) };
}

function encode(input: readonly string[], path: string, seconds: number): void {
  const h264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-profile:v', 'baseline'];
  const rate = ['-b:v', BITRATE, '-maxrate', BITRATE, '-bufsize', BITRATE, '-g', '50', '-x264-params', 'aud=1'];
  const args = [
    '-y',
    '-loglevel',
    'error',
    ...input,
    '-t',
    `${seconds}`,
    '-pix_fmt',
    'yuv420p',
    ...h264,
    ...rate,
    path,
  ];
  execFileSync('ffmpeg', args, { stdio: ['ignore', 'inherit', 'inherit'] });
}

function framesOf(path: string): Uint8Array[][] {
  const stream = readFileSync(path);
  const starts: number[] = [];
  const bounds: NalBounds = { start: 0, end: 0 };
  for (let at = 0; nextNalUnit(stream, at, bounds); at = bounds.end) {
    if ((stream[bounds.start]! & NAL_TYPE_MASK) === AUD) starts.push(bounds.start - 4);
  }
  const list = new PayloadList();
  return starts.map((start, index) => {
    packetizeH264(stream.subarray(Math.max(0, start), starts[index + 1]), 1, MAX_VIDEO_PAYLOAD, list);
    return Array.from({ length: list.count }, (_, payload) =>
      list.bytes.slice(list.offset(payload), list.offset(payload) + list.length(payload)),
    );
  });
}
