import type { Headers } from './headers.ts';
import type { NameAddress } from './name-address.ts';
import type { SipUri } from './uri.ts';
import type { Via } from './via.ts';

/** The fields that every valid message has (RFC 3261 §8.1.1), parsed. */
export interface CommonFields {
  /** The topmost Via. */
  readonly via: Via;
  readonly from: NameAddress;
  readonly to: NameAddress;
  readonly callId: string;
  readonly cseq: CSeq;
}

export interface CSeq {
  /** 0 to 2^31 − 1. */
  readonly number: number;
  readonly method: string;
}

/**
 * A request. `headers` is what is sent; the parsed fields are a view of them made when the message was parsed or built,
 * so a message is changed by making a new one.
 */
export interface SipRequest extends CommonFields {
  readonly kind: 'request';
  readonly method: string;
  /** As written on the request line. */
  readonly requestUri: string;
  /** Null when its scheme is neither sip nor sips (tel, or unknown). */
  readonly uri: SipUri | null;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export interface SipResponse extends CommonFields {
  readonly kind: 'response';
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
}

export type SipMessage = SipRequest | SipResponse;
