import { parseParameters } from '../message/header-value.ts';
import type { Headers } from '../message/headers.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { tagsOf } from './peer-capabilities.ts';

type Fields = ReadonlyArray<readonly [string, string]>;

/** What we want of session timers (RFC 4028), in seconds. */
export interface SessionTimerPolicy {
  readonly intervalS: number;
  /** The least that we take; RFC 4028 §4 allows no less than 90. */
  readonly minimumS: number;
}

/** What both sides agreed on. */
export interface SessionInterval {
  readonly intervalS: number;
  readonly refresher: 'us' | 'them';
}

export const DEFAULT_SESSION_TIMER: SessionTimerPolicy = { intervalS: 1800, minimumS: 90 };

/** RFC 4028 §5: where no Min-SE stands, it is 90. */
const LEAST_S = 90;

interface SessionExpires {
  readonly seconds: number;
  readonly refresher: 'uac' | 'uas' | null;
}

/** The fields of an INVITE or UPDATE of ours; `agreed` keeps the roles as they are (RFC 4028 §7.4). */
export function requestSessionTimer(
  policy: SessionTimerPolicy,
  agreed: SessionInterval | null,
  minimumS: number,
): Fields {
  const intervalS = Math.max(agreed?.intervalS ?? policy.intervalS, minimumS);
  const refresher = agreed === null ? '' : `;refresher=${agreed.refresher === 'us' ? 'uac' : 'uas'}`;
  const fields: Array<readonly [string, string]> = [['Session-Expires', `${intervalS}${refresher}`]];
  if (minimumS > LEAST_S) fields.push(['Min-SE', String(minimumS)]);
  return fields;
}

/** What we answer to an INVITE or UPDATE that we accept, or the 422 for one whose interval is too small (RFC 4028 §9). */
export function answerSessionTimer(
  request: SipRequest,
  policy: SessionTimerPolicy,
): { readonly interval: SessionInterval | null; readonly fields: Fields } | { readonly status: 422; headers: Fields } {
  const wanted = readSessionExpires(request.headers);
  const understands =
    tagsOf(request.headers, 'supported').has('timer') || tagsOf(request.headers, 'require').has('timer');
  if (wanted !== null && wanted.seconds < policy.minimumS && understands) {
    return { status: 422, headers: [['Min-SE', String(policy.minimumS)]] };
  }
  if (wanted === null && !understands) return { interval: null, fields: [] };
  const most = wanted === null ? policy.intervalS : Math.min(wanted.seconds, policy.intervalS);
  // Deviation: a proxy's interval that is too small is raised where the client could not understand a 422, as it would
  // make us send a refresh every other moment.
  const intervalS = Math.max(most, policy.minimumS, minimumOf(request.headers));
  const refresher = understands ? (wanted?.refresher ?? 'uac') : 'uas';
  const fields: Array<readonly [string, string]> = [['Session-Expires', `${intervalS};refresher=${refresher}`]];
  // RFC 4028 §9: the client learns by it that it must refresh.
  if (refresher === 'uac') fields.push(['Require', 'timer']);
  return { interval: { intervalS, refresher: refresher === 'uas' ? 'us' : 'them' }, fields };
}

/** What the 2xx to our INVITE or UPDATE says; null: the session does not expire (RFC 4028 §7.2). */
export function acceptedSessionTimer(response: SipResponse, policy: SessionTimerPolicy): SessionInterval | null {
  const agreed = readSessionExpires(response.headers);
  if (agreed === null) return null;
  const intervalS = Math.max(agreed.seconds, policy.minimumS);
  return { intervalS, refresher: agreed.refresher === 'uas' ? 'them' : 'us' };
}

/** The Min-SE of a 422 or a request, in seconds. */
export function minimumOf(headers: Headers): number {
  const value = /^\s*(\d{1,9})/.exec(headers.get('min-se') ?? '');
  return value === null ? LEAST_S : Math.max(LEAST_S, Number(value[1]));
}

function readSessionExpires(headers: Headers): SessionExpires | null {
  const value = headers.get('session-expires');
  const seconds = /^\s*(\d{1,9})\s*(?=;|$)/.exec(value ?? '');
  if (value === undefined || seconds === null) return null;
  const refresher = parseParameters(value, seconds[0].length)?.get('refresher')?.toLowerCase();
  const known = refresher === 'uac' || refresher === 'uas' ? refresher : null;
  return { seconds: Number(seconds[1]), refresher: known };
}
