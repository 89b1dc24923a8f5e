import { sameHost } from '../sip/message/host.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { parseUri } from '../sip/message/uri.ts';
import { isDirect } from '../sip/message/via.ts';
import type { Flow } from '../sip/transport/flow.ts';
import { callerOf } from './caller.ts';
import type { Member } from './focus.ts';

/**
 * The participant who sends a request outside of their call. Null: none of them, as far as can be told.
 *
 * Known by the flow of their call alone: the same connection, or over UDP the same address and port. From tells apart
 * those who call over one flow, as from a phone with several lines. It is no proof: behind one NAT, or one proxy, anybody
 * can write what they like there. So nobody is known who comes through a proxy, over whose flow all come.
 * @param trusted a peer whose word on who sends is believed (RFC 3325), whichever way it comes
 */
export function memberWhoSends(
  request: SipRequest,
  flow: Flow,
  members: readonly Member[],
  trusted: boolean,
): Member | null {
  const { uri } = callerOf(request, trusted);
  const isNamed = (member: Member) => sameAddress(member.uri, uri);
  if (trusted) {
    return members.find((one) => one.contact.flow?.remoteAddress === flow.remoteAddress && isNamed(one)) ?? null;
  }
  if (!isDirect(request)) return null;
  const sameFlow = members.filter(({ contact }) => contact.flow?.id === flow.id);
  return sameFlow.length === 1 ? sameFlow[0]! : (sameFlow.find(isNamed) ?? null);
}

/** As addresses of record: scheme, port and parameters do not count. */
export function sameAddress(one: string, other: string): boolean {
  const [first, second] = [parseUri(one), parseUri(other)];
  if (first === null || second === null) return one === other;
  return first.user === second.user && sameHost(first.host, second.host);
}
