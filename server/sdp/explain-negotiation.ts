import type { AudioCodecName, AudioMedia } from '../../mixer/protocol.ts';
import { AUDIO_CAPABILITIES, codecOf, LAST_RESORT_CODECS } from './audio-capabilities.ts';
import type { RtpFormat } from './media-attributes.ts';
import type { ExplainedFormat, NegotiationExplanation } from './negotiation-explanation.ts';
import { isReachable, type RemoteAudio, readRemoteAudio } from './remote-audio.ts';
import type { MediaDescription, SessionDescription } from './session-description.ts';
import { chooseCrypto, isPlainProfile, isSecureProfile, type SrtpPolicy } from './srtp-policy.ts';

export interface NegotiationSurroundings {
  readonly theirs: 'offer' | 'answer';
  /** Ours, in the order of preference. */
  readonly codecs: readonly AudioCodecName[];
  readonly srtp: SrtpPolicy;
  /** Ours: media is sent from there. */
  readonly address: string;
  /** Null: nothing was agreed. */
  readonly agreed: AudioMedia | null;
  /** Which stream of theirs was taken; null: none. */
  readonly mediaIndex: number | null;
}

/** Static payload types (RFC 3551 §6) that we do not have, so that they can be named. */
const FOREIGN_STATIC: ReadonlyMap<number, string> = new Map([
  [3, 'GSM/8000'],
  [4, 'G723/8000'],
  [5, 'DVI4/8000'],
  [6, 'DVI4/16000'],
  [7, 'LPC/8000'],
  [10, 'L16/44100/2'],
  [11, 'L16/44100'],
  [12, 'QCELP/8000'],
  [15, 'G728/8000'],
  [18, 'G729/8000'],
]);

/** Why a description of theirs led to what was agreed: for people who look for the codec that they expected. */
export function explainNegotiation(
  description: SessionDescription,
  surroundings: NegotiationSurroundings,
): NegotiationExplanation {
  const named = new Set<AudioCodecName>();
  const streams = description.media.map((media, index) => {
    const audio = media.media === 'audio' ? readRemoteAudio(description, media) : null;
    const taken = surroundings.agreed !== null && index === surroundings.mediaIndex;
    for (const { codec } of audio?.codecs ?? []) named.add(codec);
    return {
      media: media.media,
      protocol: media.protocol,
      taken,
      reason: taken ? takenBecause(surroundings.agreed!) : refusedBecause(media, audio, surroundings),
      formats: audio === null ? [] : formatsOf(media, audio, taken, surroundings),
    };
  });
  const notNamed = surroundings.codecs.filter((codec) => !named.has(codec));
  return { theirs: surroundings.theirs, streams, notNamed };
}

function takenBecause({ crypto }: AudioMedia): string {
  return crypto == null ? 'taken, without encryption' : `taken, encrypted with ${crypto.suite}`;
}

function refusedBecause(
  media: MediaDescription,
  audio: RemoteAudio | null,
  { srtp, address, agreed }: NegotiationSurroundings,
): string {
  if (audio === null) return 'only audio is taken';
  if (media.port === 0) return 'they have switched it off (port 0)';
  const { protocol } = media;
  if (!isPlainProfile(protocol) && !isSecureProfile(protocol)) return `we do not do ${protocol}`;
  if (chooseCrypto(media, srtp) === false) {
    if (srtp === 'off') return 'it is encrypted, and `srtp` is off here';
    return isSecureProfile(protocol)
      ? 'none of its a=crypto lines has a suite of ours'
      : 'it is not encrypted, and `srtp` is required here';
  }
  if (!isReachable(audio, address)) return 'its address is of another family than ours';
  return agreed === null ? 'no codec of it is one of ours' : 'another stream was taken; there is one for each call';
}

function formatsOf(
  media: MediaDescription,
  audio: RemoteAudio,
  taken: boolean,
  surroundings: NegotiationSurroundings,
): ExplainedFormat[] {
  const known = new Map(audio.formats.map((format) => [format.payloadType, format]));
  const seen = new Set<AudioCodecName>();
  return media.formats.flatMap((text): ExplainedFormat[] => {
    const payloadType = Number(text);
    if (!Number.isInteger(payloadType)) return [];
    const format = known.get(payloadType);
    if (format === undefined) {
      const name = FOREIGN_STATIC.get(payloadType) ?? 'unknown';
      const reason = name === 'unknown' ? 'it has no rtpmap that says what it is' : 'we do not have this codec';
      return [{ payloadType, name, verdict: 'lost', reason }];
    }
    const codec = codecOf(format);
    const again = codec !== null && seen.has(codec);
    if (codec !== null) seen.add(codec);
    const told = again
      ? ({ verdict: 'lost', reason: 'the same codec stands before it' } as const)
      : explainFormat(format, codec, taken, surroundings);
    return [{ payloadType, name: nameOf(format), ...told }];
  });
}

function explainFormat(
  format: RtpFormat,
  codec: AudioCodecName | null,
  taken: boolean,
  { agreed, codecs }: NegotiationSurroundings,
): Pick<ExplainedFormat, 'verdict' | 'reason'> {
  const name = format.encodingName.toLowerCase();
  if (name === 'telephone-event') return explainKeys(format, taken ? agreed : null);
  if (name === 'cn') return { verdict: 'auxiliary', reason: 'comfort noise in place of silence, no codec' };
  if (codec === null) return { verdict: 'lost', reason: foreignBecause(format) };
  if (!taken || agreed === null) return { verdict: 'lost', reason: 'its stream was not taken' };
  if (agreed.send.codec === codec) {
    return { verdict: 'sent', reason: 'the first of our codecs, in our order of quality, that they have' };
  }
  if (agreed.receive.some((received) => received.codec === codec)) {
    return { verdict: 'accepted', reason: `they may send it; we send ${agreed.send.codec}, which comes before it` };
  }
  if (codecs.includes(codec)) return { verdict: 'lost', reason: 'it was not part of our offer' };
  return LAST_RESORT_CODECS.includes(codec)
    ? { verdict: 'lost', reason: 'taken only by those who have nothing else in common with us' }
    : { verdict: 'lost', reason: 'switched off here: it is not among the configured `codecs`' };
}

function explainKeys(format: RtpFormat, agreed: AudioMedia | null): Pick<ExplainedFormat, 'verdict' | 'reason'> {
  const used = agreed?.receiveTelephoneEvent;
  if (used == null) return { verdict: 'lost', reason: 'for keys; not agreed upon' };
  return used.clockRateHz === format.clockRateHz
    ? { verdict: 'auxiliary', reason: 'for keys' }
    : { verdict: 'lost', reason: `for keys; that with ${used.clockRateHz} Hz is used` };
}

/** A name that we know, but not with these parameters; or one that we do not know. */
function foreignBecause({ encodingName, clockRateHz, channels }: RtpFormat): string {
  const ours = Object.values(AUDIO_CAPABILITIES).filter(
    (capability) => capability.encodingName.toLowerCase() === encodingName.toLowerCase(),
  );
  if (ours.length === 0) return 'we do not have this codec';
  const rates = ours.map((capability) => `${capability.clockRateHz} Hz`).join(', ');
  if (!ours.some((capability) => capability.clockRateHz === clockRateHz)) return `we have it only with ${rates}`;
  return `we have it only mono, not with ${channels} channels`;
}

function nameOf({ encodingName, clockRateHz, channels }: RtpFormat): string {
  return `${encodingName}/${clockRateHz}${channels === 1 ? '' : `/${channels}`}`;
}
