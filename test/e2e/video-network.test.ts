import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PictureQuality } from '../../server/rooms/views.ts';
import { LONG_TESTS, shortly } from '../long-tests.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { pictureLateMs, spreadOf } from './clients/video/lip-sync.ts';
import type { VideoCaller, VideoCallerOptions } from './clients/video/video-caller.ts';
import { colourNumberOf, type Name, videoCaller } from './clients/video/video-party.ts';
import type { SeenPicture } from './clients/video/video-receiver.ts';
import {
  BOTTOM_MIDDLE,
  longestStandstillMs,
  type Places,
  shows,
  TOP_LEFT,
  TOP_RIGHT,
} from './clients/video/what-is-seen.ts';

const ROOM = 'network';
const ANNE = colourNumberOf('anne');
const BERT = colourNumberOf('bert');
const CLEO = colourNumberOf('cleo');
const ALL_THREE: Places = { [ANNE]: TOP_LEFT, [BERT]: TOP_RIGHT, [CLEO]: BOTTOM_MIDDLE };
/** The issue's. */
const RECOVERED_WITHIN_MS = 1_000;
const IN_STEP_MS = 40;
/** What a busy machine may make of 40 ms; who waits for a key frame waits longer. */
const NOT_DISTURBED_MS = 700;

describe.runIf(peersPresent('ffmpeg'))('video over a bad network, and with bad callers', () => {
  let parley: Parley;
  let callers: VideoCaller[] = [];

  const enter = async (name: Name, options: Partial<VideoCallerOptions> = {}): Promise<VideoCaller> => {
    const caller = await videoCaller(parley, name, options);
    callers.push(caller);
    return caller;
  };

  /** Dials, and waits until all see the three. */
  const together = async (): Promise<void> => {
    for (const caller of callers) await caller.dial(parley.sipUri(ROOM));
    await Promise.all(
      callers.map(({ receiving, voice }) =>
        receiving.seen(`${voice.name}: all three`, (picture) => shows(picture, ALL_THREE), 10_000),
      ),
    );
  };

  const picturesOf = async (user: string): Promise<PictureQuality[]> => {
    const { id } = (await parley.api.participants(ROOM)).find(({ uri }) => uri.includes(user))!;
    return (await parley.api.participant(ROOM, id)).pictures;
  };

  const standstillMs = (at: VideoCaller, who: number, fromMs: number): number =>
    longestStandstillMs(at.receiving.pictures, who, fromMs, performance.now() - 300);

  beforeEach(async () => {
    parley = await Parley.start({ video: true, env: { PARLEY_AUDIO_MIXERS: '1' } });
  });

  afterEach(async () => {
    await Promise.all(callers.map((caller) => caller.stop()));
    callers = [];
    await parley.stop();
  });

  test.each(
    shortly(
      [
        ['H264', 'as they were', false, 'plain'],
        ['H264', 'by RTX', true, 'plain'],
        ['VP8', 'as they were', false, 'plain'],
        ['VP8', 'by RTX', true, 'plain'],
        ['H264', 'as they were', false, 'AES_CM_128_HMAC_SHA1_80'],
        ['H264', 'by RTX', true, 'AES_CM_128_HMAC_SHA1_80'],
        ['VP8', 'as they were', false, 'AEAD_AES_256_GCM'],
        ['VP8', 'by RTX', true, 'AEAD_AES_256_GCM'],
      ] as const,
      4,
      7,
    ),
  )(
    'of 100 packets 5 are lost each way, %s, sent again %s (RTX %s), %s: nobody’s picture stands still for a second',
    async (codec, _, rtx, srtp) => {
      const secured = srtp === 'plain' ? {} : { srtp };
      const anne = await enter('anne', { video: { formats: [{ codec }], rtx, ...secured } });
      const bert = await enter('bert');
      const cleo = await enter('cleo', { video: { formats: [{ codec: 'VP8' }] } });
      await together();
      const pids = parley.videoMixerPids();
      anne.videoSocket.loss = { received: 0.05, sent: 0.05 };
      const fromMs = performance.now();
      await pause(LONG_TESTS ? 8_000 : 5_000);
      const { lost } = anne.videoSocket;
      const told = await picturesOf('anne');
      const longest = {
        ...{ anneSeesBert: standstillMs(anne, BERT, fromMs), anneSeesCleo: standstillMs(anne, CLEO, fromMs) },
        ...{ bertSeesAnne: standstillMs(bert, ANNE, fromMs), cleoSeesAnne: standstillMs(cleo, ANNE, fromMs) },
        ...{ bertSeesCleo: standstillMs(bert, CLEO, fromMs), cleoSeesBert: standstillMs(cleo, BERT, fromMs) },
      };
      console.log(
        `MEASURED ${codec}, RTX ${rtx}: lost ${JSON.stringify(lost)}, standing still ms ${JSON.stringify(longest)}`,
      );
      console.log(`MEASURED ${anne.receiving.summary()}; asked for again by the server ${anne.sending.nacked}`);
      expect(Math.min(lost.received, lost.sent)).toBeGreaterThan(0);
      expect(anne.videoSocket.srtp === null).toBe(srtp === 'plain');
      expect(told).toMatchObject([{ stream: 'main', received: { codec }, sent: { codec } }]);
      // What is sent again as it was has come, for all that RTP counts.
      if (rtx) expect(told[0]!.received!.lossPercent).toBeGreaterThan(0);
      expect(told[0]!.received!.fps).toBeGreaterThan(0);
      expect(parley.videoMixerPids()).toEqual(pids);
      expect(Math.max(longest.anneSeesBert, longest.anneSeesCleo)).toBeLessThanOrEqual(RECOVERED_WITHIN_MS);
      expect(Math.max(longest.bertSeesAnne, longest.cleoSeesAnne)).toBeLessThanOrEqual(RECOVERED_WITHIN_MS);
      expect(Math.max(longest.bertSeesCleo, longest.cleoSeesBert)).toBeLessThanOrEqual(NOT_DISTURBED_MS);
    },
  );

  test('with loss and PLI alone the picture recovers within a second', async () => {
    const video = { formats: [{ codec: 'VP8' }], feedback: false, attributes: ['a=rtcp-fb:* nack pli'] } as const;
    const anne = await enter('anne', { video });
    const bert = await enter('bert');
    const cleo = await enter('cleo');
    await together();
    const fromMs = performance.now();
    for (let burst = 0; burst < 4; burst++) {
      anne.videoSocket.loss = { received: 1, sent: 1 };
      await pause(70);
      anne.videoSocket.loss = { received: 0, sent: 0 };
      await pause(1_700);
    }
    const longest = { anneSeesBert: standstillMs(anne, BERT, fromMs), bertSeesAnne: standstillMs(bert, ANNE, fromMs) };
    console.log(
      `MEASURED bursts, PLI alone: standing still ms ${JSON.stringify(longest)}; ${anne.receiving.summary()}`,
    );
    console.log(`MEASURED PLI that anne got: ${anne.sending.keyFramesWanted}`);
    expect(longest.anneSeesBert).toBeLessThanOrEqual(RECOVERED_WITHIN_MS);
    expect(longest.bertSeesAnne).toBeLessThanOrEqual(RECOVERED_WITHIN_MS);
    expect(standstillMs(bert, CLEO, fromMs)).toBeLessThanOrEqual(NOT_DISTURBED_MS);
    expect(standstillMs(cleo, BERT, fromMs)).toBeLessThanOrEqual(NOT_DISTURBED_MS);
  });

  test.each(
    shortly(
      [
        ['octets by chance', 'random', 'H264'],
        ['octets by chance', 'random', 'VP8'],
        ['damaged packets', 'damaged', 'H264'],
        ['damaged packets', 'damaged', 'VP8'],
      ] as const,
      3,
    ),
  )('%s (%s, %s) change nothing for the rest, and afterwards the sender is seen again', async (_, garbage, codec) => {
    const anne = await enter('anne');
    const bert = await enter('bert', { video: { formats: [{ codec: 'VP8' }] } });
    const cleo = await enter('cleo', { video: { formats: [{ codec }] } });
    await together();
    const pids = parley.videoMixerPids();
    const fromMs = performance.now();
    cleo.sending.garbage = garbage;
    await pause(5_000);
    const longest = [
      standstillMs(anne, BERT, fromMs),
      standstillMs(bert, ANNE, fromMs),
      standstillMs(cleo, ANNE, fromMs),
      standstillMs(cleo, BERT, fromMs),
    ];
    console.log(`MEASURED ${garbage} ${codec}: others standing still ms ${JSON.stringify(longest)}`);
    expect(Math.max(...longest)).toBeLessThanOrEqual(NOT_DISTURBED_MS);
    cleo.sending.garbage = null;
    const endedMs = performance.now();
    await anne.receiving.seen('cleo again', (picture) => shows(picture, ALL_THREE), 10_000);
    console.log(`MEASURED seen again ${(performance.now() - endedMs).toFixed(0)} ms after the last garbage`);
    expect(parley.videoMixerPids()).toEqual(pids);
  });

  test.each(
    shortly(
      [
        ['sound leaves', 200, 'pictures wait for it'],
        ['pictures leave', 150, 'the sound waits for them'],
      ] as const,
      0,
    ),
  )('whose %s %i ms late: %s', async (what, lateMs, _) => {
    const anne = await enter('anne');
    const bert = await enter('bert', { video: { formats: [{ codec: 'VP8' }] } });
    await enter('cleo');
    if (what === 'sound leaves') bert.soundDelayMs = lateMs;
    else bert.pictureDelayMs = lateMs;
    await together();
    // What is heard later is stretched, by a tenth at most.
    await pause(5_000);
    const sinceMs = performance.now();
    await pause(6_000);
    const spread = spreadOf(pictureLateMs(anne.sound, anne.receiving, bert, sinceMs));
    console.log(`MEASURED ${what} ${lateMs} ms late: seen ${JSON.stringify(spread)} ms later than heard`);
    expect(Math.abs(spread.median)).toBeLessThanOrEqual(IN_STEP_MS);
  });

  test('the video mixer dies: pictures are back, and the sound had no gap', async () => {
    const anne = await enter('anne');
    const bert = await enter('bert', { video: { formats: [{ codec: 'VP8' }] } });
    const cleo = await enter('cleo');
    await together();
    const [pid, ...more] = parley.videoMixerPids();
    expect(more).toEqual([]);
    await pause(1_000);
    const killedMs = performance.now();
    process.kill(pid!, 'SIGKILL');
    // Those that were under way when it was killed are not meant.
    const isBack = (picture: SeenPicture): boolean => picture.arrivedMs > killedMs + 150 && shows(picture, ALL_THREE);
    const back = await Promise.all(
      callers.map(({ receiving, voice }) => receiving.seen(`${voice.name}: all again`, isBack, 10_000)),
    );
    const first = back.map(({ arrivedMs }) => arrivedMs - killedMs);
    console.log(
      `MEASURED kill -9 of the video mixer: pictures of all three again after ${first.map((ms) => ms.toFixed(0))} ms`,
    );
    expect(Math.max(...first)).toBeLessThanOrEqual(4_000);
    expect(parley.videoMixerPids()).not.toContain(pid);
    for (const caller of [anne, bert, cleo]) {
      expect(caller.call.requests).toEqual([]);
      const times = caller.sound.arrivalTimesMs().filter((timeMs) => timeMs > killedMs - 500);
      const gaps = times.slice(1).map((timeMs, index) => timeMs - times[index]!);
      const lost = caller.sound.missingPackets();
      console.log(
        `MEASURED longest time between packets of sound at ${caller.voice.name}: ${Math.max(...gaps).toFixed(0)} ms, ${lost} missing`,
      );
      expect(lost).toBe(0);
      expect(Math.max(...gaps)).toBeLessThanOrEqual(150);
    }
    await eventually(
      'the API knows it',
      () => parley.api.participants(ROOM),
      (all) => all.every(({ video }) => video !== null),
    );
  });
});
