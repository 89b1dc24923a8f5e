import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import type { Binding } from '../../server/registrar/binding.ts';
import { WriteBehind } from '../../server/registrar/write-behind.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { flow, register, TestRegistrar } from './test-registrar.ts';

describe('a restart', () => {
  it.each(['stopped', 'killed'] as const)('keeps users and registrations of a server that was %s', (how) => {
    const before = new TestRegistrar();
    before.register({ contacts: ['<sip:alice@10.0.0.5;x=1>;q=0.5;+sip.instance="<urn:uuid:1>"'], expires: 600 });
    before.register({ user: 'bob', headers: ['Path: <sip:p@example.com;lr>', 'User-Agent: Phone 1.0'] });
    before.register({ user: 'bob', contacts: ['<sip:bob@gone>'], callId: 'c2' });
    before.register({ user: 'bob', contacts: ['<sip:bob@gone>;expires=0'], callId: 'c3' });
    const known = [...before.office.bindings.of('alice'), ...before.office.bindings.of('bob')];
    if (how === 'killed') before.timers.advance(100);
    const after = before.restarted(how);
    expect([...after.office.bindings.of('alice'), ...after.office.bindings.of('bob')]).toEqual(known);
    expect(after.office.bindings.userAt(flow())).toBe('alice');
    expect(after.register({ expires: 700 }).status).toBe(200);
    expect(after.contacts()).toHaveLength(2);
  });

  it('forgets what expired meanwhile, and what depended on connections', () => {
    const before = new TestRegistrar();
    before.register({ expires: 60 });
    const headers = ['Supported: outbound'];
    const contacts = ['<sip:bob@10.0.0.5>;+sip.instance="<urn:uuid:1>";reg-id=1'];
    before.register({ user: 'bob', contacts, headers }, flow({ protocol: 'tcp' }));
    before.office.close();
    before.timers.advance(60_000);
    const after = before.restarted('killed');
    expect([after.contacts('alice'), after.contacts('bob')]).toEqual([[], []]);
    after.timers.advance(100);
    expect(after.database.all('SELECT * FROM bindings')).toEqual([]);
  });

  it('never gives an id that was given before', () => {
    const before = new TestRegistrar();
    before.register();
    const [kept] = before.office.bindings.of('alice');
    const after = before.restarted('stopped');
    after.register({ contacts: ['<sip:alice@10.0.0.99>'] });
    expect(after.office.bindings.of('alice').map(({ id }) => id)).toEqual([kept!.id, kept!.id + 1]);
  });

  it('with another domain, says whose password must be set anew; nobody gets in by an old one', () => {
    const after = new TestRegistrar().restarted('stopped', { domain: 'example.org' });
    expect(after.logged).toContainEqual(
      expect.objectContaining({ msg: 'users need their password set anew', users: ['alice', 'bob'] }),
    );
    const to = '<sip:alice@example.org>';
    expect(after.register({ uri: 'sip:example.org', to }).status).toBe(401);
    after.office.users.put('alice', 'wonderland', null);
    expect(after.register({ uri: 'sip:example.org', to }).status).toBe(200);
  });
});

describe('the files', () => {
  it('hold no password, and are for this user alone', () => {
    const { directory, database } = new TestRegistrar();
    database.run('PRAGMA wal_checkpoint(TRUNCATE)');
    const path = join(directory, 'parley.db');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const bytes = readFileSync(path, 'latin1');
    expect(bytes).toContain('alice');
    expect(bytes).not.toContain('wonderland');
  });
});

describe('changes to users', () => {
  it('a new password is the only one at once; a user who is removed is gone with all phones', () => {
    const registrar = new TestRegistrar();
    registrar.register();
    registrar.office.accounts.putUser('alice', { password: 'looking glass', displayName: 'Alice' });
    expect(registrar.register().status).toBe(401);
    expect(registrar.register({}, flow(), 'looking glass').status).toBe(200);
    registrar.office.accounts.deleteUser('alice');
    expect(registrar.contacts()).toEqual([]);
    expect(registrar.register({}, flow(), 'looking glass').status).toBe(401);
    expect(registrar.restarted('stopped').office.users.list()).toHaveLength(1);
  });

  it('are seen over HTTP with their registrations', () => {
    const registrar = new TestRegistrar();
    const headers = ['User-Agent: Phone 1.0'];
    registrar.register({ contacts: ['<sip:alice@10.0.0.5>;q=0.5'], expires: 60, headers });
    const { accounts } = registrar.office;
    expect(accounts.user('alice')).toMatchObject({ uri: 'sip:alice@example.com', registrations: 1 });
    expect(accounts.registrations('alice')).toEqual([
      {
        id: '1',
        contact: 'sip:alice@10.0.0.5',
        source: '203.0.113.5:40000',
        transport: 'udp',
        userAgent: 'Phone 1.0',
        q: 0.5,
        instance: null,
        path: [],
        registeredAt: '2026-01-02T03:04:05.000Z',
        expiresAt: '2026-01-02T03:05:05.000Z',
      },
    ]);
    accounts.deleteRegistrations('alice');
    expect(accounts.registrations('alice')).toEqual([]);
    expect(() => accounts.registrations('nobody')).toThrow('there is no user nobody');
    for (const name of ['', 'Alice', 'a b', 'a@b', '.a', 'x'.repeat(65)]) {
      expect(() => accounts.putUser(name, { password: 'x', displayName: null })).toThrow('cannot be');
    }
  });
});

describe('a store that fails', () => {
  it('is tried again, and nothing is lost meanwhile', () => {
    const registrar = new TestRegistrar();
    registrar.database.run('ALTER TABLE bindings RENAME TO elsewhere');
    registrar.register();
    registrar.timers.advance(100);
    expect(registrar.logged).toContainEqual(expect.objectContaining({ msg: 'bindings could not be written' }));
    expect(registrar.send(register()).status).toBe(401);
    registrar.database.run('ALTER TABLE elsewhere RENAME TO bindings');
    registrar.timers.advance(5000);
    expect(registrar.database.all('SELECT contact FROM bindings')).toEqual([{ contact: 'sip:alice@10.0.0.5:5060' }]);
  });
});

describe('what waits for the store', () => {
  const binding = (id: number) => ({ id, contact: `sip:alice@10.0.0.${id}` }) as Binding;

  it('is no more than what there is and what has to go, however long the disk fails', () => {
    const timers = new VirtualTimers();
    let full = true;
    const written: (readonly [number, boolean])[][] = [];
    const store = {
      write(changes: ReadonlyMap<number, Binding | null>): void {
        written.push([...changes].map(([id, kept]) => [id, kept !== null] as const));
        if (full) throw new Error('the disk is full');
      },
    };
    const writer = new WriteBehind(store, timers, pino({ level: 'silent' }), 7);
    // Of those that are in the store one is refreshed before it goes.
    writer.changed(6, null);
    writer.changed(7, binding(7));
    writer.changed(7, null);
    for (let id = 8; id < 1000; id++) {
      writer.changed(id, binding(id));
      if (id > 8) writer.changed(id - 1, null);
      timers.advance(1000);
    }
    expect(written.at(-1)!.map(([id]) => id)).toHaveLength(3);
    full = false;
    timers.advance(5000);
    expect(written.at(-1)).toEqual([
      [6, false],
      [7, false],
      [999, true],
    ]);
    writer.changed(999, null);
    timers.advance(100);
    expect(written.at(-1), 'it has been written').toEqual([[999, false]]);
  });
});
