import type { Request, Response } from 'express';
import type { EventStreams } from '../events/event-streams.ts';
import type { Access } from './access.ts';
import type { EventStreamReply } from './operation.ts';
import { HttpProblem } from './problems.ts';

/** Answers with server-sent events for as long as the reader stays. */
export function sendEvents(
  streams: EventStreams,
  { room, breakouts, state }: EventStreamReply,
  access: Access,
  request: Request,
  response: Response,
): void {
  const reader = access.tokenId ?? 'administrator';
  // Gone while the request was carried out.
  if (response.destroyed) return;
  if (streams.fullFor(reader)) throw new HttpProblem('too-many-streams', { headers: { 'Retry-After': '10' } });
  response.setHeader('Content-Type', 'text/event-stream; charset=utf-8');
  // nginx would keep events back until it had a bufferful.
  response.setHeader('X-Accel-Buffering', 'no');
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  response.flushHeaders();
  const close = streams.open({
    sink: {
      write: (text) => void response.write(text),
      get waitingBytes() {
        return response.writableLength;
      },
      end: () => void response.end(),
      cut: () => void response.destroy(),
    },
    ...{ room, breakouts },
    lastEventId: request.get('Last-Event-ID') ?? null,
    state,
    allowed: () => access.valid(),
    reader,
  });
  response.once('close', close);
}
