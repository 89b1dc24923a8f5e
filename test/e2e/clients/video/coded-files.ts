import { spawnSync } from 'node:child_process';
import { CodedPicture } from '../../../video/coded-picture/draw-code.ts';
import { FPS } from './coded-source.ts';

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

/** An MP4 in which the counter runs. */
export function writeCodedMovie(path: string, sender: number): void {
  const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', String(FPS), '-b:v', '500k'];
  write(path, new CodedPicture(sender, 640, 360), SECONDS * FPS, x264);
}

/** A JPEG of 4:3. */
export function writeCodedStill(path: string, sender: number): void {
  write(path, new CodedPicture(sender, 640, 480), 1, ['-q:v', '2']);
}
