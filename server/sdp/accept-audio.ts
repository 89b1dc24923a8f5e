import type { AudioFormat, AudioMedia } from '../../mixer/protocol.ts';
import type { AcceptedStream } from './accept-stream.ts';
import { AUDIO_CAPABILITIES, COMFORT_NOISE_PAYLOAD_TYPE, mayRest, telephoneEventFor } from './audio-capabilities.ts';
import { ourAudioLevelId } from './audio-level-extension.ts';
import type { LocalMedia } from './local-description.ts';
import { type RemoteAudio, readRemoteAudio, sendPtimeFor } from './remote-audio.ts';
import { directionTowards } from './remote-stream.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';

/** What an answer to our audio stream settles; null: no format of it is one that we offered. */
export function settleAudio(
  offer: SessionDescription,
  ourStream: MediaDescription,
  { stream: theirs, crypto }: AcceptedStream<RemoteAudio>,
  local: LocalMedia,
): AudioMedia | null {
  // Our own offer, read as the other side reads it.
  const ours = readRemoteAudio(offer, ourStream);
  const receive: AudioFormat[] = [];
  let send: AudioFormat | null = null;
  for (const format of theirs.codecs) {
    const offered = ours.codecs.find((candidate) => candidate.codec === format.codec);
    if (offered === undefined) continue;
    receive.push({ ...offered, parameters: AUDIO_CAPABILITIES[format.codec].parameters });
    // RFC 3264 §7: the offerer should send what the answer has first.
    send ??= format;
  }
  if (send === null) return null;
  const accepted = telephoneEventFor(send.clockRateHz, theirs.telephoneEvents);
  // The identifiers are the offer's (RFC 8285 §6).
  const hasLevel = theirs.audioLevel?.id === ourAudioLevelId(ourStream);
  return {
    remote: theirs.remote,
    rtcpMux: ours.rtcpMux && theirs.rtcpMux,
    voipMetrics: theirs.voipMetrics,
    direction: directionTowards(theirs, local.direction),
    send,
    sendPtimeMs: sendPtimeFor(theirs, local.ptimeMs),
    receive,
    receiveTelephoneEvent: accepted === null ? null : telephoneEventFor(accepted.clockRateHz, ours.telephoneEvents),
    sendComfortNoise:
      ours.comfortNoise && theirs.comfortNoise && !theirs.wantsSilence && mayRest(send.codec)
        ? COMFORT_NOISE_PAYLOAD_TYPE
        : null,
    receiveAudioLevel: hasLevel ? theirs.audioLevel : null,
    crypto,
  };
}
