import type { RequestHandler } from 'express';

const METHODS = 'GET, POST, PUT, PATCH, DELETE';
const REQUEST_HEADERS = 'Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Range, X-Request-Id';
const ANSWER_HEADERS = [
  ...['Allow', 'Content-Disposition', 'Content-Range', 'Idempotency-Replayed', 'Link', 'Location'],
  ...['RateLimit', 'RateLimit-Policy', 'Retry-After', 'WWW-Authenticate', 'X-Request-Id'],
].join(', ');
const PREFLIGHT_SECONDS = '600';

/**
 * Lets pages of these origins use the API (Fetch §3.3): others, and all when the list is empty, get no such header and are
 * kept out by their browsers. Credentials that a browser adds by itself are never allowed: a page must know a token.
 */
export function allowOrigins(origins: readonly string[]): RequestHandler {
  const all = origins.includes('*');
  // A browser writes its origin in lower case.
  const known = new Set(origins.map((origin) => origin.toLowerCase()));
  return (request, response, next) => {
    const origin = request.get('Origin');
    if (origins.length > 0 && !all) response.vary('Origin');
    if (origin === undefined || !(all || known.has(origin))) {
      next();
      return;
    }
    response.setHeader('Access-Control-Allow-Origin', all ? '*' : origin);
    response.setHeader('Access-Control-Expose-Headers', ANSWER_HEADERS);
    if (request.method !== 'OPTIONS' || request.get('Access-Control-Request-Method') === undefined) {
      next();
      return;
    }
    response.setHeader('Access-Control-Allow-Methods', METHODS);
    response.setHeader('Access-Control-Allow-Headers', REQUEST_HEADERS);
    response.setHeader('Access-Control-Max-Age', PREFLIGHT_SECONDS);
    response.status(204).end();
  };
}
