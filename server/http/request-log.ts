import { randomUUID } from 'node:crypto';
import type { RequestHandler } from 'express';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';

declare module 'express-serve-static-core' {
  interface Request {
    /** Stands in `X-Request-Id`, in problem documents and in the log. */
    id: string;
  }
}

/** What a proxy in front may have named the request. */
const acceptableId = /^[\w.:-]{1,64}$/;

/** Names each request, and writes one line at its end: changes and faults at `info` and `error`, the rest at `debug`. */
export function logRequests(log: Log, metrics: Metrics): RequestHandler {
  return (request, response, next) => {
    const begun = performance.now();
    const given = request.get('X-Request-Id');
    request.id = given !== undefined && acceptableId.test(given) ? given : randomUUID();
    response.setHeader('X-Request-Id', request.id);
    // Routers change `path` on the way, and the query may hold what is nobody's business.
    const { method, path } = request;
    response.once('close', () => {
      const { writableFinished: finished } = response;
      // Who went away before there was an answer got no status.
      const status = response.headersSent ? response.statusCode : null;
      if (status !== null) metrics.countHttpRequest(method, status);
      const level = (status ?? 0) >= 500 ? 'error' : method === 'GET' || method === 'HEAD' ? 'debug' : 'info';
      // The id of the token, which is no secret.
      const by = request.access && (request.access.tokenId ?? 'administrator');
      const durationMs = Math.round(performance.now() - begun);
      log[level](
        { requestId: request.id, remoteAddress: request.ip, by, method, path, status, durationMs, finished },
        'HTTP request',
      );
    });
    next();
  };
}
