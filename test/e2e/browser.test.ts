import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BrowserPhone } from './clients/browser-phone.ts';
import { LOOPBACK } from './clients/free-ports.ts';
import { Parley } from './clients/parley.ts';
import { eventually } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { ToneCaller } from './clients/tone-caller.ts';

const CHROMIUM = '/usr/bin/chromium';
const VOICE = { name: 'caller', frequencyHz: 1_010, levelDbfs: -12 };
const ACCOUNT = { user: 'ann', password: 'a password of the tests' };

describe.runIf(peersPresent('chromium'))('JsSIP in Chromium, over WebSocket', () => {
  let parley: Parley;
  let browser: BrowserPhone;

  beforeAll(async () => {
    browser = await BrowserPhone.start(CHROMIUM);
    parley = await Parley.start({
      env: { PARLEY_WEB_SOCKET_ORIGINS: '*', PARLEY_AUDIO_MIXERS: '1', PARLEY_LOG_LEVEL: 'debug' },
    });
    await parley.api.putUser(ACCOUNT.user, ACCOUNT.password);
  }, 120_000);

  afterAll(async () => {
    await browser?.stop();
    await parley?.stop();
  });

  const url = (): string => `${parley.httpUrl.replace('http', 'ws')}/sip`;

  test('OPTIONS to a room is answered', async () => {
    expect(await browser.connect(url(), ACCOUNT), browser.console.join('\n')).toBe('connected');
    expect(await browser.options(`sip:demo@${LOOPBACK}`)).toEqual({ status: 200, cause: null });
    expect(await browser.options(`sip:no+such room@${LOOPBACK}`.replace(' ', '%20'))).toMatchObject({ status: 404 });
  });

  test('REGISTER with digest is accepted, and a wrong password is not', async () => {
    await browser.connect(url(), ACCOUNT);
    expect(await browser.register()).toEqual({ status: 200, cause: null });
    expect(await browser.unregister()).toEqual({ status: 200, cause: null });
    await browser.connect(url(), { ...ACCOUNT, password: 'another' });
    expect(await browser.register()).toEqual({ status: 401, cause: 'Authentication Error' });
  });

  test('MESSAGE reaches another user’s browser, and nobody who is not registered', async () => {
    const other = await BrowserPhone.start(CHROMIUM);
    try {
      const ben = { user: 'ben', password: ACCOUNT.password };
      await parley.api.putUser(ben.user, ben.password);
      await browser.connect(url(), ACCOUNT);
      expect(await browser.message(`sip:ben@${LOOPBACK}`, 'Are you there?')).toMatchObject({ status: 480 });
      await other.connect(url(), ben);
      expect(await other.register()).toEqual({ status: 200, cause: null });
      expect(await browser.message(`sip:ben@${LOOPBACK}`, 'Grüße, Ben')).toEqual({ status: 200, cause: null });
      expect(await other.received()).toEqual([{ from: `sip:ann@${LOOPBACK}`, text: 'Grüße, Ben' }]);
    } finally {
      await other.stop();
    }
  });

  test('MESSAGE to a room reaches the phones that are in it, who may write too, but to users only when signed in', async () => {
    await browser.connect(url(), ACCOUNT);
    expect(await browser.register()).toEqual({ status: 200, cause: null });
    const caller = await ToneCaller.start({ voice: VOICE, serverPort: parley.sipPort });
    try {
      await caller.dial(parley.sipUri('demo'));
      expect(await browser.message(`sip:demo@${LOOPBACK}`, 'Hello room')).toEqual({ status: 202, cause: null });
      await eventually(
        'the phone gets it',
        async () => caller.sip.messages,
        (texts) => texts.length > 0,
      );
      expect(caller.sip.messages).toEqual(['Hello room']);
      const headers = ['Content-Type: text/plain'];
      expect((await caller.sip.request('MESSAGE', parley.sipUri('demo'), { headers })).status).toBe(202);
      expect((await caller.call.request('MESSAGE', { headers })).status).toBe(202);
      expect((await caller.sip.request('MESSAGE', `sip:ann@${LOOPBACK}`, { headers })).status).toBe(401);
    } finally {
      await caller.stop();
    }
  });

  test('a page that goes away takes its connection with it', async () => {
    await browser.connect(url(), ACCOUNT);
    await browser.connect(url(), ACCOUNT);
    await eventually(
      'one connection is left',
      async () => (await parley.metrics()).sum('parley_sip_connections'),
      (count) => count === 1,
    );
  });

  test('a page of somebody else may not connect', async () => {
    const strict = await Parley.start({ env: { PARLEY_AUDIO_MIXERS: '1' } });
    const answer = await browser.connect(`${strict.httpUrl.replace('http', 'ws')}/sip`, ACCOUNT);
    await strict.stop();
    expect(answer).toMatch(/^disconnected/);
  });

  test('over TLS too', async () => {
    const secure = await Parley.start({
      env: { PARLEY_WEB_SOCKET_ORIGINS: browser.origin, PARLEY_AUDIO_MIXERS: '1', PARLEY_HTTP_TLS: 'true' },
    });
    const connected = await browser.connect(`${secure.httpUrl.replace('https', 'wss')}/sip`, ACCOUNT);
    const answer = await browser.options(`sip:demo@${LOOPBACK}`);
    await secure.stop();
    expect(connected).toBe('connected');
    expect(answer).toEqual({ status: 200, cause: null });
  });
});
