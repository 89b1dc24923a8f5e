import { OpenAPIRegistry, OpenApiGeneratorV31, type ResponseConfig } from '@asteasolutions/zod-to-openapi';
import { z } from 'zod';
import { eventNames } from '../events/room-event.ts';
import { BASE_PATH } from './base-path.ts';
import { eventMeanings, eventSchemas } from './event-schemas.ts';
import type { Operation } from './operation.ts';
import { problem } from './problem-schema.ts';
import { PROBLEM_TYPE, type ProblemCode, problemKinds } from './problems.ts';

const withBody = [
  'malformed-json',
  'invalid-body',
  'body-too-large',
  'unsupported-media-type',
] as const satisfies ProblemCode[];

const always = [
  'malformed-request',
  'invalid-query',
  'authentication-required',
  'authentication-failed',
  'scope-insufficient',
  'request-timeout',
  'too-many-requests',
  'too-many-failures',
  'headers-too-large',
  'internal-error',
] as const satisfies ProblemCode[];

/** Of those that take an `Idempotency-Key`. */
const ofPost = [
  'idempotency-key-invalid',
  'idempotency-key-in-use',
  'idempotency-key-reused',
] as const satisfies ProblemCode[];

/** Codes of requests that meet no operation at all. */
export const outsideOperations = ['not-found', 'method-not-allowed'] as const satisfies ProblemCode[];

/** Every code that the operation can answer with. */
export function problemsOf(operation: Operation): ProblemCode[] {
  const { problems, body, method } = operation;
  return [...problems, ...(body ? withBody : []), ...(method === 'post' ? ofPost : []), ...always];
}

/** The OpenAPI 3.1 document, made of the schemas that check requests. */
export function openApiDocument(operations: readonly Operation[], version: string) {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'Each operation names the least scope that the token must have: reader, moderator or administrator.',
  });
  for (const operation of operations) {
    const { method, path, id, scope, summary, params, query, linked } = operation;
    const headers = headersOf(operation);
    registry.registerPath({
      method,
      path,
      operationId: id,
      summary,
      description: `Needs a token of scope \`${scope}\`${linked ? ', or the `expires` and `signature` of a link' : ''}.`,
      security: [{ bearer: [scope] }],
      request: {
        params,
        ...(query && { query }),
        ...(headers && { headers }),
        ...requestBody(operation),
      },
      responses: { ...success(operation), ...failures(operation) },
    });
  }
  for (const name of eventNames) registerWebhook(registry, name);
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: { title: 'Parley', version, description: 'Steers the conferences of a Parley server.' },
    servers: [{ url: BASE_PATH }],
    security: [{ bearer: [] }],
  });
}

function requestBody({ body, bodyOptional, upload }: Operation) {
  if (body) return { body: { required: !bodyOptional, content: { 'application/json': { schema: body } } } };
  if (upload === undefined) return {};
  return { body: { required: true, description: upload, content: { 'application/octet-stream': binary } } };
}

function headersOf({ method, success, upload }: Operation): z.ZodObject | null {
  if (method === 'post' && upload === undefined) {
    const key = z.string().optional().meta({ description: 'Lets a request that may have arrived be sent again.' });
    return z.object({ 'Idempotency-Key': key });
  }
  const last = z.string().optional().meta({ description: 'The `id` of the last event that was received.' });
  return success.events ? z.object({ 'Last-Event-ID': last }) : null;
}

/** What is sent to webhooks for one kind of event. */
function registerWebhook(registry: OpenAPIRegistry, name: (typeof eventNames)[number]): void {
  registry.registerWebhook({
    method: 'post',
    path: name,
    operationId: name,
    summary: eventMeanings[name],
    security: [],
    request: {
      headers: z.object({
        'Parley-Event': z.literal(name),
        'Parley-Webhook': z.string().meta({ description: "The webhook's id." }),
        'Parley-Signature': z.string().meta({
          description: '`t=` seconds since 1970, `,v1=` HMAC-SHA-256 of `t.body` with the secret, in hex.',
        }),
      }),
      body: { required: true, content: { 'application/json': { schema: eventSchemas[name] } } },
    },
    responses: { '2XX': { description: 'Taken. Anything else is tried again.' } },
  });
}

const binary = { schema: { type: 'string', format: 'binary' } } as const;
const created = {
  headers: { Location: { schema: { type: 'string' as const }, description: 'Path of what was made.' } },
};
const retryAfter = {
  headers: { 'Retry-After': { schema: { type: 'integer' as const }, description: 'Seconds until it is asked again.' } },
};

function success({
  success: { status, description, json, texts, files, picture, events, mayCreate, mayWait },
}: Operation): Record<string, ResponseConfig> {
  const content = json
    ? { 'application/json': { schema: json }, ...Object.fromEntries((texts ?? []).map((type) => [type, binary])) }
    : events
      ? { 'text/event-stream': { schema: events } }
      : Object.fromEntries([...(files ?? []), ...(picture ? [picture] : [])].map((type) => [type, binary]));
  const response: ResponseConfig = {
    description,
    ...(Object.keys(content).length > 0 && { content }),
    ...(status === 201 && created),
  };
  const later = mayWait && {
    202: { description: 'It is being made.', content: { 'application/json': { schema: mayWait } }, ...retryAfter },
  };
  if (mayCreate) return { [status]: response, 201: { ...response, ...created } };
  if (status === 202) return { 202: { ...response, ...retryAfter } };
  return files ? { [status]: response, ...later, 206: response } : { [status]: response };
}

function failures(operation: Operation): Record<string, ResponseConfig> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(operation)) {
    const { status } = problemKinds[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${problemKinds[code].meaning}`).join('\n\n'),
        content: { [PROBLEM_TYPE]: { schema: problem } },
      },
    ]),
  );
}
