import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { RtpEndpoint } from './clients/rtp-endpoint.ts';
import { SipCaller } from './clients/sip-caller.ts';
import { audioPort, header } from './clients/sip-text.ts';

const ANNE = { name: 'anne', frequencyHz: 425, levelDbfs: -12 };

describe.each(['UDP', 'TCP'] as const)('the server over %s', (transport) => {
  let parley: Parley;
  let caller: SipCaller;
  let media: RtpEndpoint;

  beforeAll(async () => {
    parley = await Parley.start({
      config: ['rooms:', '  - name: demo', '  - name: tiny', '    maxParticipants: 1', ''].join('\n'),
    });
    caller = await SipCaller.open({ serverPort: parley.sipPort, transport, user: 'anne' });
    media = await RtpEndpoint.open(ANNE, 'PCMU');
  });

  afterAll(async () => {
    caller?.close();
    media?.close();
    await parley?.stop();
  });

  afterEach(async () => {
    media.stopSending();
    for (const room of ['demo', 'tiny']) {
      for (const { id } of await parley.api.participants(room)) await parley.api.hangUp(room, id).catch(() => {});
    }
  });

  test('takes a call into the room that is always there, and its BYE', async () => {
    const call = caller.call(parley.sipUri('demo'));
    const answer = await call.invite(media.sdp());
    expect(answer.status).toBe(200);
    expect(header(answer, 'content-type')).toBe('application/sdp');
    expect(header(answer, 'to')).toMatch(/;tag=/);
    expect(audioPort(answer.body)! % 2).toBe(0);
    expect(await parley.api.participants('demo')).toHaveLength(1);
    expect((await call.bye()).status).toBe(200);
    await eventually(
      'the room is empty',
      () => parley.api.participants('demo'),
      (all) => all.length === 0,
    );
  });

  test('answers OPTIONS with what it can do', async () => {
    const answer = await caller.request('OPTIONS', parley.sipUri('demo'));
    expect(answer.status).toBe(200);
    expect(header(answer, 'allow')).toMatch(/INVITE/);
    expect(header(answer, 'accept')).toMatch(/application\/sdp/);
  });

  test('answers OPTIONS for a full room as it would an INVITE (RFC 3261 §11.2)', async () => {
    const first = caller.call(parley.sipUri('tiny'));
    expect((await first.invite(media.sdp())).status).toBe(200);
    expect((await caller.request('OPTIONS', parley.sipUri('tiny'))).status).toBe(486);
    await first.bye();
  });

  test('answers a method that it does not know with 501 and Allow (RFC 3261 §21.5.2)', async () => {
    const answer = await caller.request('FROBNICATE', parley.sipUri('demo'));
    expect(answer.status).toBe(501);
    expect(header(answer, 'allow')).toMatch(/INVITE.*BYE|BYE.*INVITE/);
  });

  test('answers a BYE outside any dialog with 481', async () => {
    expect((await caller.request('BYE', parley.sipUri('demo'))).status).toBe(481);
  });

  test('refuses one too many with 486', async () => {
    const first = caller.call(parley.sipUri('tiny'));
    expect((await first.invite(media.sdp())).status).toBe(200);
    const second = await caller.call(parley.sipUri('tiny')).invite(media.sdp());
    expect(second.status).toBe(486);
    await first.bye();
    const third = caller.call(parley.sipUri('tiny'));
    expect((await third.invite(media.sdp())).status).toBe(200);
    await third.bye();
  });

  test('refuses an offer without a common codec with 488 and a Warning (RFC 3261 §21.4.26)', async () => {
    const offer = media
      .sdp()
      .replace('RTP/AVP 0', 'RTP/AVP 98')
      .replace('rtpmap:0 PCMU/8000', 'rtpmap:98 GSM-EFR/8000');
    const answer = await caller.call(parley.sipUri('demo')).invite(offer);
    expect(answer.status).toBe(488);
    expect(header(answer, 'warning')).toMatch(/^3\d\d /);
    expect(await parley.api.participants('demo')).toHaveLength(0);
  });

  test('holds and resumes: sendonly, inactive and the old 0.0.0.0', async () => {
    const call = caller.call(parley.sipUri('demo'));
    await call.invite(media.sdp());
    const stateOf = async (): Promise<string> => (await parley.api.participants('demo'))[0]!.state;
    const held = [
      [media.sdp(['a=sendonly']), 'recvonly'],
      [media.sdp(['a=inactive']), 'inactive'],
      [media.sdp().replace('c=IN IP4 127.0.0.1', 'c=IN IP4 0.0.0.0'), null],
    ] as const;
    for (const [offer, direction] of held) {
      const answer = await call.reinvite(offer);
      expect(answer.status).toBe(200);
      if (direction) expect(answer.body).toContain(`a=${direction}`);
      const resumed = await call.reinvite(media.sdp());
      expect(resumed.status).toBe(200);
      expect(resumed.body).not.toMatch(/a=(recvonly|inactive|sendonly)/);
      await eventually('connected', stateOf, (state) => state === 'connected');
    }
    await call.bye();
  });

  test('makes an offer when a re-INVITE has none', async () => {
    const call = caller.call(parley.sipUri('demo'));
    const first = await call.invite(media.sdp());
    const answer = await call.reinvite(null, () => media.sdp());
    expect(answer.status).toBe(200);
    expect(audioPort(answer.body)).toBe(audioPort(first.body));
    await pause(100);
    expect((await call.bye()).status).toBe(200);
  });

  test('takes an INVITE without an offer, and the answer in the ACK', async () => {
    const call = caller.call(parley.sipUri('demo'));
    const answer = await call.invite(null, () => media.sdp());
    expect(answer.status).toBe(200);
    expect(answer.body).toMatch(/^m=audio \d+ RTP\/AVP /m);
    media.sendTo(audioPort(answer.body));
    await eventually(
      'PCMU is what the answer chose',
      async () => (await parley.api.participants('demo'))[0]?.audio?.codec,
      (codec) => codec === 'PCMU',
    );
    await eventually(
      'packets come',
      () => media.arrivalTimesMs().length,
      (count) => count > 5,
    );
    await call.bye();
  });

  test('CANCEL: 487 for the INVITE when it is in time, else the call stands and is ended with BYE', async () => {
    const call = caller.call(parley.sipUri('demo'));
    const answer = call.invite(media.sdp());
    const cancelled = await call.cancel();
    expect([200, 481]).toContain(cancelled.status);
    const { status } = await answer;
    expect([200, 487]).toContain(status);
    if (status === 200) expect((await call.bye()).status).toBe(200);
    await eventually(
      'nobody is in the room',
      () => parley.api.participants('demo'),
      (all) => all.length === 0,
    );
  });

  test('a moderator’s hang-up is a BYE', async () => {
    const call = caller.call(parley.sipUri('demo'));
    await call.invite(media.sdp());
    const [participant] = await parley.api.participants('demo');
    await parley.api.hangUp('demo', participant!.id);
    await call.ended(15_000);
  });
});

describe('who may open a room by dialling it', () => {
  test.each([
    ['anyone', 200],
    ['private', 200],
    ['users', 403],
    ['nobody', 404],
  ])('%s: a caller on this host is answered %i; demo takes everybody', async (policy, status) => {
    const parley = await Parley.start({ env: { PARLEY_ADHOC_ROOMS: policy } });
    const caller = await SipCaller.open({ serverPort: parley.sipPort });
    const media = await RtpEndpoint.open(ANNE, 'PCMU');
    try {
      expect((await caller.call(parley.sipUri('new-room')).invite(media.sdp())).status).toBe(status);
      expect((await caller.call(parley.sipUri('demo')).invite(media.sdp())).status).toBe(200);
    } finally {
      media.close();
      caller.close();
      await parley.stop();
    }
  });
});
