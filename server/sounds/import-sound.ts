import { type FfmpegResult, runFfmpeg } from '../recordings/finishing/ffmpeg.ts';

/** What is played is PCM, mono, at the highest rate that any phone hears. */
const RATE_HZ = 48_000;
/** Longer ones are cut: four hours take 1.4 GB. */
export const LONGEST_SOUND_MS = 4 * 3_600_000;
/** No file may keep a core busy for longer. */
const TIMEOUT_MS = 600_000;
/**
 * Containers of sound. What leads to other files or addresses (play lists, `concat`), draws pictures or sounds by itself, or
 * is not needed, is not read, whatever the file says of itself.
 */
const CONTAINERS = 'wav,w64,aiff,au,mp3,aac,ogg,flac,mov,matroska,webm,amr';

export interface SoundImport {
  ffmpegPath: string;
  sourcePath: string;
  targetPath: string;
  signal: AbortSignal;
}

/** Makes a WAV file that can be played of the first sound in a file of a known kind; never rejects. */
export function importSound({ ffmpegPath, sourcePath, targetPath, signal }: SoundImport): Promise<FfmpegResult> {
  return runFfmpeg({
    ffmpegPath,
    inputs: [{ source: sourcePath, options: ['-format_whitelist', CONTAINERS] }],
    options: [
      ...['-map', '0:a:0', '-vn', '-sn', '-dn', '-ac', '1', '-ar', String(RATE_HZ)],
      ...['-c:a', 'pcm_s16le', '-t', String(LONGEST_SOUND_MS / 1000), '-bitexact', '-f', 'wav'],
    ],
    target: targetPath,
    durationMs: LONGEST_SOUND_MS,
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    onProgress: () => {},
  });
}

/** Length of what `importSound` made of so many octets; without more than the shortest header there are. */
export function importedDurationMs(bytes: number): number {
  return Math.max(0, Math.round((bytes - 44) / ((RATE_HZ / 1000) * 2)));
}
