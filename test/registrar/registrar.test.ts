import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { flow, register, TestRegistrar } from './test-registrar.ts';

const contactsOf = (response: { headers: { all(name: string): string[] } }) => response.headers.all('contact');

describe('a REGISTER without a password (RFC 3261 §10.3 step 3)', () => {
  it('is asked for one, in every algorithm', () => {
    const response = new TestRegistrar().send(register());
    expect(response.status).toBe(401);
    const algorithms = response.headers.all('www-authenticate').map((value) => /algorithm=([\w-]+)/.exec(value)?.[1]);
    expect(algorithms).toEqual(['SHA-256', 'MD5']);
  });

  it('from where others are banned is answered with another challenge, even if it is the right one', () => {
    const registrar = new TestRegistrar();
    registrar.banned.add('203.0.113.5');
    for (const password of ['guess', 'wonderland']) {
      expect(registrar.register({}, flow(), password).status).toBe(401);
    }
    expect([registrar.failures, registrar.contacts()]).toEqual([[], []]);
    expect(registrar.register({}, flow({ address: '203.0.113.6' })).status).toBe(200);
  });

  it('is answered the same for users that are there and that are not', () => {
    const registrar = new TestRegistrar();
    const known = registrar.register({ user: 'alice' }, flow(), 'guess');
    const unknown = registrar.register({ user: 'mallory' }, flow(), 'guess');
    const shape = ({ status, reason, headers }: typeof known) => [
      status,
      reason,
      [...headers].map(({ name, value }) => `${name} ${value.replace(/nonce="[^"]+"|alice|mallory|^\d+/g, '…')}`),
    ];
    expect(shape(known)).toEqual(shape(unknown));
    expect(known.status).toBe(401);
    expect(registrar.failures).toEqual(['203.0.113.5', '203.0.113.5']);
  });

  it('leaves a line in the log that fail2ban can read, and that no name can forge', () => {
    const registrar = new TestRegistrar();
    const forged = '","address":"198.51.100.1","msg":"authentication failure';
    registrar.send(register(), flow());
    registrar.register({ username: forged }, flow(), 'guess');
    expect(registrar.logged.filter(({ msg }) => msg === 'authentication failure')).toEqual([
      expect.objectContaining({ address: '203.0.113.5', transport: 'udp', method: 'REGISTER', user: forged }),
    ]);
    const [line] = registrar.logged.filter(({ user }) => user === forged).map((fields) => JSON.stringify(fields));
    expect([...line!.matchAll(fail2banFilter())].map(([, host]) => host)).toEqual(['203.0.113.5']);
  });
});

/** As docs/registrar.md gives it. */
function fail2banFilter(): RegExp {
  const docs = readFileSync(new URL('../../docs/registrar.md', import.meta.url), 'utf8');
  const [, filter] = /^failregex = (.+)$/m.exec(docs)!;
  return new RegExp(filter!.replace('<HOST>', '([0-9a-fA-F.:]+)'), 'g');
}

