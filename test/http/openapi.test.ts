import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { eventMeanings } from '../../server/http/event-schemas.ts';
import { outsideOperations, problemsOf } from '../../server/http/openapi.ts';
import { operations } from '../../server/http/operations.ts';
import { problemCodes, problemKinds } from '../../server/http/problems.ts';
import { startApi } from './running-api.ts';

const docs = readFileSync(new URL('../../docs/api.md', import.meta.url), 'utf8');
const events = readFileSync(new URL('../../docs/events.md', import.meta.url), 'utf8');

interface Document {
  openapi: string;
  info: { version: string };
  servers: Array<{ url: string }>;
  security: unknown;
  paths: Record<string, Record<string, Described>>;
  components: { schemas: Record<string, { properties: Record<string, { enum?: string[] }> }> };
}
interface Described {
  operationId: string;
  responses: Record<string, { description: string; content?: Record<string, unknown> }>;
}

async function fetchDocument(): Promise<Document> {
  const { call } = await startApi();
  const { status, json } = await call('GET', '/api/v1/openapi.json', { headers: { authorization: '' } });
  expect(status).toBe(200);
  return json;
}

describe('the OpenAPI document', () => {
  it('is there for anybody, and says what it is about', async () => {
    const document = await fetchDocument();
    expect(document).toMatchObject({
      openapi: '3.1.0',
      info: { version: '1.2.3' },
      servers: [{ url: '/api/v1' }],
      security: [{ bearer: [] }],
    });
  });

  it('has every operation, and refers to nothing that it does not have', async () => {
    const document = await fetchDocument();
    const described = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    );
    expect(described.sort()).toEqual(operations.map(({ id }) => id).sort());
    expect(new Set(described).size).toBe(described.length);
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name,
    );
    for (const name of references) expect(document.components.schemas).toHaveProperty([name!]);
  });

  it('says for each operation each code that it can answer with, under its status', async () => {
    const { paths } = await fetchDocument();
    for (const operation of operations) {
      const { responses } = paths[operation.path]![operation.method]!;
      expect(responses).toHaveProperty([String(operation.success.status)]);
      for (const code of problemsOf(operation)) {
        expect(responses[problemKinds[code].status]?.description).toContain(`\`${code}\``);
      }
    }
  });
});

describe('codes of problems', () => {
  it('are the same in the table, in the document and in docs/api.md', async () => {
    const { components } = await fetchDocument();
    expect(components.schemas['Problem']?.properties['code']?.enum).toEqual(problemCodes);

    const rows = [...docs.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \| (.+) \|$/gm)].map(([, code, status, meaning]) => ({
      code,
      status: Number(status),
      meaning,
    }));
    expect(rows).toEqual(
      problemCodes.map((code) => ({ code, status: problemKinds[code].status, meaning: problemKinds[code].meaning })),
    );
  });

  it('are all within reach of some request', () => {
    const reachable = new Set([...operations.flatMap(problemsOf), ...outsideOperations]);
    expect([...reachable].sort()).toEqual([...problemCodes].sort());
  });
});

describe('docs/events.md', () => {
  it('has each event with its meaning', () => {
    const rows = [...events.matchAll(/^\| `([a-z]+-[a-z]+)` \| (.+?) \| `/gm)].map(([, name, meaning]) => [
      name,
      meaning,
    ]);
    expect(Object.fromEntries(rows)).toEqual(eventMeanings);
  });
});

describe('docs/api.md', () => {
  it('has each operation with the scope that it needs, and no other', () => {
    const documented = [...docs.matchAll(/^\| `(GET|POST|PUT|PATCH|DELETE) (\/[^`?]*)[^`]*` \| (\w+) \|/gm)].map(
      ([, verb, path, scope]) => `${verb} ${path} ${scope}`,
    );
    const expected = operations.map(({ method, path, scope }) => `${method.toUpperCase()} ${path} ${scope}`);
    expect(documented.sort()).toEqual(expected.sort());
  });

  it('has each member of what is sent and received', async () => {
    const { components } = await fetchDocument();
    for (const [name, { properties }] of Object.entries(components.schemas)) {
      for (const member of Object.keys(properties ?? {}))
        expect(docs, `${name}.${member}`).toMatch(new RegExp(`[\`"]${member}[\`"]`));
    }
  });
});
