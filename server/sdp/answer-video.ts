import type { VideoMedia, VideoStreamName } from '../../mixer/video-protocol.ts';
import { type Candidate, chooseStream } from './choose-stream.ts';
import { writeCryptoAttribute } from './crypto-attribute.ts';
import { describeVideo } from './describe-video.ts';
import { type LocalMedia, type LocalStream, videoStreamOf } from './local-description.ts';
import { directionTowards } from './remote-stream.ts';
import { type RemoteVideo, readRemoteVideo } from './remote-video.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';
import { answeredParameters, commonVideoFormats } from './video-formats.ts';
import { readVideoLimits } from './video-limits.ts';
import type { VideoSettings } from './video-options.ts';

/** A video stream of an offer that we take, and ours for it. */
export interface ChosenVideo {
  candidate: Candidate<RemoteVideo>;
  stream: LocalStream;
  settings: VideoSettings;
}

/** Of the streams with these `indices`; null when there is none that we can take. */
export function chooseVideo(
  offer: SessionDescription,
  indices: readonly number[],
  local: LocalMedia,
  name: VideoStreamName,
  inUse: number | null,
): ChosenVideo | null {
  const ours = videoStreamOf(local, name);
  if (ours === null) return null;
  const candidate = chooseStream(offer.media, indices, inUse, {
    address: local.address,
    srtp: local.srtp,
    read: (media) => readRemoteVideo(offer, media),
    isUsable: ({ videoFormats }) => commonVideoFormats(videoFormats, ours.settings).length > 0,
  });
  return typeof candidate === 'number' ? null : { candidate, ...ours };
}

/**
 * Our answer to a video stream (RFC 3264 §6.1, RFC 6184 §8.2.2). `name` says which of two it is; null: it is the only one.
 *
 * Deviation: the order of formats is ours, as with sound.
 */
export function answerVideo(
  offer: SessionDescription,
  { candidate: { mediaIndex, stream: video, crypto }, stream, settings }: ChosenVideo,
  local: LocalMedia,
  name: VideoStreamName | null,
): { section: MediaDescription; media: VideoMedia } {
  const offered = offer.media[mediaIndex]!;
  const theirs = commonVideoFormats(video.videoFormats, settings);
  const direction = directionTowards(video, local.direction);
  const sendKey = crypto === null ? '' : stream.sendKeys.of(crypto.suite);
  // The same payload types in both directions (RFC 3264 §6.1), but each side's own parameters.
  const receive = theirs.map((remote) => ({ ...remote.format, parameters: answeredParameters(remote, settings) }));
  const section = describeVideo(stream.ports, {
    protocol: offered.protocol,
    formats: receive,
    direction,
    rtcpMux: video.rtcpMux,
    maxReceiveBps: settings.maxReceiveBps,
    name,
    crypto: crypto === null ? [] : [writeCryptoAttribute(crypto.tag, crypto.suiteName, sendKey)],
  });
  const media = {
    remote: video.remote,
    rtcpMux: video.rtcpMux,
    direction,
    send: theirs[0]!.format,
    receive,
    limits: readVideoLimits(offer, offered, theirs[0]!, settings),
    crypto: crypto && { suite: crypto.suite, sendKey, receiveKey: crypto.key, receiveMki: crypto.mki },
  };
  return { section, media };
}