describe('a registration (RFC 3261 §10.3)', () => {
  it('is answered with all bindings and what remains of their time', () => {
    const registrar = new TestRegistrar();
    registrar.register({ contacts: ['<sip:alice@10.0.0.5>;q=0.5;expires=600'] });
    registrar.timers.advance(100_500);
    const response = registrar.register({ contacts: ['"Al" <sip:alice@10.0.0.6>;+sip.instance="<urn:uuid:1>"'] });
    expect(response.status).toBe(200);
    expect(contactsOf(response)).toEqual([
      '<sip:alice@10.0.0.5>;q=0.5;expires=500',
      '<sip:alice@10.0.0.6>;+sip.instance="<urn:uuid:1>";expires=3600',
    ]);
    expect(response.headers.get('date')).toBe('Fri, 02 Jan 2026 03:05:45 GMT');
    expect(response.headers.get('service-route')).toBe('<sip:192.0.2.9:5060;lr>');
    expect(response.headers.get('supported')).toBe('path, outbound');
  });

  it('without Contact asks, and changes nothing', () => {
    const registrar = new TestRegistrar();
    registrar.register();
    expect(contactsOf(registrar.register({ contacts: [] }))).toEqual(['<sip:alice@10.0.0.5:5060>;expires=3600']);
    expect(registrar.contacts()).toHaveLength(1);
  });

  it.each([
    [['<sip:a@h>;expires=120'], 600, 120],
    [['<sip:a@h>'], 600, 600],
    [['<sip:a@h>'], undefined, 3600],
    [['<sip:a@h>;expires=never'], undefined, 3600],
    [['<sip:a@h>'], 'soon', 3600],
    [['<sip:a@h>'], 1_000_000, 7200],
    [['<sip:a@h>'], 60, 60],
    [['sip:a@h;expires=90'], undefined, 90],
  ])('%s with Expires: %s lasts for %s s', (contacts, expires, granted) => {
    const registrar = new TestRegistrar();
    const response = registrar.register({ contacts, ...(expires === undefined ? {} : { expires }) });
    expect(contactsOf(response)).toEqual([expect.stringMatching(new RegExp(`;expires=${granted}$`))]);
    registrar.timers.advance(granted * 1000 - 1);
    expect(registrar.contacts()).toHaveLength(1);
    registrar.timers.advance(1);
    expect(registrar.contacts()).toEqual([]);
  });

  it('that would be too short is refused, and says what is long enough', () => {
    const registrar = new TestRegistrar();
    const response = registrar.register({ contacts: ['<sip:a@h>', '<sip:b@h>;expires=59'] });
    expect([response.status, response.headers.get('min-expires')]).toEqual([423, '60']);
    expect(registrar.contacts()).toEqual([]);
  });

  it('of a phone that does not say how long is for no less than the least', () => {
    const registrar = new TestRegistrar({ expiry: { minimumS: 7200, maximumS: 86_400 } });
    for (const expires of [undefined, '-1', 'soon', '99999999999']) {
      const response = registrar.register(expires === undefined ? {} : { expires });
      expect([response.status, ...contactsOf(response)]).toEqual([200, '<sip:alice@10.0.0.5:5060>;expires=7200']);
    }
    expect(registrar.register({ expires: 3600 }).status).toBe(423);
    expect(contactsOf(registrar.register({ expires: 4_294_967_295 }))).toEqual([
      '<sip:alice@10.0.0.5:5060>;expires=86400',
    ]);
  });

  it('is refreshed, not doubled, when the URI is equivalent (RFC 3261 §19.1.4)', () => {
    const registrar = new TestRegistrar();
    registrar.register({ contacts: ['<sip:alice@Phone.example.com;transport=tcp;x=1>;expires=100'] });
    registrar.register({ contacts: ['<sip:%61lice@phone.EXAMPLE.com;transport=TCP>;expires=200'] });
    expect(registrar.contacts()).toEqual(['sip:%61lice@phone.EXAMPLE.com;transport=TCP']);
    registrar.register({ contacts: ['<sip:alice@phone.example.com>'] });
    expect(registrar.contacts()).toHaveLength(2);
  });

  it('takes several contacts at once, and removes one by expires=0', () => {
    const registrar = new TestRegistrar();
    registrar.register({ contacts: ['<sip:a@h>, <sip:b@h>;expires=100', '<sip:c@h>'] });
    expect(registrar.contacts()).toEqual(['sip:a@h', 'sip:b@h', 'sip:c@h']);
    const response = registrar.register({ contacts: ['<sip:b@h>;expires=0'] });
    expect(contactsOf(response)).toEqual(['<sip:a@h>;expires=3600', '<sip:c@h>;expires=3600']);
  });

  it('removes all by "*" with Expires: 0, and only so', () => {
    const registrar = new TestRegistrar();
    registrar.register({ contacts: ['<sip:a@h>', '<sip:b@h>'] });
    for (const wrong of [
      { contacts: ['*'] },
      { contacts: ['*'], expires: 60 },
      { contacts: ['*', '<sip:a@h>'], expires: 0 },
    ]) {
      expect(registrar.register(wrong).status).toBe(400);
    }
    expect(registrar.contacts()).toHaveLength(2);
    const response = registrar.register({ contacts: ['*'], expires: 0, callId: 'another' });
    expect([response.status, contactsOf(response)]).toEqual([200, []]);
    expect(registrar.contacts()).toEqual([]);
  });

  it.each([
    { contacts: ['<sip:a@h>;q=2'] },
    { contacts: ['<sip:a@h>;q=0.1234'] },
    { contacts: ['<sip:a@h>', '<sip:a@h>'] },
  ])('is refused with $contacts', ({ contacts }) => {
    expect(new TestRegistrar().register({ contacts }).status).toBe(400);
  });
});

describe('the order of requests (RFC 3261 §10.3 step 7)', () => {
  it('an older one of the same Call-ID changes nothing', () => {
    const registrar = new TestRegistrar();
    registrar.register({ cseq: 5, expires: 600 });
    for (const older of [{ cseq: 4 }, { cseq: 5 }, { cseq: 3, expires: 0 }]) {
      const contacts = ['<sip:alice@10.0.0.7>', '<sip:alice@10.0.0.5:5060>'];
      expect(registrar.register({ ...older, contacts }).status).toBe(500);
    }
    expect(registrar.register({ contacts: ['*'], expires: 0, cseq: 5 }).status).toBe(500);
    expect(registrar.contacts()).toEqual(['sip:alice@10.0.0.5:5060']);
  });

  it('a phone that was restarted begins anew with another Call-ID', () => {
    const registrar = new TestRegistrar();
    registrar.register({ cseq: 500 });
    expect(registrar.register({ cseq: 1, callId: 'c2' }).status).toBe(200);
    expect(registrar.contacts()).toHaveLength(1);
  });
});

