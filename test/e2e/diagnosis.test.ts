import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { capturedIn } from '../diagnosis/read-pcap.ts';
import { LOOPBACK } from './clients/free-ports.ts';
import { Parley } from './clients/parley.ts';
import { eventually } from './clients/pause.ts';
import { audioPort } from './clients/sip-text.ts';
import { ToneCaller } from './clients/tone-caller.ts';

const ROOM = 'why';
const ANNE = { name: 'anne', frequencyHz: 425, levelDbfs: -12 };
const BERT = { name: 'bert', frequencyHz: 1_010, levelDbfs: -12 };

describe('why can they not hear me?', () => {
  let parley: Parley;
  let anne: ToneCaller;
  let bert: ToneCaller;

  beforeEach(async () => {
    parley = await Parley.start();
    anne = await ToneCaller.start({ voice: ANNE, serverPort: parley.sipPort });
    bert = await ToneCaller.start({ voice: BERT, serverPort: parley.sipPort });
    await bert.dial(parley.sipUri(ROOM));
  });

  afterEach(async () => {
    await anne.stop();
    await bert.stop();
    await parley.stop();
  });

  const idOf = async (name: string): Promise<string> =>
    (await parley.api.participants(ROOM)).find(({ uri }) => uri.includes(name))!.id;
  const diagnosisOf = async (id: string) => parley.api.diagnosis(ROOM, id);

  test('one-way audio: the phone answers another address than its media comes from, which never comes', async () => {
    const call = anne.sip.call(parley.sipUri(`${ROOM};pin=4711`));
    // As behind a NAT: the address is not the phone's as we see it, and its packets are lost on the way.
    expect((await call.invite(anne.media.sdp().replaceAll(LOOPBACK, '127.0.0.77'))).status).toBe(200);
    const id = await idOf('anne');
    const silent = await eventually(
      'packets were sent, and nothing came',
      () => diagnosisOf(id),
      ({ sent, findings }) => (sent.packets ?? 0) > 20 && findings[0]?.code === 'nothing-received',
    );
    expect(silent.sentence).toMatch(/^We have received nothing from the phone since the call was answered \d+ s ago/);
    expect(silent.findings[0]!.way).toBe('in');
    expect(silent.addresses).toMatchObject({ signalled: `127.0.0.77:${anne.media.port}`, latched: null });
    expect(silent.received).toMatchObject({ packets: 0, firstAt: null, lastAt: null });
    expect(silent.sent.firstAt).not.toBeNull();
    expect(silent.codec.sent).toBe('PCMU');

    // Its packets come through after all, from where it really is.
    anne.media.sendTo(audioPort(call.answer!.body));
    const heard = await eventually(
      'the source is believed',
      () => diagnosisOf(id),
      ({ addresses }) => addresses.latched !== null,
    );
    expect(heard.addresses.latched).toBe(`${LOOPBACK}:${anne.media.port}`);
    expect(heard.findings[0]!.code).not.toBe('nothing-received');

    // The dialled PIN is in no message that is shown.
    const { steps } = await parley.api.trace(ROOM, id);
    expect(steps.map(({ direction, firstLine }) => `${direction} ${firstLine.replace(/ sip:.*/, '')}`)).toEqual([
      'received INVITE',
      'sent SIP/2.0 200 OK',
      'received ACK',
    ]);
    expect(JSON.stringify(steps)).not.toContain('4711');
    expect(steps[0]!.message).toContain('pin=(hidden)');
    const packets = capturedIn(await parley.api.pcap(ROOM, id));
    expect(packets.map(({ sourcePort }) => sourcePort === parley.sipPort)).toEqual([false, true, false]);
    expect(packets.map(({ text }) => text)).toEqual(steps.map(({ message }) => message));
  });

  test('mutes and who did them, keys, a silent microphone; and the record afterwards', async () => {
    await anne.dial(parley.sipUri(ROOM));
    const id = await idOf('bert');
    const good = await eventually(
      'bert is heard',
      () => diagnosisOf(id),
      ({ received }) => (received.levelDb ?? -127) > -30 && (received.packets ?? 0) > 50,
    );
    expect(good.findings.map(({ code }) => code)).toEqual(['no-fault-found']);
    expect(Date.parse(good.received.firstAt!)).toBeGreaterThan(Date.parse(good.startedAt) - 1000);

    await parley.api.updateParticipant(ROOM, id, { muted: true });
    await bert.sendKeys('1');
    const muted = await diagnosisOf(id);
    expect(muted.sentence).toBe('They are muted by a moderator.');
    expect(muted.history).toMatchObject([{ what: 'muted', by: 'moderator' }]);
    expect(muted.keys).toMatchObject([{ means: 'info', count: 1 }]);
    const { steps } = await parley.api.trace(ROOM, id);
    expect(steps.find(({ firstLine }) => firstLine.startsWith('INFO'))!.message).toContain('Signal=x');

    await bert.hangUp();
    const [call] = await eventually(
      'the record',
      () => parley.api.calls(`room=${ROOM}`),
      (calls) => calls.length === 1,
    );
    expect(call).toMatchObject({
      ...{ participant: id, room: ROOM, direction: 'in', transport: 'udp', sourceAddress: LOOPBACK },
      ...{ codecSent: 'PCMU', codecReceived: 'PCMU', srtp: null, cause: 'remote-bye', endedBy: 'participant' },
    });
    expect(call!.mosReceived).toBeGreaterThan(3.5);
    expect(call!.packetsReceived).toBeGreaterThan(20);
    expect(call!.connectedMs).toBeGreaterThan(400);
    // The call can still be asked about.
    const over = await diagnosisOf(id);
    expect(over).toMatchObject({ state: 'ended', ended: { cause: 'remote-bye', by: 'participant' } });
    expect((await parley.api.trace(ROOM, id)).steps.at(-1)!.firstLine).toBe('SIP/2.0 200 OK');

    await anne.hangUp();
    const text = await eventually(
      'both calls in the table',
      () => parley.api.callsAsCsv(),
      (csv) => csv.includes('anne'),
    );
    expect(text.split('\r\n')).toHaveLength(4);
    const conferences = await parley.api.conferences();
    expect(conferences).toMatchObject([{ conference: call!.conference, room: ROOM, entries: 2, mostParticipants: 2 }]);
  });
});
