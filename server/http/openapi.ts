import { OpenAPIRegistry, OpenApiGeneratorV31, type ResponseConfig } from '@asteasolutions/zod-to-openapi';
import { BASE_PATH } from './base-path.ts';
import type { Operation } from './operation.ts';
import { PROBLEM_TYPE, type ProblemCode, problemKinds } from './problems.ts';
import { problem } from './schemas.ts';

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
  'request-timeout',
  'too-many-requests',
  'too-many-failures',
  'headers-too-large',
  'internal-error',
] as const satisfies ProblemCode[];

/** Codes of requests that meet no operation at all. */
export const outsideOperations = ['not-found', 'method-not-allowed'] as const satisfies ProblemCode[];

/** Every code that the operation can answer with. */
export function problemsOf(operation: Operation): ProblemCode[] {
  return [...operation.problems, ...(operation.body ? withBody : []), ...always];
}

/** The OpenAPI 3.1 document, made of the schemas that check requests. */
export function openApiDocument(operations: readonly Operation[], version: string) {
  const registry = new OpenAPIRegistry();
  registry.registerComponent('securitySchemes', 'bearer', { type: 'http', scheme: 'bearer' });
  for (const operation of operations) {
    const { method, path, id, summary, params, query, body, bodyOptional } = operation;
    registry.registerPath({
      method,
      path,
      operationId: id,
      summary,
      request: {
        params,
        ...(query && { query }),
        ...(body && { body: { required: !bodyOptional, content: { 'application/json': { schema: body } } } }),
      },
      responses: { ...success(operation), ...failures(operation) },
    });
  }
  return new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.0',
    info: { title: 'Parley', version, description: 'Steers the conferences of a Parley server.' },
    servers: [{ url: BASE_PATH }],
    security: [{ bearer: [] }],
  });
}

const created = {
  headers: { Location: { schema: { type: 'string' as const }, description: 'Path of what was made.' } },
};

function success({
  success: { status, description, json, files, mayCreate },
}: Operation): Record<string, ResponseConfig> {
  const binary = { schema: { type: 'string', format: 'binary' } } as const;
  const content = json
    ? { 'application/json': { schema: json } }
    : files && Object.fromEntries(files.map((type) => [type, binary]));
  const response: ResponseConfig = {
    description,
    ...(content && { content }),
    ...(status === 201 && created),
  };
  if (mayCreate) return { [status]: response, 201: { ...response, ...created } };
  return files ? { [status]: response, 206: response } : { [status]: response };
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
