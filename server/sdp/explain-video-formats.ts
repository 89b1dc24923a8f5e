import type { VideoMedia } from '../../mixer/video-protocol.ts';
import { explainFormats, type Verdict } from './explain-formats.ts';
import { readProfileLevelId } from './h264-profile.ts';
import { type RtpFormat, readFormatParameters } from './media-attributes.ts';
import type { ExplainedFormat } from './negotiation-explanation.ts';
import type { RemoteVideo } from './remote-video.ts';
import type { MediaDescription } from './session-description.ts';
import { aptOf, h264Choice, isRtx, readVideoFormat } from './video-formats.ts';
import type { VideoSettings } from './video-options.ts';

/** Static payload types (RFC 3551 §6), so that they can be named. */
const FOREIGN_STATIC: ReadonlyMap<number, string> = new Map([
  [26, 'JPEG/90000'],
  [31, 'H261/90000'],
  [32, 'MPV/90000'],
  [34, 'H263/90000'],
]);

/** `agreed` is null where the stream was not taken; `settings` are ours, null where no video is wanted. */
export function explainVideoFormats(
  media: MediaDescription,
  video: RemoteVideo,
  agreed: VideoMedia | null,
  settings: VideoSettings | null,
): ExplainedFormat[] {
  const first = new Map(video.videoFormats.map(({ meaning, format }) => [meaning, format.payloadType]));
  return explainFormats(media, video.formats, FOREIGN_STATIC, (format) => {
    if (isRtx(format)) return explainRtx(format, agreed);
    const read = readVideoFormat(media, format, video.formats);
    if (read === null) return { verdict: 'lost', reason: foreignBecause(format) };
    if (agreed === null) return { verdict: 'lost', reason: 'its stream was not taken' };
    if (first.get(read.meaning) !== format.payloadType) {
      return { verdict: 'lost', reason: 'the same codec, mode and profile stands before it' };
    }
    if (agreed.send.payloadType === format.payloadType) {
      return { verdict: 'sent', reason: 'the first of our codecs, in our order, that they have' };
    }
    return settings?.codecs.includes(read.choice)
      ? { verdict: 'accepted', reason: `they may send it; we send payload type ${agreed.send.payloadType}` }
      : { verdict: 'lost', reason: `switched off here: ${read.choice} is not among our video codecs` };
  });
}

function explainRtx(format: RtpFormat, agreed: VideoMedia | null): Verdict {
  const apt = aptOf(format);
  return agreed?.receive.some(({ rtxPayloadType }) => rtxPayloadType === format.payloadType)
    ? { verdict: 'auxiliary', reason: `what is sent again of payload type ${apt}` }
    : { verdict: 'lost', reason: 'for what is sent again; not agreed upon' };
}

/** H.264 that we cannot take, or a codec that we do not have. */
function foreignBecause({ encodingName, fmtp }: RtpFormat): string {
  if (encodingName.toUpperCase() !== 'H264') return 'we do not have this codec';
  const parameters = readFormatParameters(fmtp);
  if (h264Choice(parameters) === null) return 'we do packetization modes 0 and 1 only';
  return readProfileLevelId(parameters['profile-level-id']) === null
    ? 'its profile-level-id is not six hexadecimal digits'
    : 'we do not have this profile: baseline, main and high only';
}
