import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BaresipClient } from './clients/baresip-client.ts';
import { LinphoneClient } from './clients/linphone-client.ts';
import { newUser } from './clients/new-user.ts';
import { Parley } from './clients/parley.ts';
import { eventually } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { RtpEndpoint } from './clients/rtp-endpoint.ts';
import { SipCaller } from './clients/sip-caller.ts';
import { header } from './clients/sip-text.ts';
import { SippClient } from './clients/sipp-client.ts';
import type { VoiceClient } from './clients/voice-client.ts';

const VOICE = { name: 'phone', frequencyHz: 425, levelDbfs: -12 };
const PASSWORD = 'wonderland';
const USERS_ONLY = { PARLEY_ADHOC_ROOMS: 'users' };

let parley: Parley;
let phone: VoiceClient | undefined;

beforeAll(async () => {
  parley = await Parley.start({ env: USERS_ONLY });
});

afterAll(() => parley?.stop());

afterEach(async () => {
  await phone?.stop();
  phone = undefined;
});

async function assertRegistered(user: string, transport: string): Promise<void> {
  const registrations = await eventually(
    `${user} is registered`,
    () => parley.api.registrations(user),
    (all) => all.length === 1,
  );
  expect(registrations[0]).toMatchObject({ transport, source: expect.stringMatching(/^127\.0\.0\.1:\d+$/) });
}

async function assertOpensRoom(dials: VoiceClient & { dial(uri: string): Promise<void> }, room: string): Promise<void> {
  await dials.dial(parley.sipUri(room));
  expect(await parley.api.participants(room)).toHaveLength(1);
  await dials.hangUp();
}

describe.runIf(peersPresent('baresip'))('baresip', () => {
  test.each(['udp', 'tcp'] as const)('registers over %s, and then may open a room', async (transport) => {
    const user = await newUser(parley.api, PASSWORD);
    const account = { user, password: PASSWORD, serverPort: parley.sipPort };
    const baresip = await BaresipClient.start({ voice: VOICE, codec: 'PCMU', transport, account });
    phone = baresip;
    await assertRegistered(user, transport);
    await assertOpensRoom(baresip, `from-baresip-${user}`);
    await phone.stop();
    phone = undefined;
    // It takes its registration back when it ends.
    await eventually(
      'the registration is gone',
      () => parley.api.registrations(user),
      (all) => all.length === 0,
    );
  });
});

describe.runIf(peersPresent('linphonec'))('linphone', () => {
  test.each(['udp', 'tcp'] as const)('registers over %s, and then may open a room', async (transport) => {
    const user = await newUser(parley.api, PASSWORD);
    const account = { user, password: PASSWORD, serverPort: parley.sipPort };
    const linphone = await LinphoneClient.start({ voice: VOICE, codec: 'PCMU (8000)', transport, account });
    phone = linphone;
    await linphone.registered(10_000);
    await assertRegistered(user, transport);
    await assertOpensRoom(linphone, `from-linphone-${user}`);
  });
});

describe.runIf(peersPresent('sipp'))('SIPp, which takes the first challenge and knows MD5 alone', () => {
  test.each(['udp', 'tcp'] as const)('registers over %s, and takes it back', async (transport) => {
    const forOldPhones = await Parley.start({ env: { PARLEY_DIGEST_ALGORITHMS: 'MD5,SHA-256' } });
    try {
      await forOldPhones.api.putUser('alice', PASSWORD);
      const { sipPort: serverPort } = forOldPhones;
      const sipp = await SippClient.start({ scenario: 'register', room: 'alice', serverPort, transport, calls: 5 });
      const result = await sipp.finished(15_000);
      expect(result.exitCode, result.report).toBe(0);
      expect(await forOldPhones.api.registrations('alice')).toHaveLength(0);
    } finally {
      await forOldPhones.stop();
    }
  });
});

describe('a caller who is not signed in', () => {
  test('is asked for a password before a room is opened', async () => {
    const caller = await SipCaller.open({ serverPort: parley.sipPort });
    const media = await RtpEndpoint.open(VOICE, 'PCMU');
    try {
      const answer = await caller.call(parley.sipUri('secret-room')).invite(media.sdp());
      expect(answer.status).toBe(401);
      expect(header(answer, 'www-authenticate')).toMatch(/^Digest realm="127\.0\.0\.1", /);
    } finally {
      media.close();
      caller.close();
    }
  });
});

describe('those who guess', () => {
  const register = ['Contact: <sip:alice@127.0.0.1>'];

  /** A REGISTER with a wrong answer to a challenge that is ours. */
  async function guess(caller: SipCaller, server: string): Promise<number> {
    const challenge = header(await caller.request('REGISTER', server, { headers: register }), 'www-authenticate');
    const nonce = /nonce="([^"]+)"/.exec(challenge)?.[1];
    const credentials = [
      ...['username="alice"', 'realm="127.0.0.1"', `nonce="${nonce}"`, `uri="${server}"`, 'algorithm=SHA-256'],
      ...['qop=auth', 'nc=00000001', 'cnonce="c"', `response="${'0'.repeat(64)}"`],
    ];
    const headers = [...register, `Authorization: Digest ${credentials.join(', ')}`];
    return (await caller.request('REGISTER', server, { headers, timeoutMs: 3_000 })).status;
  }

  test('are banned, logged and counted', async () => {
    const strict = await Parley.start({ env: { PARLEY_BAN_AFTER_FAILURES: '3' } });
    const caller = await SipCaller.open({ serverPort: strict.sipPort });
    try {
      await strict.api.putUser('alice', PASSWORD);
      for (let failure = 0; failure < 3; failure++) expect(await guess(caller, strict.sipUri('alice'))).toBe(401);
      await expect(guess(caller, strict.sipUri('alice'))).rejects.toThrow('no final answer');
      const metrics = await strict.metrics();
      expect(metrics.sum('parley_addresses_banned')).toBe(1);
      expect(metrics.samples.get('parley_authentications_total{result="failed"}')).toBe(3);
      const lines = strict.logLines().filter((line) => line.startsWith('{'));
      const failures = lines.filter((line) => line.endsWith('"user":"alice","msg":"authentication failure"}'));
      expect(failures).toHaveLength(3);
      expect(failures[0]).toMatch(/^\{"level":"warn","time":"[^"]+","address":"127\.0\.0\.1","transport":"udp",/);
    } finally {
      caller.close();
      await strict.stop();
    }
  });

  test('scanners get no answer', async () => {
    const caller = await SipCaller.open({ serverPort: parley.sipPort });
    const headers = ['User-Agent: friendly-scanner'];
    await expect(caller.request('OPTIONS', parley.sipUri('demo'), { headers, timeoutMs: 1_500 })).rejects.toThrow();
    expect((await caller.request('OPTIONS', parley.sipUri('demo'))).status).toBe(200);
    caller.close();
  });
});
