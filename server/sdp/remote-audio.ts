import type { AudioFormat, AudioLevelExtension, TelephoneEventFormat } from '../../mixer/protocol.ts';
import {
  audioFormatsOf,
  hasComfortNoise,
  MAX_PTIME_MS,
  MIN_PTIME_MS,
  telephoneEventsOf,
} from './audio-capabilities.ts';
import { readAudioLevel } from './audio-level-extension.ts';
import { attributeValue, readPacketTime } from './media-attributes.ts';
import { type RemoteStream, readRemoteStream } from './remote-stream.ts';
import type { AttributeHolder, MediaDescription, SessionDescription } from './session-description.ts';

/** What the other side says of an audio stream, from its offer or answer alike. */
export interface RemoteAudio extends RemoteStream {
  /** Those of our codecs, in its order. */
  codecs: AudioFormat[];
  telephoneEvents: TelephoneEventFormat[];
  /** Payload type 13 is comfort noise to it. */
  comfortNoise: boolean;
  /** It does not want our silence left out (RFC 3108 §5.6.2.6, `a=silenceSupp`), whatever it can do. */
  wantsSilence: boolean;
  /** The level of each packet that it would send; null when none. */
  audioLevel: AudioLevelExtension | null;
  /** How long it wants our packets to be, within what we can do; null when it does not say. */
  ptimeMs: number | null;
  maxptimeMs: number;
  /** It wants our VoIP metrics in RTCP (RFC 3611 §5.1). */
  voipMetrics: boolean;
}

export function readRemoteAudio(session: SessionDescription, media: MediaDescription): RemoteAudio {
  const stream = readRemoteStream(session, media);
  const ptimeMs = readPacketTime(session, media, 'ptime');
  const maxptimeMs = readPacketTime(session, media, 'maxptime') ?? MAX_PTIME_MS;
  return {
    ...stream,
    codecs: audioFormatsOf(stream.formats),
    telephoneEvents: telephoneEventsOf(stream.formats),
    comfortNoise: hasComfortNoise(stream.formats),
    wantsSilence: /^off(?:\s|$)/i.test(attributeValue(media, 'silenceSupp') ?? ''),
    audioLevel: readAudioLevel(session, media),
    ptimeMs: ptimeMs === null ? null : withinBounds(Math.round(ptimeMs / 10) * 10),
    maxptimeMs: withinBounds(Math.floor(maxptimeMs / 10) * 10),
    voipMetrics: wantsVoipMetrics(session) || wantsVoipMetrics(media),
  };
}

/** `a=rtcp-xr:` and the reports that are wanted, separated by spaces (RFC 3611 §5.1). */
function wantsVoipMetrics(holder: AttributeHolder): boolean {
  return (attributeValue(holder, 'rtcp-xr') ?? '').toLowerCase().split(/\s+/).includes('voip-metrics');
}

function withinBounds(ptimeMs: number): number {
  return Math.min(Math.max(ptimeMs, MIN_PTIME_MS), MAX_PTIME_MS);
}

/** How long the packets that we send it shall be. */
export function sendPtimeFor(remote: RemoteAudio, wantedMs: number): number {
  return Math.min(remote.ptimeMs ?? wantedMs, remote.maxptimeMs);
}
