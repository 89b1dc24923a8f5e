import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import { z } from 'zod';
import { BASE_PATH } from './base-path.ts';
import type { Controls, Operation, Reply } from './operation.ts';
import { HttpProblem, type ProblemPlace } from './problems.ts';
import { sendRecording } from './send-recording.ts';

export const BODY_LIMIT_BYTES = 65_536;

const noQuery = z.strictObject({});
const readJson = express.json({ limit: BODY_LIMIT_BYTES, inflate: false });

/** Routes every operation; other methods on the same paths get 405. */
export function mountOperations(operations: readonly Operation[], controls: Controls): Router {
  const router = Router({ caseSensitive: true });
  for (const operation of operations) {
    const steps: RequestHandler[] = operation.body ? [requireJson, readJson] : [];
    router[operation.method](expressPath(operation.path), ...steps, (request, response) =>
      answer(operation, controls, request, response),
    );
  }
  for (const path of new Set(operations.map((operation) => operation.path))) {
    const methods = operations.filter((operation) => operation.path === path).map(({ method }) => method.toUpperCase());
    router.all(expressPath(path), refuseMethod(methods));
  }
  return router;
}

/** `/rooms/{room}` → `/rooms/:room`. */
const expressPath = (path: string) => path.replace(/\{(\w+)\}/g, ':$1');

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

async function answer(operation: Operation, controls: Controls, request: Request, response: Response) {
  const query = (operation.query ?? noQuery).safeParse(request.query);
  if (!query.success) throw new HttpProblem('invalid-query', { errors: places(query.error, 'parameter') });
  const body = readBody(operation, request.body);
  const reply = await operation.handle(controls, { params: request.params, query: query.data, body });
  send(operation, reply, request, response);
}

function readBody(operation: Operation, given: unknown): unknown {
  if (!operation.body) return undefined;
  const body = operation.body.safeParse(given === undefined && operation.bodyOptional ? {} : given);
  if (!body.success) throw new HttpProblem('invalid-body', { errors: places(body.error, 'pointer') });
  return body.data;
}

function send({ success }: Operation, { json, location, file }: Reply, request: Request, response: Response): void {
  if (file) {
    sendRecording(file, request, response);
    return;
  }
  if (location !== undefined) response.location(BASE_PATH + location);
  response.status(location === undefined ? success.status : 201);
  if (json === undefined) response.end();
  else response.json(json);
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
