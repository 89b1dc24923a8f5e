import type { Request, Response } from 'express';
import type { RecordingFile } from '../focus/control.ts';
import { HttpProblem } from './problems.ts';

/** A reader who takes nothing for so long is given up. */
const STALLED_AFTER_MS = 60_000;

/** Sends the file, or the part that `Range` asks for (RFC 9110 §14). */
export function sendRecording(file: RecordingFile, request: Request, response: Response): void {
  response.attachment(file.fileName);
  response.type(file.contentType);
  response.setTimeout(STALLED_AFTER_MS, () => response.destroy());
  // The data directory may lie in a directory whose name begins with a dot.
  response.sendFile(file.path, { dotfiles: 'allow', cacheControl: false }, (error) => {
    if (!error) return;
    // The reader went away, or the disk failed on the way: there is nobody, or nothing honest, to tell.
    if (response.headersSent || response.destroyed) response.destroy();
    else request.next?.(problemOf(error));
  });
}

function problemOf(error: Error & { status?: number; headers?: Record<string, string>; code?: string }): Error {
  if (error.status === 416) return new HttpProblem('range-not-satisfiable', { headers: error.headers ?? {} });
  if (error.code === 'ENOENT') return new HttpProblem('recording-not-found', { detail: 'the file is gone' });
  return error;
}
