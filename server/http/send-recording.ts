import type { Request, Response } from 'express';
import { SealedError } from '../../sealed/read-sealed.ts';
import type { RecordingFile } from '../focus/control.ts';
import { HttpProblem } from './problems.ts';
import { sendSealed } from './send-sealed.ts';

/** A reader who takes nothing for so long is given up. */
const STALLED_AFTER_MS = 60_000;

/** Sends the file, or the part that `Range` asks for (RFC 9110 §14). */
export function sendRecording(file: RecordingFile, request: Request, response: Response): void {
  response.attachment(file.fileName);
  response.type(file.contentType);
  // A part of it has the checksum of the whole (RFC 9530 §3). By it, a copy that was fetched back is the same file.
  response.set('Repr-Digest', `sha-256=:${Buffer.from(file.sha256, 'hex').toString('base64')}:`);
  response.set('ETag', `"${file.sha256.slice(0, 32)}"`);
  response.setTimeout(STALLED_AFTER_MS, () => response.destroy());
  if (file.sealed)
    return void sendSealed(file.path, file.sealed, request, response).catch((error) =>
      request.next?.(problemOf(error)),
    );
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
  if (error instanceof SealedError) return new HttpProblem('recording-unavailable', { detail: error.code });
  if (error.code === 'ENOENT') return new HttpProblem('recording-not-found', { detail: 'the file is gone' });
  return error;
}
