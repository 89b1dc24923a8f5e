import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { ToneCaller } from './clients/tone-caller.ts';

const TIMEOUT_SECONDS = 2;
const ROOM = 'silence';
const ANNE = { name: 'anne', frequencyHz: 425, levelDbfs: -12 };
const BERT = { name: 'bert', frequencyHz: 1_010, levelDbfs: -12 };

describe('callers from whom no RTP comes any more', () => {
  let parley: Parley;
  let anne: ToneCaller;
  let bert: ToneCaller;

  beforeEach(async () => {
    parley = await Parley.start({ env: { PARLEY_RTP_SILENCE_TIMEOUT_SECONDS: String(TIMEOUT_SECONDS) } });
    anne = await ToneCaller.start({ voice: ANNE, serverPort: parley.sipPort });
    bert = await ToneCaller.start({ voice: BERT, serverPort: parley.sipPort });
    await anne.dial(parley.sipUri(ROOM));
    await bert.dial(parley.sipUri(ROOM));
    await pause(500);
  });

  afterEach(async () => {
    await anne.stop();
    await bert.stop();
    await parley.stop();
  });

  test('a dead one is hung up on after the timeout; who talks on stays', async () => {
    anne.media.stopSending();
    const diedAt = performance.now();
    await anne.ended((TIMEOUT_SECONDS + 2) * 1_000);
    expect(performance.now() - diedAt).toBeGreaterThan((TIMEOUT_SECONDS - 0.5) * 1_000);
    await eventually(
      'bert is alone',
      () => parley.api.participants(ROOM),
      (all) => all.length === 1 && all[0]!.uri.includes('bert'),
    );
  });

  test('one who never sent anything is a dead one, too', async () => {
    const mute = await ToneCaller.start({ voice: { ...ANNE, name: 'mute' }, serverPort: parley.sipPort });
    const call = mute.sip.call(parley.sipUri(ROOM));
    expect((await call.invite(mute.media.sdp())).status).toBe(200);
    await call.ended((TIMEOUT_SECONDS + 3) * 1_000);
    await mute.stop();
  });

  test('one on hold is not', async () => {
    expect((await anne.call.reinvite(anne.media.sdp(['a=sendonly']))).status).toBe(200);
    anne.media.stopSending();
    await pause(2.5 * TIMEOUT_SECONDS * 1_000);
    expect(await parley.api.participants(ROOM)).toHaveLength(2);
    expect(anne.call.requests.map(({ method }) => method)).not.toContain('BYE');
    expect((await anne.call.reinvite(anne.media.sdp())).status).toBe(200);
  });

  test('one muted by a moderator, whose phone then sends nothing, is not', async () => {
    const participants = await parley.api.participants(ROOM);
    const { id } = participants.find(({ uri }) => uri.includes('anne'))!;
    await parley.api.updateParticipant(ROOM, id, { muted: true });
    anne.media.stopSending();
    await pause(2.5 * TIMEOUT_SECONDS * 1_000);
    expect(await parley.api.participants(ROOM)).toHaveLength(2);
    expect(anne.call.requests.map(({ method }) => method)).not.toContain('BYE');
  });
});
