import type { RtpFormat } from './media-attributes.ts';
import type { ExplainedFormat } from './negotiation-explanation.ts';
import type { MediaDescription } from './session-description.ts';

export type Verdict = Pick<ExplainedFormat, 'verdict' | 'reason'>;

/** Each payload type of the `m=` line. `foreignStatic` names those that need no rtpmap and are not ours. */
export function explainFormats(
  media: MediaDescription,
  formats: readonly RtpFormat[],
  foreignStatic: ReadonlyMap<number, string>,
  explain: (format: RtpFormat) => Verdict,
): ExplainedFormat[] {
  const known = new Map(formats.map((format) => [format.payloadType, format]));
  return media.formats.flatMap((text): ExplainedFormat[] => {
    const payloadType = Number(text);
    if (!Number.isInteger(payloadType)) return [];
    const format = known.get(payloadType);
    if (format !== undefined) return [{ payloadType, name: nameOf(format), ...explain(format) }];
    const name = foreignStatic.get(payloadType) ?? 'unknown';
    const reason = name === 'unknown' ? 'it has no rtpmap that says what it is' : 'we do not have this codec';
    return [{ payloadType, name, verdict: 'lost', reason }];
  });
}

function nameOf({ encodingName, clockRateHz, channels }: RtpFormat): string {
  return `${encodingName}/${clockRateHz}${channels === 1 ? '' : `/${channels}`}`;
}
