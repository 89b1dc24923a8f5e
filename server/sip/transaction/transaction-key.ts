import type { SipRequest, SipResponse } from '../message/message.ts';
import { MAGIC_COOKIE } from '../message/via.ts';

/** By which a response finds its client transaction (RFC 3261 §17.1.3). */
export function clientTransactionKey(message: SipRequest | SipResponse): string {
  return `${message.via.branch ?? ''} ${message.cseq.method}`;
}

/**
 * By which a request finds its server transaction (RFC 3261 §17.2.3). `method` is that of the transaction looked for:
 * INVITE for an ACK, and for the INVITE that a CANCEL means (§9.2).
 */
export function serverTransactionKey(request: SipRequest, method: string = request.method): string {
  const { via } = request;
  if (!hasUniqueBranch(request)) return oldServerTransactionKey(request, method);
  return `${via.branch} ${via.host}:${via.port ?? ''} ${method}`;
}

/** Whether the branch identifies the transaction: RFC 2543 clients write none, or one without the magic cookie. */
export function hasUniqueBranch(request: SipRequest): boolean {
  const { branch } = request.via;
  // A branch that is nothing but the cookie identifies nothing.
  return branch !== null && branch.length > MAGIC_COOKIE.length && branch.startsWith(MAGIC_COOKIE);
}

/**
 * For clients of RFC 2543. The To tag is left out: an ACK has that of the response, which the layer compares, and
 * within a dialog the CSeq number tells requests apart.
 */
function oldServerTransactionKey(request: SipRequest, method: string): string {
  const { via, from, callId, cseq } = request;
  const sentBy = `${via.transport} ${via.host}:${via.port ?? ''};${via.branch ?? ''}`;
  return `2543 ${request.requestUri} ${from.parameters.get('tag') ?? ''} ${callId} ${cseq.number} ${sentBy} ${method}`;
}

/** What a request that came by another path shares with the first one (RFC 3261 §8.2.2.2); null within a dialog. */
export function mergeKey(request: SipRequest): string | null {
  if (request.to.parameters.has('tag')) return null;
  return `${request.callId} ${request.from.parameters.get('tag') ?? ''} ${request.cseq.number} ${request.method}`;
}
