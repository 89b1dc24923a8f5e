import { sameHost } from '../sip/message/host.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { parseUri } from '../sip/message/uri.ts';
import type { Flow } from '../sip/transport/flow.ts';
import { callerOf } from './caller.ts';
import type { Member } from './focus.ts';

/**
 * The participant who sends a request outside of their call: over the flow of their call, if nobody else's call uses it,
 * as with a proxy; otherwise as whom they called, from the same address. Null: none of them.
 * @param trusted whether to believe what the peer says of who sends (RFC 3325)
 */
export function memberWhoSends(
  request: SipRequest,
  flow: Flow,
  members: readonly Member[],
  trusted: boolean,
): Member | null {
  const { uri } = callerOf(request, trusted);
  const near = members.filter(({ contact }) => contact.flow?.remoteAddress === flow.remoteAddress);
  const named = near.find((member) => sameAddress(member.uri, uri));
  const sameFlow = near.filter(({ contact }) => contact.flow?.id === flow.id);
  return named ?? (sameFlow.length === 1 ? sameFlow[0]! : null);
}

/** As addresses of record: scheme, port and parameters do not count. */
export function sameAddress(one: string, other: string): boolean {
  const [first, second] = [parseUri(one), parseUri(other)];
  if (first === null || second === null) return one === other;
  return first.user === second.user && sameHost(first.host, second.host);
}
