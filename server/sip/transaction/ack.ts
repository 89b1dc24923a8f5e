import { createRequest } from '../message/create-message.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';

/** The ACK for a refused INVITE, which belongs to the INVITE's transaction (RFC 3261 §17.1.1.3). */
export function createRefusalAck(invite: SipRequest, refusal: SipResponse): SipRequest {
  return createRequest({
    method: 'ACK',
    requestUri: invite.requestUri,
    via: invite.via,
    from: invite.from,
    to: refusal.to,
    callId: invite.callId,
    cseqNumber: invite.cseq.number,
    routes: invite.headers.all('route'),
  });
}
