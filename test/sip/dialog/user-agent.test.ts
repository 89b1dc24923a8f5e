import { describe, expect, it } from 'vitest';
import { establishedPeer, ScriptedPeer, statuses } from './scripted-peer.ts';

describe('the inspection of requests (RFC 3261 §8.2)', () => {
  it('answers a method that is not taken with 405, an unknown one with 501, and Allow, within dialogs too', () => {
    for (const method of ['FROBNICATE', 'PUBLISH', 'MESSAGE', 'REGISTER']) {
      const status = method === 'FROBNICATE' ? 501 : 405;
      const [response] = new ScriptedPeer().request(method);
      expect(response?.status).toBe(status);
      expect(response?.headers.get('Allow')).toBe(
        'INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, SUBSCRIBE',
      );
      expect(statuses(establishedPeer().request(method, { cseq: 2 }))).toEqual([status]);
    }
  });

  it('answers a Request-URI that is not sip with 416, and sips where there is no TLS', () => {
    for (const uri of ['tel:+15551234', 'sips:demo@parley.example.com', 'urn:service:sos']) {
      expect(statuses(new ScriptedPeer().invite({ uri }))).toEqual([416]);
    }
  });

  it('answers a required extension with 420 and Unsupported', () => {
    const [response] = new ScriptedPeer().invite({ headers: ['Require: 100rel, y', 'Require: x'] });
    expect(response?.status).toBe(420);
    expect(response?.headers.get('Unsupported')).toBe('y, x');
  });

  it('ignores Require in ACK and CANCEL (RFC 3261 §8.2.2.3)', () => {
    const peer = new ScriptedPeer();
    peer.invite({ branch: 'z9hG4bK-x' });
    expect(statuses(peer.request('CANCEL', { branch: 'z9hG4bK-x', headers: ['Require: x'] }))).toEqual([200, 487]);
    const other = new ScriptedPeer();
    other.decide = (call) => call.accept('answer');
    other.invite();
    other.request('ACK', { headers: ['Require: x'] });
    expect(other.told).toEqual(['confirmed null']);
  });

  it('answers requests for dialogs that it does not know with 481, and an ACK with nothing', () => {
    for (const method of ['BYE', 'INVITE', 'OPTIONS']) {
      expect(statuses(new ScriptedPeer().request(method, { toTag: 'unknown' }))).toEqual([481]);
    }
    expect(statuses(new ScriptedPeer().request('BYE'))).toEqual([481]);
    const peer = new ScriptedPeer();
    peer.request('ACK', { toTag: 'unknown' });
    expect(peer.sent).toEqual([]);
  });

  it('keeps no call and no dialog of what it refuses', () => {
    const peer = new ScriptedPeer();
    peer.invite({ headers: ['Require: x'] });
    peer.invite({ cseq: 2, contentType: 'text/plain', toTag: null });
    peer.request('SUBSCRIBE', { cseq: 3, toTag: null });
    expect(peer.calls).toEqual([]);
    expect(peer.clean).toBe(true);
  });
});

describe('OPTIONS outside dialogs (RFC 3261 §11.2)', () => {
  it('says what we can', () => {
    const [response] = new ScriptedPeer().request('OPTIONS');
    expect(response?.status).toBe(200);
    expect(response?.headers.get('Allow')).toBe(
      'INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY, SUBSCRIBE',
    );
    expect(response?.headers.get('Accept')).toBe(
      'application/sdp, application/dtmf-relay, application/dtmf, application/media_control+xml, message/sipfrag',
    );
    expect(response?.headers.get('Supported')).toBe('100rel, timer, replaces, join, norefersub');
    expect(response?.headers.get('Allow-Events')).toBe('refer');
    expect(response?.to.parameters.has('tag')).toBe(true);
  });

  it('says that it is a conference which would be called (RFC 4579 §5.13)', () => {
    const contactOf = (uri: string, isFocus: boolean) =>
      new ScriptedPeer({ isFocus }).request('OPTIONS', { uri })[0]?.headers.get('Contact');
    expect(contactOf('sip:demo@parley.example.com', true)).toBe('<sip:demo@parley.example.com:5060>;isfocus');
    expect(contactOf('sip:demo@parley.example.com', false)).toBe('<sip:demo@parley.example.com:5060>');
    expect(contactOf('sip:parley.example.com', true)).toBeUndefined();
  });

  it('has the status that an INVITE would get', () => {
    const peer = new ScriptedPeer();
    peer.availability = 'unknown';
    expect(statuses(peer.request('OPTIONS'))).toEqual([404]);
    expect(statuses(peer.request('OPTIONS', { cseq: 2, uri: 'sip:parley.example.com' }))).toEqual([200]);
    peer.availability = 'busy';
    expect(statuses(peer.request('OPTIONS', { cseq: 3 }))).toEqual([486]);
  });

  it('is answered though its Max-Forwards is 0: we are no proxy', () => {
    const peer = new ScriptedPeer();
    peer.raw(peer.write('OPTIONS', {}).replace('Max-Forwards: 70', 'Max-Forwards: 0'));
    expect(peer.transcript).toEqual(['200 OPTIONS']);
  });
});
