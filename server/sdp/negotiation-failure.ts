import { isIPv6 } from 'node:net';

/** Why no media was agreed upon (RFC 3261 §20.43). */
export type WarningCode = 301 | 302 | 304 | 305 | 399;

export interface NegotiationFailure {
  ok: false;
  /** 400 for what is no SDP, 488 for SDP that leaves us nothing in common (RFC 3261 §21.4.26). */
  status: 400 | 488;
  /** The value of a Warning header field: code, agent and quoted text. */
  warning: string;
}

const WARNING_TEXTS: Record<Exclude<WarningCode, 399>, string> = {
  301: 'Incompatible network address formats',
  302: 'Incompatible transport protocol',
  304: 'Media type not available',
  305: 'Incompatible media format',
};

/** `address` is ours, as the agent that warns. */
export function mediaNotAcceptable(address: string, code: Exclude<WarningCode, 399>): NegotiationFailure {
  return { ok: false, status: 488, warning: warningValue(address, code, WARNING_TEXTS[code]) };
}

/** A description that is not SDP (400), or breaks the rules of offer and answer (488). `text` is ours, not the peer's. */
export function badDescription(address: string, status: 400 | 488, text: string): NegotiationFailure {
  return { ok: false, status, warning: warningValue(address, 399, text) };
}

function warningValue(address: string, code: WarningCode, text: string): string {
  return `${code} ${isIPv6(address) ? `[${address}]` : address} "${text.replace(/["\\]/g, "'")}"`;
}
