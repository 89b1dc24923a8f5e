import { createRequest, createResponse } from '../../../server/sip/message/create-message.ts';
import type { SipRequest, SipResponse } from '../../../server/sip/message/message.ts';
import { parseNameAddress } from '../../../server/sip/message/name-address.ts';
import { createVia } from '../../../server/sip/message/via.ts';

export interface RequestOptions {
  method?: string;
  uri?: string;
  headers?: ReadonlyArray<readonly [string, string]>;
  body?: string;
}

export function request({ method = 'REGISTER', uri = 'sip:example.com', ...rest }: RequestOptions = {}): SipRequest {
  const alice = parseNameAddress('<sip:alice@example.com>;tag=a')!;
  return createRequest({
    method,
    requestUri: uri,
    via: createVia('UDP', '192.0.2.1', 5060, 'z9hG4bK1'),
    from: alice,
    to: parseNameAddress('<sip:alice@example.com>')!,
    callId: 'call',
    cseqNumber: 1,
    contentType: 'text/plain',
    ...rest,
  });
}

export function response(status: number, headers: ReadonlyArray<readonly [string, string]> = []): SipResponse {
  return createResponse(request(), status, { toTag: 't', headers });
}
