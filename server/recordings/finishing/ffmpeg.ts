/** ffmpeg's processes: the one module that touches `fluent-ffmpeg`, whose upstream is archived. */
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import createCommand from 'fluent-ffmpeg';

/** Finishing can always wait; sound cannot. */
const NICENESS = 15;
const KEPT_OUTPUT_LINES = 40;
/** ffmpeg tells twice a second how far it is; what is silent for that long hangs. */
const STALL_MS = 120_000;

export interface FfmpegInput {
  /** Read through a pipe; a path: an own file, of which nothing leads to others. */
  source: Readable | string;
  options: readonly string[];
}

export interface FfmpegRun {
  ffmpegPath: string;
  inputs: readonly FfmpegInput[];
  /** Behind the inputs. */
  options: readonly string[];
  /** A stream: what ffmpeg writes to its standard output. It must not close itself (`emitClose: false`). */
  target: string | Writable;
  /** Of what comes out; what progress is measured by. */
  durationMs: number;
  /** Default: two minutes without a word. */
  stallMs?: number;
  signal: AbortSignal;
  /** Told the share that is done, 0–1, some times a second at most. */
  onProgress(share: number): void;
}

export type FfmpegResult =
  | { ok: true; stderr: string }
  /** `died`: ffmpeg was ended by somebody else, such as the kernel for want of memory; once more may help. */
  | { ok: false; reason: string; died: boolean };

/** Runs ffmpeg at low priority on one thread; never rejects. */
export async function runFfmpeg(run: FfmpegRun): Promise<FfmpegResult> {
  if (run.signal.aborted) return { ok: false, reason: 'it was cancelled', died: false };
  const { target, inputs } = run;
  const written = typeof target === 'string' ? null : finished(target);
  written?.catch(() => undefined); // told by the command
  try {
    const result = await spawn(run);
    if (result.ok) await written;
    return result;
  } finally {
    for (const { source } of inputs) if (typeof source !== 'string') source.destroy();
    if (typeof target !== 'string') target.destroy();
  }
}

function spawn(run: FfmpegRun): Promise<FfmpegResult> {
  const { signal, stallMs = STALL_MS } = run;
  return new Promise((resolve) => {
    const command = describe(run);
    let settled = false;
    const settle = (result: FfmpegResult) => {
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      resolve(result);
    };
    const giveUp = (reason: string) => {
      command.kill('SIGKILL');
      settle({ ok: false, reason, died: false });
    };
    const cancel = () => giveUp('it was cancelled');
    const timer = setTimeout(() => giveUp(`ffmpeg stood still for ${stallMs / 1_000} s`), stallMs);
    signal.addEventListener('abort', cancel);
    command
      .on('start', () => {
        // Cancelled while the library still asked ffmpeg what it can do, when there was no process to kill.
        if (settled) command.kill('SIGKILL');
      })
      .on('stderr', (line: string) => {
        timer.refresh();
        reportProgress(line, run);
      })
      .on('end', (_stdout, stderr) => settle(ended(stderr ?? '')))
      .on('error', (error, _stdout, stderr) => settle(failure(error, stderr ?? '')))
      .run();
  });
}

function describe({ ffmpegPath, inputs, options, target }: FfmpegRun) {
  const command = createCommand({ niceness: NICENESS, stdoutLines: KEPT_OUTPUT_LINES });
  command.setFfmpegPath(ffmpegPath);
  for (const { source, options: inputOptions } of inputs) {
    const protocols = typeof source === 'string' ? 'file' : 'pipe';
    // Each option by itself: in a list the library would take what is behind a space for an option of its own.
    command.input(source).inputOptions('-nostdin', '-threads', '1', '-protocol_whitelist', protocols, ...inputOptions);
  }
  return command.output(target).outputOptions('-threads', '1', '-map_metadata', '-1', ...options);
}

/** ffmpeg says `time=00:01:02.34` as it goes. */
function reportProgress(line: string, { durationMs, onProgress }: FfmpegRun): void {
  const time = /time=(\d+):(\d\d):(\d\d\.\d+)/.exec(line);
  if (time === null) return;
  const doneMs = 1_000 * (3_600 * Number(time[1]) + 60 * Number(time[2]) + Number(time[3]));
  onProgress(Math.min(1, doneMs / Math.max(1, durationMs)));
}

/** An end that could not be written is told, but is no failure to ffmpeg. */
function ended(stderr: string): FfmpegResult {
  if (/No space left on device/.test(stderr)) return { ok: false, reason: 'the disk is full', died: false };
  const words = /Error (writing trailer|closing file).*/.exec(stderr)?.[0];
  return words === undefined ? { ok: true, stderr } : { ok: false, reason: words, died: false };
}

/** ffmpeg's last words say what was wrong; the exit code alone does not. */
function failure(error: Error, stderr: string): FfmpegResult {
  const died = error.message.includes('was killed with signal');
  const written = ended(stderr);
  if (!written.ok) return written;
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^(size|frame)=/.test(line.trim()));
  const lastWords = lines.at(-1)?.trim() ?? '';
  const reason =
    lastWords === '' || error.message.includes(lastWords) ? error.message : `${error.message}: ${lastWords}`;
  return { ok: false, reason, died };
}
