import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { assertWhoHearsWhom, edgeTimeMs } from './clients/tone-levels.ts';

const ANNE = { name: 'anne', frequencyHz: 425, levelDbfs: -12 };
const BERT = { name: 'bert', frequencyHz: 1_010, levelDbfs: -12 };
/** What the architecture promises. */
const SOUND_BACK_WITHIN_MS = 500;

describe('a mixer process dies in the middle of a conference', () => {
  let parley: Parley;
  let anne: ToneCaller;
  let bert: ToneCaller;

  beforeEach(async () => {
    parley = await Parley.start({ env: { PARLEY_AUDIO_MIXERS: '1' } });
    anne = await ToneCaller.start({ voice: ANNE, serverPort: parley.sipPort });
    bert = await ToneCaller.start({ voice: BERT, serverPort: parley.sipPort });
    await anne.dial(parley.sipUri('crash'));
    await bert.dial(parley.sipUri('crash'));
    await pause(1_500);
  });

  afterEach(async () => {
    await anne?.stop();
    await bert?.stop();
    await parley?.stop();
  });

  const listeners = () => [anne, bert].map((caller) => ({ name: caller.voice.name, hearing: caller.hearing() }));

  test('the calls stay up, and the sound is back on the same ports', async () => {
    const [pid] = parley.mixerPids();
    expect(pid).toBeDefined();
    const killedAt = performance.now();
    process.kill(pid!, 'SIGKILL');
    await pause(2_500);

    const back = edgeTimeMs(bert.hearing(), ANNE, 'appears', killedAt + 60, killedAt + 2_000);
    const firstPacket = bert.media.arrivalTimesMs().find((timeMs) => timeMs > killedAt + 30);
    console.log(
      `kill -9 of the mixer: packets again after ${((firstPacket ?? Number.NaN) - killedAt).toFixed(0)} ms, the tone after ${((back ?? Number.NaN) - killedAt).toFixed(0)} ms`,
    );
    expect(back).not.toBeNull();
    expect(back! - killedAt).toBeLessThanOrEqual(SOUND_BACK_WITHIN_MS);
    expect(anne.media.origin?.port).toBe(anne.serverMediaPort);
    expect(bert.media.origin?.port).toBe(bert.serverMediaPort);
    expect(anne.call.requests).toEqual([]);
    expect(bert.call.requests).toEqual([]);
    const toMs = performance.now() - 200;
    assertWhoHearsWhom({ voices: [ANNE, BERT], listeners: listeners(), fromMs: toMs - 800, toMs });
    expect(parley.mixerPids()).not.toContain(pid);
    expect((await parley.metrics()).sum('parley_mixer_restarts_total')).toBe(1);
  });

  test('who was muted before is muted afterwards', async () => {
    const [first] = await parley.api.participants('crash');
    await parley.api.updateParticipant('crash', first!.id, { muted: true });
    process.kill(parley.mixerPids()[0]!, 'SIGKILL');
    await pause(2_500);
    const toMs = performance.now() - 200;
    const voices = [ANNE, BERT];
    assertWhoHearsWhom({ voices, listeners: listeners(), silenced: ['anne'], fromMs: toMs - 800, toMs });
  });

  test('an announcement that repeats goes on, until it is stopped', async () => {
    anne.media.silent = true;
    bert.media.silent = true;
    const heardDb = async (): Promise<number> => {
      await pause(2_000);
      const { pcm, sampleAt } = anne.hearing();
      const toMs = performance.now() - 200;
      const samples = pcm.samples.subarray(sampleAt(toMs - 1_500), sampleAt(toMs));
      return 10 * Math.log10(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);
    };
    const { id } = await parley.api.announce('crash', { prompt: 'lobby-wait', repeat: true });
    await pause(500);
    expect(await heardDb()).toBeGreaterThan(-40);
    process.kill(parley.mixerPids()[0]!, 'SIGKILL');
    await pause(2_000);
    expect(await heardDb()).toBeGreaterThan(-40);
    await parley.api.stopAnnouncement('crash', id);
    await pause(500);
    expect(await heardDb()).toBeLessThan(-50);
  });

  test('both can hang up afterwards, and nothing is left', async () => {
    process.kill(parley.mixerPids()[0]!, 'SIGKILL');
    await pause(1_000);
    expect((await anne.call.bye()).status).toBe(200);
    expect((await bert.call.bye()).status).toBe(200);
    await eventually(
      'no socket is left',
      async () => (await parley.metrics()).sum('parley_rtp_sockets'),
      (sockets) => sockets === 0,
    );
  });
});
