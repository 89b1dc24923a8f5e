import type { VideoStreamName } from '../../mixer/video-protocol.ts';
import { readFloorControl } from './floor-control.ts';
import { attributeValue } from './media-attributes.ts';
import { type RemoteStream, readRemoteStream } from './remote-stream.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';
import { type RemoteVideoFormat, readVideoFormats } from './video-formats.ts';

/** What the other side says of a video stream, from its offer or answer alike. */
export interface RemoteVideo extends RemoteStream {
  /** Those of our codecs, in its order. */
  videoFormats: RemoteVideoFormat[];
}

export function readRemoteVideo(session: SessionDescription, media: MediaDescription): RemoteVideo {
  const stream = readRemoteStream(session, media);
  return { ...stream, videoFormats: readVideoFormats(media, stream.formats) };
}

/**
 * Which video streams of an offer are for people, and which for slides: these are marked by `a=content` (RFC 4796), or by
 * the label that a floor control stream has for them (RFC 8856 §5.4).
 */
export function videoIndices(offer: SessionDescription): Record<VideoStreamName, number[]> {
  const floorLabels = new Set(offer.media.flatMap((media) => readFloorControl(offer, media)?.streamLabels ?? []));
  const indices: Record<VideoStreamName, number[]> = { main: [], slides: [] };
  for (const [index, media] of offer.media.entries()) {
    if (media.media !== 'video') continue;
    const content =
      attributeValue(media, 'content')
        ?.toLowerCase()
        .split(/[\s,]+/) ?? null;
    const isSlides = content?.includes('slides') ?? floorLabels.has(attributeValue(media, 'label') ?? '');
    indices[isSlides ? 'slides' : 'main'].push(index);
  }
  return indices;
}
