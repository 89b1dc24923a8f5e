import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import type { EventStreams } from '../events/event-streams.ts';
import { type Access, checkAccess } from './access.ts';
import { BASE_PATH } from './base-path.ts';
import { type Idempotency, idempotencyKey } from './idempotency.ts';
import type { Controls, Operation, Reply } from './operation.ts';
import { HttpProblem, type ProblemPlace } from './problems.ts';
import { sendEvents } from './send-events.ts';
import { sendRecording } from './send-recording.ts';

export const BODY_LIMIT_BYTES = 65_536;

const noQuery = z.strictObject({});
const readJson = express.json({ limit: BODY_LIMIT_BYTES, inflate: false });

/** What operations work with. */
export interface OperationSurroundings {
  controls: Controls;
  streams: EventStreams;
  idempotency: Idempotency;
}

/** Routes every operation; other methods on the same paths get 405. */
export function mountOperations(operations: readonly Operation[], surroundings: OperationSurroundings): Router {
  const router = Router({ caseSensitive: true });
  for (const operation of operations) {
    const steps: RequestHandler[] = operation.body ? [requireJson, readJson] : [];
    const access = requireAccess(operation, surroundings.controls);
    router[operation.method](expressPath(operation.path), access, ...steps, (request, response) =>
      answer(operation, surroundings, request, response),
    );
  }
  for (const path of new Set(operations.map((operation) => operation.path))) {
    const methods = operations.filter((operation) => operation.path === path).map(({ method }) => method.toUpperCase());
    router.all(expressPath(path), refuseMethod(methods));
  }
  return router;
}

/** `/rooms/{room}` → `/rooms/:room`. */
export const expressPath = (path: string) => path.replace(/\{(\w+)\}/g, ':$1');

/** Answers 405 with Allow (RFC 9110 §15.5.6). GET stands for HEAD too. */
export function refuseMethod(methods: readonly string[]): RequestHandler {
  const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  return () => {
    throw new HttpProblem('method-not-allowed', { headers: { Allow: allow } });
  };
}

/** No body at all is for the schema to judge: then `is()` is null, or the length is 0. */
const requireJson: RequestHandler = (request, _response, next) => {
  const empty = request.get('Content-Length') === '0';
  if (!empty && request.is('application/json') === false) throw new HttpProblem('unsupported-media-type');
  next();
};

/** Before the body is read. */
function requireAccess(operation: Operation, { conference }: Controls): RequestHandler {
  const breakoutOf = (room: string) => conference.breakoutOf(room);
  return (request, _response, next) => {
    checkAccess(accessOf(request), operation, request.params, breakoutOf);
    next();
  };
}

function accessOf({ access }: Request): Access {
  if (!access) throw new Error('the request was not authenticated');
  return access;
}

async function answer(
  operation: Operation,
  { controls, streams, idempotency }: OperationSurroundings,
  request: Request,
  response: Response,
) {
  const query = (operation.query ?? noQuery).safeParse(request.query);
  if (!query.success) throw new HttpProblem('invalid-query', { errors: places(query.error, 'parameter') });
  const body = readBody(operation, request.body);
  const access = accessOf(request);
  const prefers = (types: readonly string[]) => request.accepts([...types]) || null;
  const carryOut = () =>
    operation.handle(controls, { params: request.params, query: query.data, body, access, prefers, upload: request });
  const key = operation.method === 'post' ? idempotencyKey(request.get('Idempotency-Key')) : null;
  if (key !== null && operation.upload !== undefined) {
    throw new HttpProblem('idempotency-key-invalid', { detail: 'an upload takes none' });
  }
  if (key === null) {
    const reply = await carryOut();
    if (reply.events) sendEvents(streams, reply.events, access, request, response);
    else send(operation, reply, request, response);
    return;
  }
  const owner = access.tokenId ?? 'administrator';
  const secret = operation.secretAnswer ?? false;
  const path = request.originalUrl;
  const { reply, replayed } = await idempotency.run({ owner, key, path, body: request.body, secret }, carryOut);
  if (replayed) response.setHeader('Idempotency-Replayed', 'true');
  send(operation, reply, request, response);
}

function readBody(operation: Operation, given: unknown): unknown {
  if (!operation.body) return undefined;
  const body = operation.body.safeParse(given === undefined && operation.bodyOptional ? {} : given);
  if (!body.success) throw new HttpProblem('invalid-body', { errors: places(body.error, 'pointer') });
  return body.data;
}

function send({ success }: Operation, reply: Reply, request: Request, response: Response): void {
  const { json, location, file, accepted, content, picture, next } = reply;
  if (file) {
    sendRecording(file, request, response);
    return;
  }
  if (success.texts) response.vary('Accept');
  if (next) response.links({ next: urlWith(request.originalUrl, next) });
  if (content) {
    response.attachment(content.fileName).set('Content-Type', content.contentType);
    response.status(success.status).end(content.bytes);
    return;
  }
  if (picture) {
    response.set('Content-Type', success.picture).status(success.status).end(picture);
    return;
  }
  if (location !== undefined) response.location(BASE_PATH + location);
  if (accepted) response.set('Retry-After', String(accepted.retryAfterS));
  response.status(location !== undefined ? 201 : accepted ? 202 : success.status);
  if (json === undefined) response.end();
  else response.json(json);
}

/** The same path with these parameters set. */
function urlWith(url: string, parameters: Readonly<Record<string, string>>): string {
  const [path, query] = url.split('?', 2);
  const all = new URLSearchParams(query);
  for (const [name, value] of Object.entries(parameters)) all.set(name, value);
  return `${path}?${all}`;
}

/** Each thing that a schema found wrong, and where (RFC 9457 §3, as in its example). */
function places(error: z.ZodError, kind: 'pointer' | 'parameter'): ProblemPlace[] {
  return error.issues.flatMap((issue) => {
    const at = (path: readonly PropertyKey[]) =>
      kind === 'parameter' ? { parameter: path.map(String).join('.') } : { pointer: pointer(path) };
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ ...at([...issue.path, key]), detail: 'There is no such member.' }))
      : [{ ...at(issue.path), detail: issue.message }];
  });
}

/** RFC 6901 §3 and §6. */
const pointer = (path: readonly PropertyKey[]) =>
  `#${path.map((step) => `/${encodeURIComponent(String(step).replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')}`;
