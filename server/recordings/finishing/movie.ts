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
/** Shares of the work. */
const SOUND_BESIDE_COPY = 0.5;
const SOUND_BESIDE_ENCODER = 0.1;
/** Frames are where they were to the millisecond, in whatever rhythm they came. */
const EXACT_TIMES: readonly string[] = ['-enc_time_base', '1:1000'];
const VP8_BITS_PER_PIXEL = 2;
const MATROSKA: readonly string[] = ['-f', 'matroska'];

type Made<T> = ({ ok: true } & T) | Exclude<WorkResult, { ok: true }>;

/** How a picture gets into the file. */
interface PictureInput {
  input: FfmpegInput;
  codec: readonly string[];
}

/** The room's mix with its picture; where there is none, sound alone. */
export async function makeMovie(work: Work, format: MovieFormat, normalized: boolean): Promise<WorkResult> {
  const { source, open } = work;
  const index = await videoIndex(await videoFiles(source), open, source.durationMs);
  if (index === null) return makeSound(work, format, normalized);
  const copied = index.uniform && format !== 'webm';
  const soundShare = copied ? SOUND_BESIDE_COPY : SOUND_BESIDE_ENCODER;
  const sound = await soundFile(part(work, 0, soundShare), format, normalized);
  if (!sound.ok) return sound;
  const text = format === 'webm' ? null : await captionsFile(work);
  const rest = part(work, soundShare, 1);
  const picture = await pictureInput(rest, index, format, copied);
  if (!picture.ok) return picture;
  const texts = format === 'mp4' ? 'mov_text' : 'srt';
  return runFfmpeg({
    ...stepOf(rest, 0, 1),
    inputs: [picture.input, sound.input, ...(text === null ? [] : [text])],
    options: [
      ...['-map', '0:v:0', '-map', '1:a:0', ...(text === null ? [] : ['-map', '2:s:0', '-c:s', texts])],
      ...[...picture.codec, '-c:a', 'copy', ...tags(work), ...containerOptions(format)],
    ],
    target: work.targetPath,
  });
}

/** What is done from one share of the work to another. */
function part(work: Work, from: number, to: number): Work {
  return { ...work, onProgress: (done) => work.onProgress(from + (to - from) * done) };
}

async function pictureInput(
  work: Work,
  index: VideoIndex,
  format: MovieFormat,
  copied: boolean,
): Promise<Made<PictureInput>> {
  const { source, open, targetPath } = work;
  const input = { source: wholeVideo(index, open, source.durationMs, copied), options: JOINED_OPTIONS };
  if (copied) return { ok: true, input, codec: ['-c:v', 'copy'] };
  if (format !== 'mp4') return { ok: true, input, codec: encoding(index, format) };
  // Into MP4, some versions of ffmpeg encode at an even pace only: of milliseconds, that would be.
  const path = workingPath(targetPath, 'picture');
  await writeFile(path, '', { mode: 0o600 });
  const encoded = await runFfmpeg({
    ...stepOf(work, 0, 1),
    inputs: [input],
    options: ['-map', '0:v:0', ...encoding(index, format), ...MATROSKA],
    target: path,
  });
  return encoded.ok ? { ok: true, input: { source: path, options: MATROSKA }, codec: ['-c:v', 'copy'] } : encoded;
}

async function soundFile(work: Work, format: MovieFormat, normalized: boolean): Promise<Made<{ input: FfmpegInput }>> {
  const { format: soundFormat, demuxer } = SOUND_OF[format];
  const path = workingPath(work.targetPath, 'sound');
  await writeFile(path, '', { mode: 0o600 });
  const made = await makeSound({ ...work, targetPath: path }, soundFormat, normalized);
  return made.ok ? { ok: true, input: { source: path, options: ['-f', demuxer] } } : made;
}

/** Null when there are none, such as when nobody said anything. */
async function captionsFile(work: Work): Promise<FfmpegInput | null> {
  const tagged = await captions(timelineLines(timelinePath(work), work.open), work.source.durationMs);
  if (!tagged.includes('-->')) return null;
  // Of who speaks, tags say no more than the text does; and ffmpeg takes a `<` in it for a tag, however it is written.
  const text = tagged
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '‹')
    .replace(/&gt;/g, '›');
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
      : ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '22', '-bf', '0'];
  return [...filters, ...codec, ...EXACT_TIMES];
}

/** Of whatever size, as large as that, with bars where the shape is another. */
export function fitted(width: number, height: number): string {
  const scale = `scale=${width}:${height}:force_original_aspect_ratio=decrease`;
  return `${scale},pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2,setsar=1`;
}
