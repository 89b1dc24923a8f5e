import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { AccessTokens } from '../../server/http/access-tokens.ts';
import { Idempotency } from '../../server/http/idempotency.ts';
import { Database } from '../../server/store/database.ts';
import { IdempotencyTable } from '../../server/store/idempotency-table.ts';
import { TokenTable } from '../../server/store/token-table.ts';

const HOUR_MS = 3_600_000;
const log = pino({ level: 'silent' });

let end: () => void = () => {};
afterEach(() => {
  end();
  end = () => {};
});

/** A database and a clock; `restarted()` gives what a new run of the program would have. */
function running() {
  const dataDir = mkdtempSync(join(tmpdir(), 'parley-access-'));
  const database = new Database(dataDir);
  end = () => {
    database.close();
    rmSync(dataDir, { recursive: true });
  };
  const clock = { nowMs: Date.UTC(2026, 0, 1) };
  const now = () => clock.nowMs;
  const restarted = () => ({
    tokens: new AccessTokens('the administrator', new TokenTable(database), now),
    idempotency: new Idempotency(new IdempotencyTable(database), now, log),
  });
  return { clock, database, restarted };
}

describe('tokens after a restart', () => {
  const wanted = { name: 'x', scope: 'moderator', room: 'demo', expiresMs: null } as const;

  it('are the same, and only digests of them are in the database', () => {
    const { database, restarted } = running();
    const { view, token } = restarted().tokens.add(wanted)!;
    const after = restarted().tokens;
    expect(after.list()).toEqual([view]);
    expect(after.check(token)).toMatchObject({ scope: 'moderator', room: 'demo', tokenId: view.id });
    expect(after.check('the administrator')).toMatchObject({ scope: 'administrator', room: null, tokenId: null });
    expect(JSON.stringify(database.all('SELECT * FROM tokens'))).not.toContain(token.split('.')[2]);
  });

  it('that expired are gone, to the millisecond', () => {
    const { clock, database, restarted } = running();
    const { tokens } = restarted();
    const { token } = tokens.add({ ...wanted, expiresMs: clock.nowMs + HOUR_MS })!;
    const access = tokens.check(token)!;
    clock.nowMs += HOUR_MS - 1;
    expect([tokens.check(token) !== null, access.valid()]).toEqual([true, true]);
    clock.nowMs += 1;
    expect([tokens.check(token), access.valid()]).toEqual([null, false]);
    expect(restarted().tokens.list()).toEqual([]);
    expect(database.all('SELECT * FROM tokens')).toEqual([]);
  });

  it('that were removed stay so, for those who hold them too', () => {
    const { restarted } = running();
    const { tokens } = restarted();
    const { token, view } = tokens.add(wanted)!;
    const access = tokens.check(token)!;
    expect([tokens.remove(view.id), tokens.remove(view.id)]).toEqual([true, false]);
    expect([access.valid(), tokens.check(token), restarted().tokens.check(token)]).toEqual([false, null, null]);
  });
});

describe('idempotency keys', () => {
  const request = (key: string, secret = false) => ({ owner: 'me', key, path: '/rooms', body: { name: 'a' }, secret });
  const count = () => {
    const made: number[] = [];
    return { made, carryOut: () => ({ json: made.push(1), location: '/rooms/a' }) };
  };

  it('are known after a restart, for 24 hours', async () => {
    const { clock, restarted } = running();
    const { made, carryOut } = count();
    await restarted().idempotency.run(request('k'), carryOut);
    clock.nowMs += 24 * HOUR_MS;
    const again = await restarted().idempotency.run(request('k'), carryOut);
    expect([again, made.length]).toEqual([{ reply: { json: 1, location: '/rooms/a' }, replayed: true }, 1]);
    clock.nowMs += 1;
    expect(await restarted().idempotency.run(request('k'), carryOut)).toMatchObject({ replayed: false });
    expect(made).toHaveLength(2);
  });

  it('of secrets are known for as long, but not after a restart, nor without bound', async () => {
    const { clock, restarted } = running();
    const { made, carryOut } = count();
    const { idempotency } = restarted();
    await idempotency.run(request('k', true), carryOut);
    clock.nowMs += 24 * HOUR_MS;
    expect(await idempotency.run(request('k', true), carryOut)).toMatchObject({ replayed: true });
    expect(await restarted().idempotency.run(request('k', true), carryOut)).toMatchObject({ replayed: false });
    for (let other = 0; other < 1000; other++) await idempotency.run(request(`k${other}`, true), carryOut);
    expect(await idempotency.run(request('k1', true), carryOut)).toMatchObject({ replayed: true });
    expect(await idempotency.run(request('k', true), carryOut)).toMatchObject({ replayed: false });
    expect(made).toHaveLength(1003);
  });

  it('are 10000 at most: the oldest are forgotten', () => {
    const { database } = running();
    const table = new IdempotencyTable(database);
    for (let index = 0; index <= 10_000; index++)
      table.put('me', `k${index}`, { fingerprint: 'f', reply: {} }, index, 0);
    expect(table.get('me', 'k0', 0)).toBeNull();
    expect(table.get('me', 'k1', 0)).toEqual({ fingerprint: 'f', reply: {} });
    expect(database.all('SELECT count(*) AS count FROM idempotent_replies')).toEqual([{ count: 10_000 }]);
  });

  it('that cannot be stored do not make an error of what was done', async () => {
    const idempotency = new Idempotency(
      {
        get: () => null,
        put: () => {
          throw new Error('the disk is full');
        },
      },
      () => 0,
      log,
    );
    expect(await idempotency.run(request('k'), count().carryOut)).toMatchObject({
      replayed: false,
      reply: { json: 1 },
    });
  });
});
