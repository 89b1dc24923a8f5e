import { describe, expect, it } from 'vitest';
import { eventNames } from '../../server/events/room-event.ts';
import { SCOPES } from '../../server/http/access.ts';
import { operations } from '../../server/http/operations.ts';
import { EventReader } from './event-reader.ts';
import { goodRequests } from './good-requests.ts';
import { startApi, TOKEN } from './running-api.ts';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

interface Document {
  paths: Record<string, Record<string, DocumentedOperation>>;
  webhooks: Record<string, { post: { requestBody: { content: Record<string, { schema: unknown }> } } }>;
}
interface DocumentedOperation {
  operationId: string;
  security: Array<{ bearer: string[] }>;
  parameters?: Array<{ name: string; in: string }>;
  requestBody?: { content: Record<string, unknown> };
  responses: Record<string, { content?: Record<string, unknown> }>;
}

let fetched: Promise<Document> | null = null;

/** Once: it is the same all the time. */
function fetchDocument(): Promise<Document> {
  fetched ??= startApi()
    .then(({ call }) => call('GET', '/api/v1/openapi.json', { headers: { authorization: '' } }))
    .then(({ json }) => json);
  return fetched;
}

const documented = (document: Document) =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

describe('what the OpenAPI document promises', () => {
  it.each(operations.map(({ id }) => id))('%s is carried out, and answered as described', async (id) => {
    const found = documented(await fetchDocument()).find(({ operation }) => operation.operationId === id);
    const schema = operations.find((operation) => operation.id === id)!.success.json;
    const make = goodRequests[id];
    expect(make, 'there is a request for it in good-requests.ts').toBeDefined();
    const api = await startApi();
    const { path, json, body } = await make!(api);
    const { responses } = found!.operation;

    if (responses['200']?.content?.['text/event-stream']) {
      const reader = await EventReader.open(api.port, `/api/v1${path}`, { authorization: `Bearer ${TOKEN}` });
      expect(reader.response.headers['content-type']).toMatch(/^text\/event-stream;/);
      expect(await reader.next()).toMatchObject({ event: 'state' });
      reader.close();
      return;
    }
    const options = { ...(json === undefined ? {} : { json }), ...(body === undefined ? {} : { body }) };
    const answer = await api.call(found!.method.toUpperCase(), `/api/v1${path}`, options);
    expect(answer.status).toBeLessThan(300);
    expect(responses).toHaveProperty([String(answer.status)]);
    const types = Object.keys(responses[String(answer.status)]!.content ?? {});
    const type = answer.headers.get('content-type')?.split(';')[0] ?? null;
    if (types.length === 0) expect([answer.text, type]).toEqual(['', null]);
    else expect(types).toContain(type);
    // What is not described would be gone after parsing, at any depth.
    if (schema) expect(schema.parse(answer.json)).toEqual(answer.json);
    expect(answer.headers.has('location')).toBe(answer.status === 201);
  });

  it('has no request in good-requests.ts that it does not describe', async () => {
    const ids = documented(await fetchDocument()).map(({ operation }) => operation.operationId);
    expect(Object.keys(goodRequests).sort()).toEqual(ids.sort());
  });

  it('says which scope each operation needs, as the server asks for it', async () => {
    for (const { path, method, operation } of documented(await fetchDocument())) {
      const asked = operations.find((one) => one.path === path && one.method === method)!.scope;
      expect(operation.security).toEqual([{ bearer: [asked] }]);
      expect(SCOPES).toContain(asked);
    }
  });

  it('names the headers that can be sent: the idempotency key with every POST but uploads, Last-Event-ID with streams', async () => {
    for (const { method, operation } of documented(await fetchDocument())) {
      const headers = (operation.parameters ?? []).filter((parameter) => parameter.in === 'header');
      const streams = operation.responses['200']?.content?.['text/event-stream'] !== undefined;
      const uploads = operation.requestBody?.content['application/octet-stream'] !== undefined;
      const expected = uploads ? [] : method === 'post' ? ['Idempotency-Key'] : streams ? ['Last-Event-ID'] : [];
      expect(headers.map(({ name }) => name)).toEqual(expected);
    }
  });

  it('says that every list is paged', async () => {
    for (const { operation } of documented(await fetchDocument())) {
      if (!operation.operationId.startsWith('list')) continue;
      const query = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query');
      expect(
        query.map(({ name }) => name),
        operation.operationId,
      ).toEqual(expect.arrayContaining(['limit', 'cursor']));
    }
  });

  it('says within which bounds a page may be', async () => {
    const [limit] = (await fetchDocument()).paths['/rooms']!['get']!.parameters!;
    expect(limit).toMatchObject({
      name: 'limit',
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 1000, default: 1000 },
    });
  });

  it('has a webhook for each event, with what is sent', async () => {
    const { webhooks } = await fetchDocument();
    expect(Object.keys(webhooks).sort()).toEqual([...eventNames].sort());
    for (const { post } of Object.values(webhooks)) {
      expect(post.requestBody.content['application/json']?.schema).toMatchObject({ $ref: expect.any(String) });
    }
  });
});

describe('what it does not promise', () => {
  it('is answered by nobody: other methods get 405 with those that there are', async () => {
    const api = await startApi();
    for (const [template, methods] of Object.entries((await fetchDocument()).paths)) {
      const path = `/api/v1${template.replace(/\{\w+\}/g, 'demo')}`;
      for (const method of METHODS) {
        if (Object.hasOwn(methods, method.toLowerCase())) continue;
        const { status, json, headers } = await api.call(method, path);
        expect([method, path, status, json.code]).toEqual([method, path, 405, 'method-not-allowed']);
        const allowed = headers.get('allow')!.toLowerCase().split(', ');
        expect(allowed.filter((name) => name !== 'head').sort()).toEqual(Object.keys(methods).sort());
      }
    }
  });

  it('nor other paths: above, beside and below those that there are', async () => {
    const api = await startApi();
    const templates = Object.keys((await fetchDocument()).paths);
    const matches = (path: string) =>
      templates.some((template) => new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`).test(path));
    const tried = templates.flatMap((template) => {
      const path = template.replace(/\{\w+\}/g, 'demo');
      const above = path.slice(0, path.lastIndexOf('/'));
      return [above, `${path}/demo`, `${path}s`, `${path}.json`, `${above}/admin`, path.toUpperCase()];
    });
    for (const path of new Set(tried)) {
      if (matches(path)) continue;
      const { status, json } = await api.call('GET', `/api/v1${path}`);
      expect([path, status, json.code]).toEqual([path, 404, 'not-found']);
    }
  });
});
