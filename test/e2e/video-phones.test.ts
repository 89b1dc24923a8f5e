import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LONG_TESTS, shortly } from '../long-tests.ts';
import { BaresipClient, type BaresipOptions } from './clients/baresip-client.ts';
import { LinphoneClient } from './clients/linphone-client.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { assertWhoHearsWhom } from './clients/tone-levels.ts';
import type { VideoCaller } from './clients/video/video-caller.ts';
import { colourNumberOf, videoCaller } from './clients/video/video-party.ts';
import {
  BOTTOM_MIDDLE,
  codesInFile,
  FULL,
  LEFT_OF_TWO,
  type Places,
  RIGHT_OF_TWO,
  shows,
  TOP_LEFT,
  TOP_RIGHT,
} from './clients/video/what-is-seen.ts';
import type { VoiceClient } from './clients/voice-client.ts';

const ROOM = 'video-phones';
const OTHER_ROOM = 'elsewhere';
const BARESIP = { name: 'baresip', frequencyHz: 425, levelDbfs: -15 };
const LINPHONE = { name: 'linphone', frequencyHz: 2_900, levelDbfs: -15 };
const BARESIP_COLOUR = 3;
const LINPHONE_COLOUR = 5;
const ANNE_COLOUR = colourNumberOf('anne');
const BERT_COLOUR = colourNumberOf('bert');

type VideoPhone = VoiceClient & { snapshot(): Promise<Buffer> };

/** Modules and plugins are files, not programs on the path. */
function filesPresent(...paths: string[]): boolean {
  const missing = paths.filter((path) => !existsSync(path));
  if (missing.length === 0) return true;
  const message = `not installed: ${missing.join(', ')}`;
  if (process.env['PARLEY_REQUIRE_PEERS'] === '1') throw new Error(`${message} (PARLEY_REQUIRE_PEERS=1)`);
  console.warn(`SKIPPED, ${message}`);
  return false;
}

const baresipHasVideo = (): boolean =>
  peersPresent('baresip', 'ffmpeg') && filesPresent('/usr/lib/baresip/modules/avcodec.so');
const linphoneHasH264 = (): boolean => filesPresent('/usr/lib/x86_64-linux-gnu/mediastreamer/plugins/libmsopenh264.so');

