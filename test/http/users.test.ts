import { describe, expect, it } from 'vitest';
import * as userSchemas from '../../server/http/user-schemas.ts';
import { startApi } from './running-api.ts';

const ALICE = '/api/v1/users/alice';

describe('users', () => {
  it('are listed and shown', async () => {
    const { call } = await startApi();
    const list = await call('GET', '/api/v1/users');
    expect(
      userSchemas.userList
        .strict()
        .parse(list.json)
        .users.map(({ name }) => name),
    ).toEqual(['alice']);
    expect((await call('GET', ALICE)).json).toMatchObject({ uri: 'sip:alice@example.com', displayName: 'Alice' });
  });

  it('are made with 201 and Location, and changed with 200; the password never comes back', async () => {
    const { call, users } = await startApi();
    const json = { password: 'correct horse', displayName: 'Bob' };
    const made = await call('PUT', '/api/v1/users/bob', { json });
    expect([made.status, made.headers.get('location')]).toEqual([201, '/api/v1/users/bob']);
    const changed = await call('PUT', '/api/v1/users/bob', { json: { password: 'battery staple' } });
    expect([changed.status, changed.headers.get('location')]).toEqual([200, null]);
    expect(changed.json.displayName).toBeNull();
    expect(users.passwords.get('bob')).toBe('battery staple');
    expect(made.text + changed.text + (await call('GET', '/api/v1/users')).text).not.toMatch(/horse|staple/);
  });

  it('are removed', async () => {
    const { call } = await startApi();
    expect((await call('DELETE', ALICE)).status).toBe(204);
    expect((await call('GET', ALICE)).status).toBe(404);
  });

  it('have registrations, each of which is shown once though phones refresh theirs between two pages', async () => {
    const { call, users } = await startApi();
    const [one] = users.registrations('alice');
    const at = (id: string, second: number) => ({ ...one!, id, registeredAt: `2026-01-02T03:04:0${second}.000Z` });
    users.registrations = () => [at('9', 1), at('10', 2)];
    const first = (await call('GET', `${ALICE}/registrations?limit=1`)).json;
    users.registrations = () => [at('9', 3), at('10', 2)];
    const rest = (await call('GET', `${ALICE}/registrations?cursor=${first.nextCursor}`)).json;
    const ids = [...first.registrations, ...rest.registrations].map(({ id }: { id: string }) => id);
    expect(ids).toEqual(['9', '10']);
  });

  it('have registrations, which can be removed', async () => {
    const { call } = await startApi();
    const { json } = await call('GET', `${ALICE}/registrations`);
    expect(userSchemas.registrationList.strict().parse(json).registrations).toHaveLength(1);
    expect((await call('DELETE', `${ALICE}/registrations`)).status).toBe(204);
    expect((await call('GET', `${ALICE}/registrations`)).json).toEqual({ registrations: [], nextCursor: null });
  });
});
