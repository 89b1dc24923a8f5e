import { writeFile } from 'node:fs/promises';
import { captions } from '../captions.ts';
import { type FfmpegInput, runFfmpeg } from './ffmpeg.ts';
import { containerOptions, type MovieFormat, type SoundFormat } from './formats.ts';
import { JOINED_OPTIONS } from './joined.ts';
import { timelinePath, workingPath } from './participant-tracks.ts';
import { makeSound, tags } from './sound.ts';
import { videoFiles } from './source.ts';
import { timelineLines } from './timeline-lines.ts';
import { type VideoIndex, videoIndex } from './video-index.ts';
import { wholeVideo } from './video-stream.ts';
import { stepOf, type Work, type WorkResult } from './work.ts';

/** What the sound is made as before it is put beside the picture, and what ffmpeg reads that by. */
const SOUND_OF: Record<MovieFormat, { format: SoundFormat; demuxer: string }> = {
  mp4: { format: 'm4a', demuxer: 'mov' },
  webm: { format: 'webm', demuxer: 'matroska' },
  mkv: { format: 'mka', demuxer: 'matroska' },
};
/** Of the work that a picture is; the rest is the sound. */
const COPY_SHARE = 0.5;
const ENCODE_SHARE = 0.9;
/** Frames are where they were to the millisecond, in whatever rhythm they came. */
const EXACT_TIMES: readonly string[] = ['-enc_time_base', '1:1000'];
const VP8_BITS_PER_PIXEL = 2;

/** The room's mix with its picture; where there is none, sound alone. */
export async function makeMovie(work: Work, format: MovieFormat, normalized: boolean): Promise<WorkResult> {
  const { source, open } = work;
  const index = await videoIndex(await videoFiles(source), open, source.durationMs);
  if (index === null) return makeSound(work, format, normalized);
  const copied = index.uniform && format !== 'webm';
  const share = copied ? COPY_SHARE : ENCODE_SHARE;
  const sound = await soundFile(work, format, normalized, 1 - share);
  if (!sound.ok) return sound;
  const text = format === 'webm' ? null : await captionsFile(work);
  const codec = copied ? ['-c:v', 'copy'] : encoding(index, format);
  const texts = format === 'mp4' ? 'mov_text' : 'srt';
  const video = { source: wholeVideo(index, open, source.durationMs, copied), options: JOINED_OPTIONS };
  return runFfmpeg({
    ...stepOf({ ...work, onProgress: (done) => work.onProgress(1 - share + share * done) }, 0, 1),
    inputs: [video, sound.input, ...(text === null ? [] : [text])],
    options: [
      ...['-map', '0:v:0', '-map', '1:a:0', ...(text === null ? [] : ['-map', '2:s:0', '-c:s', texts])],
      ...[...codec, '-c:a', 'copy', ...tags(work), ...containerOptions(format)],
    ],
    target: work.targetPath,
  });
}

type SoundFile = { ok: true; input: FfmpegInput } | Exclude<WorkResult, { ok: true }>;

async function soundFile(work: Work, format: MovieFormat, normalized: boolean, share: number): Promise<SoundFile> {
  const { format: soundFormat, demuxer } = SOUND_OF[format];
  const path = workingPath(work.targetPath, 'sound');
  await writeFile(path, '', { mode: 0o600 });
  const onProgress = (done: number) => work.onProgress(done * share);
  const made = await makeSound({ ...work, targetPath: path, onProgress }, soundFormat, normalized);
  return made.ok ? { ok: true, input: { source: path, options: ['-f', demuxer] } } : made;
}

/** Null when there are none, such as when nobody said anything. */
async function captionsFile(work: Work): Promise<FfmpegInput | null> {
  const text = await captions(timelineLines(timelinePath(work), work.open), work.source.durationMs);
  if (!text.includes('-->')) return null;
  const path = workingPath(work.targetPath, 'captions');
  await writeFile(path, text, { mode: 0o600 });
  return { source: path, options: ['-f', 'webvtt'] };
}

function encoding({ header, uniform }: VideoIndex, format: MovieFormat): string[] {
  const { width, height } = header;
  const filters = uniform ? [] : ['-vf', fitted(width, height)];
  const bps = String(Math.round(width * height * VP8_BITS_PER_PIXEL));
  const codec =
    format === 'webm'
      ? ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '5', '-crf', '10', '-b:v', bps]
      : ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '22'];
  return [...filters, ...codec, ...EXACT_TIMES];
}

/** Of whatever size, as large as that, with bars where the shape is another. */
export function fitted(width: number, height: number): string {
  const scale = `scale=${width}:${height}:force_original_aspect_ratio=decrease`;
  return `${scale},pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2,setsar=1`;
}