describe('video phones see each other', () => {
  let parley: Parley;
  let stopAll: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    parley = await Parley.start({ video: true, env: { PARLEY_AUDIO_MIXERS: '1', PARLEY_VIDEO_MIXERS: '2' } });
  });

  afterEach(async () => {
    for (const stop of stopAll.splice(0).reverse()) await stop();
    stopAll = [];
    await parley.stop();
  });

  async function enter<Client extends VoiceClient>(starting: Promise<Client>): Promise<Client> {
    const client = await starting;
    stopAll.push(() => client.stop());
    await client.dial(parley.sipUri(ROOM));
    return client;
  }

  const baresip = (codec: 'H264' | 'VP8', more: Partial<BaresipOptions> = {}): Promise<BaresipClient> =>
    enter(BaresipClient.start({ voice: BARESIP, codec: 'PCMU', video: { codec, sender: BARESIP_COLOUR }, ...more }));
  const linphone = (codec: 'H264' | 'VP8', srtp?: string): Promise<LinphoneClient> =>
    enter(
      LinphoneClient.start({
        voice: LINPHONE,
        codec: 'PCMU (8000)',
        video: { codec, sender: LINPHONE_COLOUR },
        ...(srtp ? { srtp } : {}),
      }),
    );

  const sees = async (phone: VideoPhone, places: Places): Promise<void> => {
    await eventually(
      `${phone.voice.name} sees all in their places`,
      async () => codesInFile(await phone.snapshot()),
      (codes) => shows({ codes }, places),
      10_000,
    );
  };
  const callerSees = (caller: VideoCaller, places: Places) =>
    caller.receiving.seen(caller.voice.name, (picture) => shows(picture, places), 10_000);

  describe.runIf(baresipHasVideo())('baresip', () => {
    test.each(
      shortly(
        [
          ['H264', undefined],
          ['VP8', undefined],
          ['H264', 'mandatory'],
          ['VP8', 'optional'],
        ] as const,
        2,
        3,
      ),
    )('with %s, SRTP %s', async (codec, srtp) => {
      const anne = await enter(videoCaller(parley, 'anne'));
      const phone = await baresip(codec, srtp ? { srtp } : {});
      const places = { [ANNE_COLOUR]: LEFT_OF_TWO, [BARESIP_COLOUR]: RIGHT_OF_TWO };
      await callerSees(anne, places);
      await sees(phone, places);
      const participants = await parley.api.participants(ROOM);
      expect(participants[1]?.video).toMatchObject({ codec, width: 640, height: 360, direction: 'sendrecv' });
      if (srtp) expect(phone.output).toMatch(/SRTP is Enabled/);
      // A counter that goes on, at both ends.
      const [before] = codesInFile(await phone.snapshot());
      await pause(500);
      const [after] = codesInFile(await phone.snapshot());
      expect(after?.counter).not.toBe(before?.counter);
      expect(phone.output).not.toMatch(/failed to decrypt|could not decode/);
    });

    test('is called into the room, and moved to one of another video mixer', async () => {
      const anne = await enter(videoCaller(parley, 'anne'));
      const bert = await videoCaller(parley, 'bert');
      stopAll.push(() => bert.stop());
      await bert.dial(parley.sipUri(OTHER_ROOM));
      const video = { codec: 'VP8', sender: BARESIP_COLOUR } as const;
      const phone = await BaresipClient.start({ voice: BARESIP, codec: 'PCMU', autoAnswer: true, video });
      stopAll.push(() => phone.stop());
      const { id } = await parley.api.addParticipant(ROOM, { uri: phone.sipUri, slides: true });
      await phone.established(10_000);
      const withAnne = { [ANNE_COLOUR]: LEFT_OF_TWO, [BARESIP_COLOUR]: RIGHT_OF_TWO };
      await callerSees(anne, withAnne);
      await sees(phone, withAnne);
      await parley.api.updateParticipant(ROOM, id, { room: OTHER_ROOM });
      const withBert = { [BERT_COLOUR]: LEFT_OF_TWO, [BARESIP_COLOUR]: RIGHT_OF_TWO };
      await callerSees(bert, withBert);
      await sees(phone, withBert);
      await callerSees(anne, { [ANNE_COLOUR]: FULL });
    });

    test.runIf(LONG_TESTS)('holds, and is seen again afterwards', async () => {
      const anne = await enter(videoCaller(parley, 'anne', { video: { formats: [{ codec: 'VP8' }] } }));
      const phone = await baresip('H264');
      const places = { [ANNE_COLOUR]: LEFT_OF_TWO, [BARESIP_COLOUR]: RIGHT_OF_TWO };
      await callerSees(anne, places);
      await phone.hold();
      await anne.receiving.seen('a card', ({ codes }) => codes.every(({ sender }) => sender === ANNE_COLOUR), 10_000);
      await phone.resume();
      await callerSees(anne, places);
      await sees(phone, places);
    });
  });

  describe.runIf(peersPresent('linphonec', 'ffmpeg'))('Linphone', () => {
    const places = { [ANNE_COLOUR]: LEFT_OF_TWO, [LINPHONE_COLOUR]: RIGHT_OF_TWO };

    test.each(
      shortly<[string, string | undefined]>(
        [
          ['in the clear', undefined],
          ['by SRTP', 'AES_CM_128_HMAC_SHA1_80'],
        ],
        1,
      ),
    )('with VP8 %s', async (_, srtp) => {
      const anne = await enter(videoCaller(parley, 'anne'));
      const phone = await linphone('VP8', srtp);
      await callerSees(anne, places);
      await sees(phone, places);
    });

    test.runIf(linphoneHasH264())('with H.264', async () => {
      const anne = await enter(videoCaller(parley, 'anne', { video: { formats: [{ codec: 'VP8' }] } }));
      const phone = await linphone('H264');
      await callerSees(anne, places);
      await sees(phone, places);
    });
  });

  test.runIf(baresipHasVideo() && peersPresent('linphonec'))(
    'baresip with H.264, Linphone with VP8 and one of our own with VP8 see and hear each other',
    async () => {
      const anne = await enter(videoCaller(parley, 'anne', { video: { formats: [{ codec: 'VP8' }] } }));
      const one = await baresip('H264');
      const other = await linphone('VP8');
      const places = { [ANNE_COLOUR]: TOP_LEFT, [BARESIP_COLOUR]: TOP_RIGHT, [LINPHONE_COLOUR]: BOTTOM_MIDDLE };
      await callerSees(anne, places);
      await sees(one, places);
      await sees(other, places);
      await pause(1_000);
      const toMs = performance.now() - 300;
      const listeners = [
        { name: 'baresip', hearing: one.hearing() },
        { name: 'linphone', hearing: other.hearing() },
        { name: 'anne', hearing: anne.hearing() },
      ];
      assertWhoHearsWhom({ voices: [BARESIP, LINPHONE], listeners, fromMs: toMs - 700, toMs });
    },
  );
});