describe('who may register what', () => {
  it('nobody registers for somebody else (step 4)', () => {
    const registrar = new TestRegistrar();
    expect(registrar.register({ user: 'bob', to: '<sip:alice@example.com>' }).status).toBe(403);
    expect(registrar.contacts()).toEqual([]);
  });

  it.each([
    ['sip:example.com', '<sip:alice@EXAMPLE.com:5060>', 200],
    ['sip:192.0.2.9', '<sip:alice@192.0.2.9>', 200],
    ['sip:example.com', '<sips:Alice@example.com>', 200],
    ['sip:example.com', '<sip:alice@elsewhere.org>', 404],
    ['sip:elsewhere.org', '<sip:alice@example.com>', 404],
    ['sip:example.com', '<sip:example.com>', 403],
  ])('REGISTER %s, To: %s: %s', (uri, to, status) => {
    expect(new TestRegistrar().register({ uri, to }).status).toBe(status);
  });

  it('a user has so many phones at most, and all users together', () => {
    const registrar = new TestRegistrar({ maxContactsPerUser: 2, maxBindings: 3 });
    expect(registrar.register({ contacts: ['<sip:a@h>', '<sip:b@h>'] }).status).toBe(200);
    expect(registrar.register({ contacts: ['<sip:c@h>'] }).status).toBe(403);
    expect(registrar.register({ contacts: ['<sip:b@h>'] }).status).toBe(200);
    expect(registrar.register({ contacts: ['<sip:b@h>;expires=0', '<sip:c@h>'] }).status).toBe(200);
    expect(registrar.register({ user: 'bob', contacts: ['<sip:d@h>'] }).status).toBe(200);
    const response = registrar.register({ user: 'bob', contacts: ['<sip:e@h>'] });
    expect([response.status, response.headers.has('retry-after')]).toEqual([503, true]);
  });
});

describe('Path (RFC 3327)', () => {
  it('is kept for calls to the phone, and told to it', () => {
    const registrar = new TestRegistrar();
    const headers = ['Path: <sip:p2.example.com;lr>,<sip:p1.example.com;lr>', 'Supported: path'];
    const response = registrar.register({ headers });
    expect(response.headers.all('path')).toEqual(['<sip:p2.example.com;lr>', '<sip:p1.example.com;lr>']);
    expect(registrar.office.bindings.of('alice')[0]?.path).toEqual(response.headers.all('path'));
  });
});

