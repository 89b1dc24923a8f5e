import { describe, expect, it } from 'vitest';
import { Dialog } from '../../../server/sip/dialog/dialog.ts';
import { createRequest, createResponse } from '../../../server/sip/message/create-message.ts';
import { parseNameAddress } from '../../../server/sip/message/name-address.ts';
import { createVia } from '../../../server/sip/message/via.ts';

const VIA = createVia('UDP', '192.0.2.2', 5060, 'z9hG4bK-1');

function invite(headers: ReadonlyArray<readonly [string, string]>, cseqNumber = 7) {
  return createRequest({
    method: 'INVITE',
    requestUri: 'sip:demo@example.com',
    via: createVia('UDP', '192.0.2.1', 5060, 'z9hG4bK-2'),
    from: parseNameAddress('"Ann" <sip:ann@example.com>;tag=ann')!,
    to: parseNameAddress('<sip:demo@example.com>')!,
    callId: 'id',
    cseqNumber,
    headers,
  });
}

const CONTACT = ['Contact', '"Ann" <sip:ann@192.0.2.1;method=INVITE?Subject=x>;expires=60'] as const;

describe('a dialog (RFC 3261 §12)', () => {
  it('sends loosely: the target in the Request-URI, all routes in Route', () => {
    const routes = ['Record-Route', '<sip:p1.example.com;lr>, <sip:p2.example.com;lr;x=1>'] as const;
    const dialog = Dialog.ofServer(invite([CONTACT, routes]), 'demo')!;
    const bye = dialog.createRequest('BYE', VIA);
    expect(bye.requestUri).toBe('sip:ann@192.0.2.1');
    expect(bye.headers.all('Route')).toEqual(['<sip:p1.example.com;lr>', '<sip:p2.example.com;lr;x=1>']);
    expect(bye.headers.get('From')).toBe('<sip:demo@example.com>;tag=demo');
    expect(bye.headers.get('To')).toBe('"Ann" <sip:ann@example.com>;tag=ann');
  });

  it('sends strictly where the first route has no lr: it is the Request-URI, the target the last Route', () => {
    const routes = ['Record-Route', '<sip:old.example.com;maddr=192.0.2.5>, <sip:p2.example.com;lr>'] as const;
    const dialog = Dialog.ofServer(invite([CONTACT, routes]), 'demo')!;
    const bye = dialog.createRequest('BYE', VIA);
    expect(bye.requestUri).toBe('sip:old.example.com;maddr=192.0.2.5');
    expect(bye.headers.all('Route')).toEqual([
      '<sip:p2.example.com;lr>',
      '<sip:ann@192.0.2.1;method=INVITE?Subject=x>',
    ]);
  });

  it('has the routes of a response in reverse on the client side (RFC 3261 §12.1.2)', () => {
    const request = invite([['Record-Route', '<sip:p1.example.com;lr>, <sip:p2.example.com;lr>']]);
    const response = createResponse(request, 200, { toTag: 'demo', headers: [['Contact', '<sip:demo@192.0.2.2>']] });
    const dialog = Dialog.ofClient(request, response)!;
    const ack = dialog.createRequest('ACK', VIA, { cseqNumber: 7 });
    expect(ack.headers.all('Route')).toEqual(['<sip:p2.example.com;lr>', '<sip:p1.example.com;lr>']);
    expect(ack.requestUri).toBe('sip:demo@192.0.2.2');
    expect(ack.cseq.number).toBe(7);
    expect(dialog.createRequest('BYE', VIA).cseq.number).toBe(8);
  });

  it('has the same identifier, seen from either side', () => {
    const request = invite([CONTACT]);
    const response = createResponse(request, 200, { toTag: 'demo', headers: [['Contact', '<sip:demo@192.0.2.2>']] });
    expect(Dialog.ofServer(request, 'demo')!.id).toBe('id demo ann');
    expect(Dialog.ofClient(request, response)!.id).toBe('id ann demo');
  });

  it('takes requests in the order of their CSeq', () => {
    const dialog = Dialog.ofServer(invite([CONTACT], 7), 'demo')!;
    expect([8, 6, 7, 20, 9].map((cseq) => dialog.takeInOrder(invite([], cseq)))).toEqual([
      true,
      false,
      false,
      true,
      false,
    ]);
  });

  it('has a new target after a refresh, and the old one when that names none', () => {
    const dialog = Dialog.ofServer(invite([CONTACT]), 'demo')!;
    dialog.refreshTarget(invite([['Contact', '<sip:ann@192.0.2.99>']]));
    expect(dialog.createRequest('BYE', VIA).requestUri).toBe('sip:ann@192.0.2.99');
    dialog.refreshTarget(invite([]));
    expect(dialog.createRequest('BYE', VIA).requestUri).toBe('sip:ann@192.0.2.99');
  });

  it('needs a Contact', () => {
    expect(Dialog.ofServer(invite([]), 'demo')).toBeNull();
  });
});
