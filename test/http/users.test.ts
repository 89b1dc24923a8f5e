import { describe, expect, it } from 'vitest';
import * as schemas from '../../server/http/schemas.ts';
import { startApi } from './running-api.ts';

const ALICE = '/api/v1/users/alice';

describe('users', () => {
  it('are listed and shown', async () => {
    const { call } = await startApi();
    const list = await call('GET', '/api/v1/users');
    expect(
      schemas.userList
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

  it('have registrations, which can be removed', async () => {
    const { call } = await startApi();
    const { json } = await call('GET', `${ALICE}/registrations`);
    expect(schemas.registrationList.strict().parse(json).registrations).toHaveLength(1);
    expect((await call('DELETE', `${ALICE}/registrations`)).status).toBe(204);
    expect((await call('GET', `${ALICE}/registrations`)).json).toEqual({ registrations: [], nextCursor: null });
  });
});
