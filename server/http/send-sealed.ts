import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { readSealed } from '../../sealed/read-sealed.ts';
import type { SealedFile } from '../focus/control.ts';
import { HttpProblem } from './problems.ts';

/**
 * Sends what is in an encrypted file, or the part that `Range` asks for (RFC 9110 §14), as `sendFile` does with plain ones.
 * Of several ranges none is taken, so that all is sent. The ETag is there before. Throws `range-not-satisfiable`.
 */
export async function sendSealed(
  path: string,
  { key, bytes }: SealedFile,
  request: Request,
  response: Response,
): Promise<void> {
  response.set('Accept-Ranges', 'bytes');
  if (request.fresh) return void response.status(304).end();
  const { start, end } = rangeOf(request, response, bytes);
  response.set('Content-Length', String(end - start + 1));
  if (request.method === 'HEAD' || bytes === 0) return void response.end();
  const pieces = readSealed(path, key, { start, end });
  // What is wrong with the file shows here, while it can be said.
  const first = await pieces.next();
  const all = async function* () {
    if (!first.done) yield first.value;
    yield* pieces;
  };
  // Who went away needs no answer; who is still there learns by the broken connection that it is not whole.
  await pipeline(all, response).catch(() => response.destroy());
}

/** Both included. */
function rangeOf(request: Request, response: Response, bytes: number): { start: number; end: number } {
  const all = { start: 0, end: bytes - 1 };
  const condition = request.get('If-Range');
  if (condition !== undefined && condition !== response.get('ETag')) return all;
  const ranges = request.range(bytes, { combine: true });
  if (ranges === -1) {
    throw new HttpProblem('range-not-satisfiable', { headers: { 'Content-Range': `bytes */${bytes}` } });
  }
  if (ranges === undefined || ranges === -2 || ranges.type !== 'bytes' || ranges.length !== 1) return all;
  const [{ start, end }] = ranges as unknown as [{ start: number; end: number }];
  response.status(206).set('Content-Range', `bytes ${start}-${end}/${bytes}`);
  return { start, end };
}
