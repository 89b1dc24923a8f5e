import { Writable } from 'node:stream';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { Overload } from '../../server/guard/overload.ts';
import { type GuardOptions, RequestGuard } from '../../server/guard/request-guard.ts';
import { flow, register } from '../registrar/test-registrar.ts';
import { request } from '../sip/auth/messages.ts';

function guarded(options: Partial<GuardOptions> = {}) {
  const logged: Array<Record<string, unknown>> = [];
  const stream = new Writable({
    write(line, _encoding, done) {
      logged.push(JSON.parse(String(line)));
      done();
    },
  });
  const clock = { nowMs: 0 };
  const overload = new Overload();
  const guard = new RequestGuard({
    log: pino(stream),
    now: () => clock.nowMs,
    bans: { afterFailures: 4, windowMs: 60_000, banMs: 600_000 },
    requestsPerSecond: 10,
    requestsPerSecondPrivate: 100,
    scanners: ['Nessus'],
    overload,
    isSignedIn: ({ remotePort }) => remotePort === 5555,
    ...options,
  });
  return { guard, logged, clock, overload };
}

const from = (userAgent: string) => request({ headers: [['User-Agent', userAgent]] });
const inDialog = () => register({ to: '<sip:a@example.com>;tag=t' });

describe('scanners', () => {
  it.each(['friendly-scanner', 'SIPVicious 0.3', 'sipcli/v1.8', 'VaxSIPUserAgent/3.1', 'my NESSUS scan'])(
    '%s gets no answer',
    (userAgent) => {
      const { guard } = guarded();
      expect(guard.drops(from(userAgent), flow())).toBe(true);
      expect(guard.turned.scanner).toBe(1);
    },
  );

  it.each(['Linphone Desktop/4.4', 'baresip v1.0.0', 'Grandstream GXP2170', 'PolycomVVX', 'kamailio', ''])(
    '%s does',
    (userAgent) => expect(guarded().guard.drops(from(userAgent), flow())).toBe(false),
  );
});

describe('wrong passwords', () => {
  it('get the address banned: a log line, no answer for a while', () => {
    const { guard, logged, clock } = guarded();
    for (let failure = 0; failure < 4; failure++) guard.failed(flow());
    expect(logged).toEqual([
      expect.objectContaining({ msg: 'address banned', address: '203.0.113.5', failures: 4, seconds: 600 }),
    ]);
    expect(guard.drops(request(), flow())).toBe(true);
    expect(guard.drops(request(), flow({ address: '203.0.113.6' }))).toBe(false);
    expect([guard.banned, guard.bans, guard.turned.banned]).toEqual([1, 1, 1]);
    clock.nowMs = 600_000;
    expect(guard.drops(request(), flow())).toBe(false);
  });

  it('do not end calls that are up, nor concern phones of the same address that are signed in', () => {
    const { guard } = guarded();
    for (let failure = 0; failure < 4; failure++) guard.failed(flow());
    expect(guard.drops(inDialog(), flow())).toBe(false);
    expect(guard.drops(request(), flow({ port: 5555 }))).toBe(false);
    expect([guard.isBanned(flow()), guard.isBanned(flow({ port: 5555 }))]).toEqual([true, false]);
  });

  it('get those banned, too, who are signed in and try the passwords of others', () => {
    const { guard, clock } = guarded();
    const insider = flow({ port: 5555 });
    for (let failure = 0; failure < 4; failure++) guard.failed(insider);
    expect([guard.isBanned(insider), guard.drops(request(), insider)]).toEqual([true, true]);
    expect(guard.bans).toBe(1);
    clock.nowMs = 600_000;
    expect(guard.isBanned(insider)).toBe(false);
  });

  it('slow down those who send passwords, and nobody else', () => {
    const { guard } = guarded();
    for (let failure = 0; failure < 3; failure++) guard.failed(flow());
    const signed = request({ headers: [['Authorization', 'Digest realm="x"']] });
    expect(guard.delayMs(signed, flow())).toBe(500);
    expect(guard.delayMs(request(), flow())).toBe(0);
    expect(guard.delayMs(signed, flow({ address: '203.0.113.6' }))).toBe(0);
    expect(guard.delayMs(signed, flow({ port: 5555 }))).toBe(0);
  });
});

describe('malformed messages', () => {
  it('are not all worth a line in the log', () => {
    const { guard, clock } = guarded();
    const lines = () => Array.from({ length: 1000 }, () => guard.logsMalformed()).filter(Boolean).length;
    expect(lines()).toBe(20);
    clock.nowMs = 1000;
    expect(lines()).toBe(10);
  });
});

describe('limits', () => {
  const sent = (count: number, address: string) => {
    const { guard } = guarded();
    const answers = Array.from({ length: count }, () => guard.refuses(request(), flow({ address })));
    return { passed: answers.filter((answer) => answer === null).length, answers, guard };
  };

  it('are lower for public addresses than for private ones; loopback has none', () => {
    expect(sent(1000, '203.0.113.5').passed).toBe(10);
    expect(sent(1000, '192.168.1.5').passed).toBe(100);
    expect(sent(1000, '127.0.0.1').passed).toBe(1000);
    expect(sent(1000, '::1').passed).toBe(1000);
  });

  it('are told with 503 and Retry-After at first, and then no more', () => {
    const { answers, guard } = sent(1000, '203.0.113.5');
    expect([answers[10], answers[999]]).toEqual([5, 'drop']);
    expect([guard.turned.rate, guard.turned.flood]).toEqual([10, 980]);
  });
});

describe('overload', () => {
  it('begins when the event loop is late for a while, and ends when it no longer is', () => {
    const overload = new Overload();
    expect([1000, 1000, 1000].map((lagMs) => overload.sample(lagMs))).toEqual([false, true, false]);
    expect(overload.overloaded).toBe(true);
    for (let sample = 0; sample < 10; sample++) overload.sample(0);
    expect(overload.overloaded).toBe(false);
    overload.sample(900);
    expect(overload.overloaded).toBe(false);
  });

  it('takes nothing new, from nowhere; calls that are up go on', () => {
    const { guard, overload } = guarded();
    for (let sample = 0; sample < 5; sample++) overload.sample(1000);
    expect(guard.refuses(request(), flow({ address: '127.0.0.1' }))).toBe(5);
    expect(guard.refuses(inDialog(), flow())).toBeNull();
    expect(guard.turned.overload).toBe(1);
  });
});
