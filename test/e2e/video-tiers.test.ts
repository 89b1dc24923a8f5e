import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Parley } from './clients/parley.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { RTP_CLOCK_HZ } from './clients/video/coded-source.ts';
import { spreadOf } from './clients/video/lip-sync.ts';
import type { VideoCaller } from './clients/video/video-caller.ts';
import { colourNumberOf, videoCaller } from './clients/video/video-party.ts';
import type { SeenPicture } from './clients/video/video-receiver.ts';
import { BOTTOM_MIDDLE, type Places, shows, TOP_LEFT, TOP_RIGHT } from './clients/video/what-is-seen.ts';

const ROOM = 'tiers';
const PICTURES = 40;
const ALL: Places = {
  [colourNumberOf('anne')]: TOP_LEFT,
  [colourNumberOf('bert')]: TOP_RIGHT,
  [colourNumberOf('cleo')]: BOTTOM_MIDDLE,
};

/** What each says that they take (H.264, table A-1: pictures, and macroblocks a second), and so get. */
const PHONES = [
  { name: 'anne', profileLevelId: '42e028', size: '1920x1080', fps: 30 },
  { name: 'bert', profileLevelId: '42e01f', size: '1280x720', fps: 30 },
  { name: 'cleo', profileLevelId: '42e016', size: '640x360', fps: 15 },
] as const;

describe.runIf(peersPresent('ffmpeg'))('a room of 1080p with 30 pictures a second', () => {
  let parley: Parley;
  const callers: VideoCaller[] = [];

  beforeAll(async () => {
    parley = await Parley.start({ video: true, env: { PARLEY_AUDIO_MIXERS: '1' } });
    await parley.api.createRoom({ name: ROOM, videoSize: '1080p', videoFps: 30 });
  }, 60_000);
  afterAll(async () => {
    await Promise.all(callers.map((caller) => caller.stop()));
    await parley?.stop();
  });

  test('each gets the largest picture that their phone takes, and sees all in their places', async () => {
    for (const { name, profileLevelId } of PHONES) {
      const caller = await videoCaller(parley, name, { video: { formats: [{ codec: 'H264', profileLevelId }] } });
      callers.push(caller);
      await caller.dial(parley.sipUri(ROOM));
    }
    for (const [index, { name, size, fps }] of PHONES.entries()) {
      const { receiving } = callers[index]!;
      const { pictures } = receiving;
      const isWhole = (picture: SeenPicture) => shows(picture, ALL) && `${picture.width}x${picture.height}` === size;
      await receiving.seen(`${name} sees all in ${size}`, isWhole, 15_000);
      const from = pictures.length;
      await receiving.seen(`${name} sees more`, () => pictures.length > from + PICTURES, 15_000);
      const stamps = pictures.slice(-PICTURES).map(({ rtpTimestamp }) => rtpTimestamp);
      const steps = stamps.slice(1).map((stamp, at) => (stamp - stamps[at]!) >>> 0);
      expect(pictures.slice(-PICTURES).every(isWhole), name).toBe(true);
      const { median } = spreadOf(steps);
      expect(Math.abs(median / RTP_CLOCK_HZ - 1 / fps), `${name}: ${steps.join(' ')}`).toBeLessThan(0.002);
    }
  }, 90_000);
});