describe('outbound (RFC 5626 §6)', () => {
  const tcp = (id: string) => flow({ protocol: 'tcp', id });
  const outbound = (regId: number, host = '10.0.0.5') => ({
    contacts: [`<sip:alice@${host};ob>;+sip.instance="<urn:uuid:1>";reg-id=${regId}`],
    headers: ['Supported: path, outbound'],
  });

  it('is refused when it names the same flow twice', () => {
    const contact = (uri: string) => `<${uri}>;+sip.instance="<urn:uuid:1>";reg-id=1`;
    const contacts = [contact('sip:alice@10.0.0.5'), contact('sip:alice@10.0.0.6')];
    const registrar = new TestRegistrar();
    const from = flow({ protocol: 'tcp' });
    expect(registrar.register({ contacts, headers: ['Supported: outbound'] }, from).status).toBe(400);
    expect(registrar.contacts()).toEqual([]);
    expect(registrar.register({ contacts }, from).status).toBe(200);
  });

  it('binds to the connection, whatever the URI', () => {
    const registrar = new TestRegistrar();
    const response = registrar.register(outbound(1), tcp('one'));
    expect(response.headers.get('require')).toBe('outbound');
    expect(response.headers.get('flow-timer')).toBe('120');
    registrar.register(outbound(2), tcp('two'));
    registrar.register(outbound(1, '10.0.0.99'), tcp('three'));
    expect(registrar.contacts()).toEqual(['sip:alice@10.0.0.99;ob', 'sip:alice@10.0.0.5;ob']);
  });

  it('ends with the connection', () => {
    const registrar = new TestRegistrar();
    registrar.register(outbound(1), tcp('one'));
    registrar.register(outbound(2), tcp('two'));
    expect(registrar.office.bindings.flowClosed(tcp('one'))).toHaveLength(1);
    expect(registrar.office.bindings.of('alice').map(({ regId }) => regId)).toEqual([2]);
    registrar.office.bindings.flowClosed(tcp('two'));
    expect(registrar.contacts()).toEqual([]);
  });

  it('over UDP is that of the address and port, until it expires', () => {
    const registrar = new TestRegistrar();
    expect(registrar.register(outbound(1)).headers.get('require')).toBe('outbound');
    registrar.register(outbound(1, '10.0.0.99'), flow({ port: 40_001 }));
    registrar.office.bindings.flowClosed(flow({ port: 40_001 }));
    expect(registrar.contacts()).toEqual(['sip:alice@10.0.0.99;ob']);
    expect(registrar.office.bindings.userAt(flow({ port: 40_001 }))).toBe('alice');
    expect(registrar.office.bindings.userAt(flow())).toBeNull();
  });

  it('is not promised through proxies that do not know it (439), nor when nobody asks', () => {
    const registrar = new TestRegistrar();
    const behindProxy = { ...outbound(1), headers: ['Supported: outbound', 'Via: SIP/2.0/TCP phone;branch=z9hG4bK0'] };
    expect(registrar.register(behindProxy, tcp('one')).status).toBe(439);
    const path = [...behindProxy.headers, 'Path: <sip:edge.example.com;lr;ob>'];
    expect(registrar.register({ ...behindProxy, headers: path }, tcp('one')).headers.get('require')).toBe('outbound');
    const unasked = registrar.register({ contacts: outbound(7).contacts }, tcp('one'));
    expect([unasked.status, unasked.headers.has('require')]).toEqual([200, false]);
  });

  it('a plain registration over TCP stays when the connection closes; one over WebSocket does not', () => {
    const registrar = new TestRegistrar();
    registrar.register({ contacts: ['<sip:alice@10.0.0.5;transport=tcp>'] }, tcp('one'));
    const webSocket = flow({ protocol: 'ws', id: 'w' });
    registrar.register({ contacts: ['<sip:alice@x.invalid;transport=ws>'] }, webSocket);
    registrar.office.bindings.flowClosed(tcp('one'));
    registrar.office.bindings.flowClosed(webSocket);
    expect(registrar.contacts()).toEqual(['sip:alice@10.0.0.5;transport=tcp']);
  });
});

describe('who calls', () => {
  it('is known by the connection of a registration, until that expires', () => {
    const registrar = new TestRegistrar();
    const { signIn } = registrar.office;
    const [hers, another] = [flow({ protocol: 'tls', id: 'a' }), flow({ protocol: 'tls', id: 'b' })];
    registrar.register({ expires: 60 }, hers);
    expect(signIn.identify(register(), hers)).toEqual({ user: 'alice' });
    expect(signIn.identify(register(), another)).toMatchObject({ status: 401 });
    registrar.timers.advance(60_000);
    expect(signIn.identify(register(), hers)).toMatchObject({ status: 401 });
  });

  it('is asked for the password through a proxy, over whose connection others come too', () => {
    const registrar = new TestRegistrar();
    const { signIn } = registrar.office;
    const proxy = flow({ protocol: 'tcp', id: 'proxy' });
    const behind = { headers: ['Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bK0'] };
    expect(registrar.register(behind, proxy).status).toBe(200);
    expect(signIn.identify(register(behind), proxy)).toMatchObject({ status: 401 });
    // One that hides who is behind it is known by that it brings several.
    expect(signIn.identify(register(), proxy)).toEqual({ user: 'alice' });
    expect(registrar.register({ user: 'bob', contacts: ['<sip:bob@10.0.0.6>'], callId: 'b' }, proxy).status).toBe(200);
    expect(signIn.identify(register(), proxy)).toMatchObject({ status: 401 });
  });

  it('is asked for the password over UDP, where anyone can send from the address of a registration', () => {
    const registrar = new TestRegistrar();
    registrar.register();
    expect(registrar.office.signIn.identify(register(), flow())).toMatchObject({ status: 401 });
  });

  it('is nobody, and not asked, as long as there are no users', () => {
    const registrar = new TestRegistrar();
    for (const { name } of registrar.office.users.list()) registrar.office.accounts.deleteUser(name);
    expect(registrar.office.signIn.identify(register(), flow())).toBeNull();
  });
});

describe('over time', () => {
  it('what has expired is swept away, and no timer is left', () => {
    const registrar = new TestRegistrar();
    registrar.register({ expires: 60 });
    registrar.register({ user: 'bob', expires: 120 });
    registrar.timers.advance(75_000);
    expect(registrar.office.bindings.size).toBe(1);
    registrar.timers.runUntilIdle();
    expect(registrar.office.bindings.size).toBe(0);
    expect(registrar.timers.pending).toBe(0);
    expect(registrar.database.all('SELECT * FROM bindings')).toEqual([]);
  });
});
