import { beforeEach, describe, expect, it } from 'vitest';
import type { MediaPorts } from '../../mixer/protocol.ts';
import type { VideoStreamName, VideoStreamStatistics } from '../../mixer/video-protocol.ts';
import { ParticipantVideo } from '../../server/focus/participant-video.ts';
import type { MediaSession } from '../../server/sdp/media-session.ts';
import type { AgreedVideo } from '../../server/sdp/video-options.ts';
import { someMedia } from '../mixers/some-video.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { FakeVideo } from './fake-video.ts';

let mixers: FakeVideo;
let timers: VirtualTimers;
let video: ParticipantVideo;
let roomHasVideo: boolean;
let failures: { stream: VideoStreamName; reason: string }[];
/** Ports that the session has of each stream; null: it was told that there are none. */
let bound: Map<VideoStreamName, MediaPorts | null>;
const session = {
  bindVideo: (stream: VideoStreamName, ports: MediaPorts | null) => void bound.set(stream, ports),
} as unknown as MediaSession;

const settled = () => new Promise((resolve) => setImmediate(resolve));
const main: AgreedVideo = { video: someMedia(), slides: null };
const both: AgreedVideo = { video: someMedia(), slides: someMedia({ direction: 'recvonly' }) };
const none: AgreedVideo = { video: null, slides: null };

beforeEach(() => {
  mixers = new FakeVideo();
  timers = new VirtualTimers();
  roomHasVideo = true;
  failures = [];
  bound = new Map();
  video = new ParticipantVideo({
    ...{ leg: 'ann', mixers, timers },
    roomTakes: () => (roomHasVideo ? '720p' : null),
    changed: () => {},
    failed: (what) => void failures.push(what),
  });
});

async function answered(agreed = main): Promise<void> {
  await video.prepareAnswer(session, 'demo', agreed);
  video.agreed(agreed, false);
}

describe('video that is agreed upon', () => {
  it('has its streams opened with all that is known, and the mixer is told no more while nothing changes', async () => {
    await answered(both);
    expect(mixers.asked).toEqual(['openStream ann main demo', 'openStream ann slides demo']);
    expect(bound.get('main')).toEqual({ rtpPort: 30_002, rtcpPort: 30_003 });
    video.agreed(both, false);
    expect(mixers.asked).toHaveLength(2);
    expect(video.view).toEqual({ codec: 'H264', direction: 'sendrecv', width: null, height: null, slides: false });
  });

  it('comes and goes with each offer: what is not part of it any more is closed', async () => {
    await answered();
    await answered(both);
    expect(mixers.asked).toEqual(['openStream ann main demo', 'openStream ann slides demo']);
    await answered({ video: someMedia({ direction: 'recvonly' }), slides: null });
    expect(mixers.asked.slice(2)).toEqual(['updateStream ann main recvonly', 'closeStream ann slides']);
    await answered(none);
    expect([mixers.open.size, video.isOpen, video.view]).toEqual([0, false, null]);
  });

  it('is opened once, however often it is asked for meanwhile, and moved when it is there', async () => {
    let go = (): void => undefined;
    mixers.opening = new Promise((resolve) => {
      go = resolve;
    });
    const asked = [video.prepareOffer(session, 'demo'), video.prepareOffer(session, 'demo')];
    const moved = video.moveTo(session, 'other');
    go();
    await Promise.all(asked);
    expect(await moved).toBe(false);
    expect(mixers.asked).toEqual(['openStream ann main demo', 'moveStream ann main other']);
    expect(bound.get('main')).not.toBeNull();
    expect(failures).toEqual([]);
  });

  it('is inactive while the call is on hold', async () => {
    await answered();
    video.agreed(main, true);
    expect(mixers.open.get('ann main')?.media?.direction).toBe('inactive');
    expect(video.view?.direction).toBe('inactive');
    video.agreed(main, false);
    expect(mixers.open.get('ann main')?.media?.direction).toBe('sendrecv');
  });

  it('shows what comes of it', async () => {
    await answered(both);
    video.pictureTold('main', { width: 640, height: 360 });
    video.pictureTold('slides', { width: 1920, height: 1080 });
    expect(video.view).toMatchObject({ width: 640, height: 360, slides: true });
    video.agreed(main, false);
    expect(video.view).toMatchObject({ width: 640, slides: false });
    // Late, of a stream that is closed by now.
    video.pictureTold('slides', { width: 1920, height: 1080 });
    expect(video.view).toMatchObject({ slides: false });
  });
});

describe('an offer of ours', () => {
  it('has video where it is wanted, once', async () => {
    await video.prepareOffer(session, 'demo');
    await video.prepareOffer(session, 'demo');
    expect([mixers.asked, video.view]).toEqual([['openStream ann main demo'], null]);
    video.agreed(none, false);
    expect(mixers.open.size).toBe(0);
  });

  it.each([
    ['the room has none', false, {}],
    ['there is none at all', true, { available: false }],
    ['no mixer is up', true, { isUp: false }],
  ])('has none where %s', async (_why, wanted, mixer) => {
    roomHasVideo = wanted;
    Object.assign(mixers, mixer);
    await video.prepareOffer(session, 'demo');
    expect([video.isWanted, mixers.asked]).toEqual([false, []]);
  });

  it('keeps what is there while its mixer is started again', async () => {
    await answered();
    mixers.isUp = false;
    expect(video.isWanted).toBe(true);
  });
});

