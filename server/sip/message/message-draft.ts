import { Headers } from './headers.ts';
import type { CSeq } from './message.ts';
import type { NameAddress } from './name-address.ts';
import type { ParseErrorCode } from './parse-error.ts';
import type { SipUri } from './uri.ts';
import type { Via } from './via.ts';

/** Something is wrong; parsing goes on, as an answer needs the fields that follow. The first fault is reported. */
export interface Fault {
  code: ParseErrorCode;
  reason: string;
  /** In characters of the head. */
  at: number;
}

export type StartLine =
  | { kind: 'request'; method: string; requestUri: string; uri: SipUri | null }
  | { kind: 'response'; status: number; reason: string };

/** A message while it is read. */
export interface Draft {
  startLine: StartLine | null;
  /** Of a request, also when its request line is wrong. */
  method: string | null;
  headers: Headers;
  /** The first Via was met, well-formed or not. */
  viaSeen: boolean;
  via: Via | null;
  from: NameAddress | null;
  to: NameAddress | null;
  callId: string | null;
  cseq: CSeq | null;
  contentLength: number | null;
  maxForwards: number | null;
  fault: Fault | null;
}

export function newDraft(): Draft {
  return {
    startLine: null,
    method: null,
    headers: new Headers(),
    viaSeen: false,
    via: null,
    from: null,
    to: null,
    callId: null,
    cseq: null,
    contentLength: null,
    maxForwards: null,
    fault: null,
  };
}

export function fail(draft: Draft, code: ParseErrorCode, reason: string, at: number): void {
  draft.fault ??= { code, reason, at };
}
