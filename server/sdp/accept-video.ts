import type { VideoFormat, VideoMedia } from '../../mixer/video-protocol.ts';
import type { AcceptedStream } from './accept-stream.ts';
import type { LocalMedia } from './local-description.ts';
import { directionTowards } from './remote-stream.ts';
import { type RemoteVideo, readRemoteVideo } from './remote-video.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';
import type { RemoteVideoFormat } from './video-formats.ts';
import { readVideoLimits } from './video-limits.ts';
import type { VideoSettings } from './video-options.ts';

/** What an answer to our video stream settles; null: no format of it is one that we offered. */
export function settleVideo(
  [offer, ourStream]: [SessionDescription, MediaDescription],
  [answer, theirStream]: [SessionDescription, MediaDescription],
  { stream: theirs, crypto }: AcceptedStream<RemoteVideo>,
  local: LocalMedia,
  settings: VideoSettings,
): VideoMedia | null {
  const ours = readRemoteVideo(offer, ourStream);
  const taken = theirs.videoFormats.filter((format) => ours.videoFormats.some((offered) => answers(format, offered)));
  // RFC 3264 §7: the offerer should send what the answer has first.
  const [first] = taken;
  if (first === undefined) return null;
  const receive = ours.videoFormats.flatMap((offered): VideoFormat[] => {
    const answered = taken.find((format) => answers(format, offered));
    if (answered === undefined) return [];
    const { feedback, parameterSets, rtxPayloadType: theirRtx } = answered.format;
    // RTX is theirs to refuse.
    const rtxPayloadType = theirRtx === null ? null : offered.format.rtxPayloadType;
    const sets = parameterSets === undefined ? {} : { parameterSets };
    return [{ ...offered.format, ...sets, rtxPayloadType, feedback }];
  });
  return {
    remote: theirs.remote,
    rtcpMux: ours.rtcpMux && theirs.rtcpMux,
    direction: directionTowards(theirs, local.direction),
    send: first.format,
    receive,
    limits: readVideoLimits(answer, theirStream, first, settings),
    crypto,
  };
}

/**
 * Whether a format of theirs is an answer to one of ours.
 *
 * Deviation: RFC 6184 §8.2.2 would have the same mode and profile. Many phones say their own, on the payload type of the
 * offer: baseline for constrained baseline, which is what they send, and nothing of the mode. We then receive what comes,
 * and send what they say.
 */
function answers(theirs: RemoteVideoFormat, ours: RemoteVideoFormat): boolean {
  if (theirs.meaning === ours.meaning) return true;
  const { codec, payloadType } = ours.format;
  const [profile, ourProfile] = [theirs.profileLevel?.profile, ours.profileLevel?.profile];
  const fits = profile === ourProfile || (profile === 'baseline' && ourProfile === 'constrained-baseline');
  return (
    theirs.format.codec === codec &&
    fits &&
    (theirs.choice === ours.choice || theirs.format.payloadType === payloadType)
  );
}
