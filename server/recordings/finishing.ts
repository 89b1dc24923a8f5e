/**
 * Captures become files for people here: the one module that touches `fluent-ffmpeg`, whose upstream is archived.
 */
import { unlink } from 'node:fs/promises';
import createCommand, { type FfmpegCommand } from 'fluent-ffmpeg';
import { ALL_FORMATS, FilePathSource, Input } from 'mediabunny';
import type { RecordingFormat } from '../focus/control.ts';

/** Finishing can always wait; sound cannot. */
const NICENESS = 15;
const KEPT_OUTPUT_LINES = 20;

export interface Conversion {
  ffmpegPath: string;
  sourcePath: string;
  /** Written over if it is there; removed again when the conversion fails. */
  targetPath: string;
  format: RecordingFormat;
  durationMs: number;
  timeoutMs: number;
  signal: AbortSignal;
  /** Told the share that is done, 0–1, some times a second at most. */
  onProgress(share: number): void;
}

export type ConversionResult = { ok: true } | { ok: false; reason: string };

/** Makes one finished file; never rejects. */
export async function convert(conversion: Conversion): Promise<ConversionResult> {
  if (conversion.signal.aborted) return { ok: false, reason: 'it was cancelled' };
  const result = await runFfmpeg(conversion);
  if (!result.ok) await unlink(conversion.targetPath).catch(() => undefined); // often it was not even made
  return result;
}

function runFfmpeg(conversion: Conversion): Promise<ConversionResult> {
  const { signal, timeoutMs } = conversion;
  return new Promise((resolve) => {
    const command = describe(conversion);
    let settled = false;
    const settle = (result: ConversionResult) => {
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      resolve(result);
    };
    const giveUp = (reason: string) => {
      command.kill('SIGKILL');
      settle({ ok: false, reason });
    };
    const cancel = () => giveUp('it was cancelled');
    const timer = setTimeout(() => giveUp(`ffmpeg was not done after ${timeoutMs / 1000} s`), timeoutMs);
    signal.addEventListener('abort', cancel);
    command
      .on('start', () => {
        // Cancelled while the library still asked ffmpeg what it can do, when there was no process to kill.
        if (settled) command.kill('SIGKILL');
      })
      .on('stderr', (line: string) => reportProgress(line, conversion))
      .on('end', () => settle({ ok: true }))
      .on('error', (error, _stdout, stderr) => settle({ ok: false, reason: failureReason(error, stderr ?? '') }))
      .run();
  });
}

function describe({ ffmpegPath, sourcePath, targetPath, format }: Conversion): FfmpegCommand {
  const command = createCommand({ niceness: NICENESS, stdoutLines: KEPT_OUTPUT_LINES });
  command.setFfmpegPath(ffmpegPath).input(sourcePath).inputFormat('matroska').noVideo().output(targetPath);
  switch (format) {
    case 'wav':
      // A WAV file ends at 4 GiB, 12 hours of this; RF64 (EBU Tech 3306) goes on.
      return command
        .audioCodec('pcm_s16le')
        .audioFrequency(48_000)
        .audioChannels(1)
        .format('wav')
        .outputOptions(['-rf64 auto']);
    case 'mp4':
      return command
        .audioCodec('aac')
        .audioBitrate('96k')
        .audioChannels(1)
        .format('mp4')
        .outputOptions(['-movflags +faststart']);
    case 'mka':
      // The capture was only ever appended to; a copy of its packets has a length and an index to seek by.
      return command.audioCodec('copy').format('matroska');
  }
}

/** ffmpeg says `time=00:01:02.34` as it goes. */
function reportProgress(line: string, { durationMs, onProgress }: Conversion): void {
  const time = /time=(\d+):(\d\d):(\d\d\.\d+)/.exec(line);
  if (time === null) return;
  const doneMs = 1000 * (3600 * Number(time[1]) + 60 * Number(time[2]) + Number(time[3]));
  onProgress(Math.min(1, doneMs / durationMs));
}

/** ffmpeg's last words say what was wrong; the exit code alone does not. */
function failureReason(error: Error, stderr: string): string {
  const lastLine = stderr.trimEnd().split('\n').at(-1)?.trim() ?? '';
  return lastLine === '' ? error.message : `${error.message}: ${lastLine}`;
}

/** Length of a finished file, milliseconds; rejects when it is not a media file. */
export async function finishedDurationMs(path: string): Promise<number> {
  const input = new Input({ formats: ALL_FORMATS, source: new FilePathSource(path) });
  try {
    return 1000 * (await input.computeDuration());
  } finally {
    input.dispose();
  }
}
