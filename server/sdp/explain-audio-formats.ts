import type { AudioCodecName, AudioMedia } from '../../mixer/protocol.ts';
import { AUDIO_CAPABILITIES, codecOf, LAST_RESORT_CODECS } from './audio-capabilities.ts';
import { explainFormats, type Verdict } from './explain-formats.ts';
import type { RtpFormat } from './media-attributes.ts';
import type { ExplainedFormat } from './negotiation-explanation.ts';
import type { RemoteAudio } from './remote-audio.ts';
import type { MediaDescription } from './session-description.ts';

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

/** `agreed` is null where the stream was not taken; `codecs` are ours. */
export function explainAudioFormats(
  media: MediaDescription,
  audio: RemoteAudio,
  agreed: AudioMedia | null,
  codecs: readonly AudioCodecName[],
): ExplainedFormat[] {
  const seen = new Set<AudioCodecName>();
  return explainFormats(media, audio.formats, FOREIGN_STATIC, (format) => {
    const codec = codecOf(format);
    if (codec !== null && seen.has(codec)) return { verdict: 'lost', reason: 'the same codec stands before it' };
    if (codec !== null) seen.add(codec);
    return explainFormat(format, codec, agreed, codecs);
  });
}

function explainFormat(
  format: RtpFormat,
  codec: AudioCodecName | null,
  agreed: AudioMedia | null,
  codecs: readonly AudioCodecName[],
): Verdict {
  const name = format.encodingName.toLowerCase();
  if (name === 'telephone-event') return explainKeys(format, agreed);
  if (name === 'cn') return { verdict: 'auxiliary', reason: 'comfort noise in place of silence, no codec' };
  if (codec === null) return { verdict: 'lost', reason: foreignBecause(format) };
  if (agreed === null) return { verdict: 'lost', reason: 'its stream was not taken' };
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

function explainKeys(format: RtpFormat, agreed: AudioMedia | null): Verdict {
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