describe('a video mixer that fails', () => {
  it('costs video alone: the session hears that there are no ports', async () => {
    mixers.refuses = 'openStream';
    await answered(both);
    expect([...bound.values()]).toEqual([null, null]);
    expect(failures.map(({ stream }) => stream)).toEqual(['main', 'slides']);
    expect(video.isOpen).toBe(false);
    mixers.refuses = 'updateStream';
    video.agreed(main, false);
    await settled();
    expect(failures).toHaveLength(2);
  });

  it('is not waited for long, and what it opens too late is closed', async () => {
    let opened = (): void => {};
    mixers.opening = new Promise((resolve) => {
      opened = resolve;
    });
    const preparing = video.prepareAnswer(session, 'demo', main);
    timers.advance(1500);
    await preparing;
    expect([bound.get('main'), failures[0]?.reason]).toEqual([null, 'Error: the video mixer takes too long']);
    opened();
    await settled();
    expect([mixers.asked.at(-1), mixers.open.size]).toEqual(['closeStream ann main', 0]);
  });

  it('leaves no timer behind', async () => {
    await answered(both);
    expect(timers.pending).toBe(0);
  });

  it('says so in the log when it does not take a change', async () => {
    await answered();
    mixers.refuses = 'updateStream';
    video.agreed({ video: someMedia({ direction: 'inactive' }), slides: null }, false);
    await settled();
    expect(failures).toEqual([{ stream: 'main', reason: 'MixerError: no' }]);
  });
});

describe('one who is moved', () => {
  it('takes the streams along where the mixer is the same', async () => {
    await answered(both);
    expect(await video.moveTo(session, 'side')).toBe(false);
    expect([...mixers.open.values()].map(({ room }) => room)).toEqual(['side', 'side']);
  });

  it('gets other ports on another mixer, which the phone must be told; media is the same', async () => {
    await answered();
    mixers.elsewhere.add('far');
    expect(await video.moveTo(session, 'far')).toBe(true);
    expect(mixers.asked.slice(1)).toEqual([
      'moveStream ann main far',
      'closeStream ann main',
      'openStream ann main far',
    ]);
    expect([bound.get('main')?.rtpPort, mixers.open.get('ann main')?.media]).toEqual([30_004, main.video]);
  });

  it('loses video, and nothing else, where the mixer does not manage it', async () => {
    await answered();
    mixers.elsewhere.add('far');
    mixers.refuses = 'openStream';
    expect(await video.moveTo(session, 'far')).toBe(true);
    expect([bound.get('main'), video.isOpen]).toEqual([null, false]);
  });

  it('to a room without video has none there', async () => {
    await answered();
    roomHasVideo = false;
    expect(await video.moveTo(session, 'plain')).toBe(true);
    expect([bound.get('main'), mixers.open.size]).toEqual([null, 0]);
    expect(await video.moveTo(session, 'plain')).toBe(false);
    roomHasVideo = true;
    expect(await video.moveTo(session, 'demo')).toBe(true);
    expect([bound.get('main')?.rtpPort, video.isMissed]).toEqual([30_004, false]);
  });
});

it('asks for key frames in signalling once in two seconds', async () => {
  await answered(both);
  expect([video.mayAskKeyFrame(), video.mayAskKeyFrame()]).toEqual([true, false]);
  timers.advance(1999);
  expect(video.mayAskKeyFrame()).toBe(false);
  timers.advance(1);
  expect(video.mayAskKeyFrame()).toBe(true);
  video.sendKeyFrame();
  expect(mixers.asked.slice(2)).toEqual(['sendKeyFrame ann main', 'sendKeyFrame ann slides']);
});

it('whose call has ended while a stream was being opened leaves none behind', async () => {
  let opened = (): void => {};
  mixers.opening = new Promise((resolve) => {
    opened = resolve;
  });
  const preparing = video.prepareAnswer(session, 'demo', main);
  video.close();
  opened();
  await preparing;
  await settled();
  expect([mixers.open.size, video.isWanted, bound.size]).toEqual([0, false, 0]);
});

describe('how the pictures fare', () => {
  const counted: VideoStreamStatistics = {
    ...{
      packetsReceived: 990,
      packetsSent: 500,
      bytesReceived: 1,
      bytesSent: 1,
      packetsExpected: 1000,
      packetsLost: 13,
    },
    ...{ jitterMs: 3.14, remoteFractionLost: 13 / 256, roundTripMs: 20.04, nacksSent: 9, retransmitted: 4 },
    ...{ keyFramesAsked: 2, keyFramesSent: 3, framesDecoded: 100, framesBroken: 1, framesSent: 90 },
    received: { codec: 'VP8', width: 640, height: 360, fps: 24.9, bitrateBps: 700_000 },
    sent: { codec: 'H264', width: 1280, height: 720, fps: 25, bitrateBps: 1_499_999.6 },
  };
  const shown = {
    stream: 'main',
    received: {
      ...{ codec: 'VP8', width: 640, height: 360, fps: 24.9, bitrateBps: 700_000 },
      ...{ lossPercent: 1.3, jitterMs: 3.1, broken: 1, keyFramesAsked: 2 },
    },
    sent: {
      ...{ codec: 'H264', width: 1280, height: 720, fps: 25, bitrateBps: 1_500_000 },
      ...{ lossPercent: 5.1, packetsResent: 4, keyFrames: 3 },
    },
    roundTripMs: 20,
  };

  it('is told of each stream, as its mixer counts, and after the call as it was at the end', async () => {
    mixers.counted.set('ann main', counted);
    expect(await video.quality()).toEqual([]);
    await answered();
    expect(await video.quality()).toEqual([shown]);
    video.close();
    expect(await video.quality()).toEqual([shown]);
  });

  it('is not told where the mixer cannot say', async () => {
    await answered(both);
    mixers.counted.set('ann slides', { ...counted, received: null, sent: null, remoteFractionLost: null });
    expect(await video.quality()).toEqual([{ stream: 'slides', received: null, sent: null, roundTripMs: 20 }]);
  });
});
