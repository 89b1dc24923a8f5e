import type { Call } from '../sip/dialog/call.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { Flow } from '../sip/transport/flow.ts';
import type { Identify, Refusal } from './admission.ts';

/** A call as far as it matters who may name it; `request` is the INVITE of one that came in. */
export type NamedCall = Pick<Call, 'flow'> & { readonly request?: SipRequest };

/** By whom a call was named: one whom we know and believe, or one who merely knows its Call-ID and tags. */
export type NamedBy = 'known' | 'bearer';

export interface NamingPolicy {
  readonly identify: Identify;
  readonly isTrusted: (address: string) => boolean;
}

/**
 * Whether the sender of an INVITE may take the place of a call (RFC 3891 §3, §5) or enter its conference (RFC 3911 §4):
 *
 * - A user who is signed in, and a trusted peer, may.
 * - Anybody else needs no more than Call-ID and tags where the call is that of somebody unknown which came in unsecured:
 *   nobody can guess them, so they were handed on by one of the two (RFC 3891 §5), as in a transfer from outside.
 * - Calls of users who are signed in, calls over TLS and those that we made are for the first two alone.
 */
export function mayName(
  newcomer: { request: SipRequest; flow: Flow },
  named: NamedCall,
  policy: NamingPolicy,
): NamedBy | Refusal {
  const { request, flow } = newcomer;
  if (policy.isTrusted(flow.remoteAddress)) return 'known';
  const identity = policy.identify(request, flow);
  if (identity !== null && 'user' in identity) return 'known';
  if (!isGuarded(named, policy.identify)) return 'bearer';
  return identity ?? { status: 403, reason: 'Only signed-in users may name this call' };
}

function isGuarded({ flow, request }: NamedCall, identify: Identify): boolean {
  if (request === undefined || flow === null || flow.protocol === 'tls' || flow.protocol === 'wss') return true;
  // Credentials were looked at when the call came in, if it mattered; a nonce count is good only once.
  if (request.headers.has('authorization')) return true;
  const identity = identify(request, flow);
  return identity !== null && 'user' in identity;
}
