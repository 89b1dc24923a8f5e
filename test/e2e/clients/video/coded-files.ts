import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { CodedPicture } from '../../../video/coded-picture/draw-code.ts';
import { writeWav } from '../wav-file.ts';
import { FPS, type VideoCodec } from './coded-source.ts';
import { type PatternVoice, patternOf } from './tone-stream.ts';

/** Coded pictures as files, for programs that take nothing else. */

const SECONDS = 12;

function write(path: string, picture: CodedPicture, pictures: number, codec: readonly string[]): void {
  const size = `${picture.width}x${picture.height}`;
  const input = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-s', size, '-r', String(FPS), '-i', '-'];
  const { status, stderr } = spawnSync('ffmpeg', ['-v', 'error', '-y', ...input, ...codec, path], {
    input: Buffer.concat(Array.from({ length: pictures }, (_, counter) => Uint8Array.from(picture.draw(counter).data))),
  });
  if (status !== 0) throw new Error(String(stderr));
}

const CODING: Record<VideoCodec, readonly string[]> = {
  H264: ['-c:v', 'libx264', '-profile:v', 'baseline', '-preset', 'ultrafast', '-g', String(FPS), '-b:v', '500k'],
  VP8: ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-g', String(FPS), '-b:v', '500k'],
};

/** An MP4 in which the counter runs. */
export function writeCodedMovie(path: string, sender: number): void {
  write(path, new CodedPicture(sender, 640, 360), SECONDS * FPS, CODING.H264);
}

/** A file with pictures in which the counter runs, and the pattern of a voice (8 kHz) in step with it. */
export function writeCodedClip(path: string, sender: number, voice: PatternVoice, codec: VideoCodec): void {
  const sound = `${path}.wav`;
  writeFileSync(sound, writeWav(patternOf(voice, SECONDS)));
  const coding = ['-i', sound, '-c:a', 'pcm_mulaw', ...CODING[codec]];
  write(path, new CodedPicture(sender, 640, 360), SECONDS * FPS, coding);
}

/** A JPEG of 4:3. */
export function writeCodedStill(path: string, sender: number): void {
  write(path, new CodedPicture(sender, 640, 480), 1, ['-q:v', '2']);
}
