import type { VideoFeedback } from '../../mixer/video-protocol.ts';
import type { AttributeHolder, SdpAttribute } from './session-description.ts';

/**
 * `a=rtcp-fb` (RFC 4585 §4.2, RFC 5104 §7.1): for one payload type, or with `*` for all.
 *
 * It is taken with RTP/AVP as well, where most phones have it, though it belongs to RTP/AVPF. Several kinds in one line
 * (`ccm fir tmmbr`) are not of RFC 5104's form, but Polycom's.
 */

export const ALL_FEEDBACK: VideoFeedback = { nack: true, pli: true, fir: true, tmmbr: true, remb: true };

/** What the writer of `media` can do for this payload type. */
export function readFeedback({ attributes }: AttributeHolder, payloadType: number): VideoFeedback {
  const feedback: VideoFeedback = { nack: false, pli: false, fir: false, tmmbr: false, remb: false };
  for (const { name, value } of attributes) {
    if (name !== 'rtcp-fb') continue;
    const [target, kind, ...details] = (value ?? '').trim().toLowerCase().split(/\s+/, 16);
    if (target !== '*' && target !== String(payloadType)) continue;
    if (kind === 'nack' && details.length === 0) feedback.nack = true;
    if (kind === 'nack' && details.includes('pli')) feedback.pli = true;
    if (kind === 'ccm' && details.includes('fir')) feedback.fir = true;
    if (kind === 'ccm' && details.includes('tmmbr')) feedback.tmmbr = true;
    if (kind === 'goog-remb') feedback.remb = true;
  }
  return feedback;
}

/** With `*` where all formats have the same, which is shorter. */
export function writeFeedback(formats: readonly { payloadType: number; feedback: VideoFeedback }[]): SdpAttribute[] {
  const [first, ...others] = formats.map(({ feedback }) => linesOf(feedback));
  if (others.every((lines) => lines.join() === first!.join())) return (first ?? []).map((line) => attribute('*', line));
  return formats.flatMap(({ payloadType, feedback }) => linesOf(feedback).map((line) => attribute(payloadType, line)));
}

function attribute(target: '*' | number, line: string): SdpAttribute {
  return { name: 'rtcp-fb', value: `${target} ${line}` };
}

function linesOf({ nack, pli, fir, tmmbr, remb }: VideoFeedback): string[] {
  return [
    ...(nack ? ['nack'] : []),
    ...(pli ? ['nack pli'] : []),
    ...(fir ? ['ccm fir'] : []),
    ...(tmmbr ? ['ccm tmmbr'] : []),
    ...(remb ? ['goog-remb'] : []),
  ];
}
