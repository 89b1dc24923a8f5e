import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import type { VideoCaller, VideoCallerOptions } from './clients/video/video-caller.ts';
import { colourNumberOf, type Name, videoCaller } from './clients/video/video-party.ts';
import { LEFT_OF_TWO, RIGHT_OF_TWO, shows } from './clients/video/what-is-seen.ts';

const ROOM = 'key-frames';
const BOTH = { [colourNumberOf('anne')]: LEFT_OF_TWO, [colourNumberOf('bert')]: RIGHT_OF_TWO };
const MEDIA_CONTROL = 'Content-Type: application/media_control+xml';
const FAST_UPDATE =
  '<?xml version="1.0" encoding="utf-8"?><media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>';

describe.runIf(peersPresent('ffmpeg'))('key frames', () => {
  let parley: Parley;
  let callers: VideoCaller[] = [];

  beforeEach(async () => {
    parley = await Parley.start({ video: true, env: { PARLEY_AUDIO_MIXERS: '1' } });
  });

  afterEach(async () => {
    await Promise.all(callers.map((caller) => caller.stop()));
    callers = [];
    await parley.stop();
  });

  const enter = async (name: Name, options: Partial<VideoCallerOptions> = {}): Promise<VideoCaller> => {
    const caller = await videoCaller(parley, name, options);
    callers.push(caller);
    await caller.dial(parley.sipUri(ROOM));
    return caller;
  };
  const bothSeen = (caller: VideoCaller) =>
    caller.receiving.seen(`${caller.voice.name}: both`, (picture) => shows(picture, BOTH), 10_000);
  const keyFramesSince = ({ receiving }: VideoCaller, sinceMs: number): number =>
    receiving.pictures.filter(({ key, arrivedMs }) => key && arrivedMs >= sinceMs).length;

  test.each(['H264', 'VP8'] as const)('a newcomer with %s has a picture at once', async (codec) => {
    await enter('anne');
    const bert = await videoCaller(parley, 'bert', { video: { formats: [{ codec }] } });
    callers.push(bert);
    await pause(1_000);
    const dialledMs = performance.now();
    await bert.dial(parley.sipUri(ROOM));
    const picture = await bothSeen(bert);
    const [first] = bert.receiving.pictures;
    const afterMs = first!.arrivedMs - dialledMs;
    console.log(
      `MEASURED ${codec}: the first picture ${afterMs.toFixed(0)} ms after the INVITE, with themselves in it after ${(picture.arrivedMs - dialledMs).toFixed(0)} ms`,
    );
    expect(first!.key).toBe(true);
    expect(afterMs).toBeLessThan(1_000);
  });

  test('who asks for them all the time gets few, and so do those who share the encoder', async () => {
    const anne = await enter('anne');
    const bert = await enter('bert');
    await Promise.all([bothSeen(anne), bothSeen(bert)]);
    await pause(1_500);
    const sinceMs = performance.now();
    for (let asked = 0; asked < 150; asked++) {
      anne.receiving.askForKeyFrame(true);
      await pause(20);
    }
    await pause(300);
    const counts = [keyFramesSince(anne, sinceMs), keyFramesSince(bert, sinceMs)];
    console.log(`MEASURED 150 PLI in 3 s: ${counts} key frames at who asks and at the other`);
    expect(counts[0]).toBeGreaterThan(0);
    expect(Math.max(...counts)).toBeLessThanOrEqual(10);
  });

  test('asked for by INFO it comes (RFC 5168)', async () => {
    const anne = await enter('anne', { video: { formats: [{ codec: 'H264' }], feedback: false } });
    const bert = await enter('bert');
    await Promise.all([bothSeen(anne), bothSeen(bert)]);
    await pause(1_500);
    const sinceMs = performance.now();
    const { status } = await anne.call.request('INFO', { headers: [MEDIA_CONTROL], body: FAST_UPDATE });
    expect(status).toBe(200);
    await anne.receiving.seen('a key frame', ({ key, arrivedMs }) => key && arrivedMs > sinceMs, 10_000);
    expect(keyFramesSince(anne, sinceMs)).toBe(1);
  });

  test('who takes no PLI is asked by INFO, and is seen again', async () => {
    const anne = await enter('anne');
    const bert = await enter('bert', { video: { formats: [{ codec: 'VP8' }], feedback: false } });
    await Promise.all([bothSeen(anne), bothSeen(bert)]);
    const asked = () =>
      bert.call.requests.filter(({ method, body }) => method === 'INFO' && body.includes('picture_fast_update'));
    const before = asked().length;
    bert.videoSocket.loss = { received: 0, sent: 1 };
    await pause(100);
    bert.videoSocket.loss = { received: 0, sent: 0 };
    await eventually('an INFO', asked, ({ length }) => length > before);
    bert.sending.heard({ type: 'PLI', ssrc: 0 });
    await bothSeen(anne);
  });

  test('it is as small as was said with b=TIAS, and a smaller one is sent to who takes less', async () => {
    const anne = await enter('anne', {
      video: { formats: [{ codec: 'H264', profileLevelId: '42e00c' }], attributes: ['b=TIAS:200000'] },
    });
    const bert = await enter('bert');
    const [small, large] = await Promise.all([bothSeen(anne), bothSeen(bert)]);
    console.log(
      `MEASURED level 1.2 and 200 kbit/s: ${small.width}x${small.height}; the other ${large.width}x${large.height}`,
    );
    expect(large.width).toBe(1_280);
    // Level 1.2: 396 macroblocks.
    expect((small.width * small.height) / 256).toBeLessThanOrEqual(396);
    const from = { octets: anne.receiving.octets, timeMs: performance.now() };
    await pause(4_000);
    const bitsPerSecond = (8_000 * (anne.receiving.octets - from.octets)) / (performance.now() - from.timeMs);
    console.log(`MEASURED ${(bitsPerSecond / 1_000).toFixed(0)} kbit/s of 200`);
    expect(bitsPerSecond).toBeLessThan(220_000);
  });
});
