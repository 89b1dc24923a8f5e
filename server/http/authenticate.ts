import type { Request, RequestHandler } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { Log } from '../log.ts';
import type { DownloadLinks } from '../recordings/keeping/download-links.ts';
import type { Access } from './access.ts';
import type { AccessTokens } from './access-tokens.ts';
import { HttpProblem } from './problems.ts';

/** So many requests of one address in so long a time. */
export interface RateLimit {
  limit: number;
  windowMs: number;
}

/** One client: an IPv4 address, or an IPv6 network, since one host has as many addresses there as it likes. */
const clientOf = (request: Request) => ipKeyGenerator(request.ip ?? '');

const secondsUntil = (time: Date | undefined, otherwiseMs: number) =>
  String(Math.max(1, Math.ceil((time ? time.getTime() - Date.now() : otherwiseMs) / 1000)));

/** Lets no address ask for more than its share. */
export function limitRequests({ limit, windowMs }: RateLimit): RequestHandler {
  return rateLimit({
    limit,
    windowMs,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: clientOf,
    validate: false,
    handler: (_request, _response, next) => next(new HttpProblem('too-many-requests')),
  });
}

/**
 * Asks for the bearer token (RFC 6750 §2.1), and notes in `request.access` what it allows. An address that sent too many
 * wrong ones is not listened to for a while, not even with the right one: otherwise it could go on guessing.
 */
export function authenticate(tokens: AccessTokens, { limit, windowMs }: RateLimit, log: Log): RequestHandler {
  const tooMany = (until: Date | undefined) =>
    new HttpProblem('too-many-failures', { headers: { 'Retry-After': secondsUntil(until, windowMs) } });
  const countFailure = rateLimit({
    limit,
    windowMs,
    standardHeaders: false,
    legacyHeaders: false,
    keyGenerator: clientOf,
    validate: false,
    handler: (_request, _response, next) => next(tooMany(undefined)),
  });

  return async (request, response, next) => {
    // A link stands for a token.
    if (request.access !== undefined) return next();
    const given = bearerToken(request.headers.authorization);
    if (given === null) throw unauthorized('authentication-required', 'Bearer realm="parley"');
    const failures = await countFailure.getKey(clientOf(request));
    if (failures && failures.totalHits >= limit) throw tooMany(failures.resetTime);
    const access = tokens.check(given);
    if (access !== null) {
      request.access = access;
      next();
      return;
    }
    log.warn({ remoteAddress: request.ip }, 'HTTP authentication failed');
    await countFailure(request, response, (problem?: unknown) =>
      next(problem ?? unauthorized('authentication-failed', 'Bearer realm="parley", error="invalid_token"')),
    );
  };
}

/** Who has a link: there is nothing else for them than what it leads to. */
const BY_LINK: Access = { scope: 'reader', room: null, tokenId: 'link', valid: () => true };

/** Lets those in who come by a link to a file, with `expires` and `signature`. Throws `link-invalid`. */
export function takeLinks(links: DownloadLinks): RequestHandler {
  return (request, _response, next) => {
    const { format, normalized, expires, signature } = request.query;
    if (expires === undefined && signature === undefined) return next();
    const file = {
      recording: String(request.params['recording']),
      format: String(format),
      normalized: normalized === 'true',
    };
    const proof = { expires: Number(expires), signature: String(signature) };
    if (!links.verify(file, proof)) throw new HttpProblem('link-invalid');
    request.access = BY_LINK;
    next();
  };
}

function bearerToken(header: string | undefined): string | null {
  return /^bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null;
}

const unauthorized = (code: 'authentication-required' | 'authentication-failed', challenge: string) =>
  new HttpProblem(code, { headers: { 'WWW-Authenticate': challenge } });
