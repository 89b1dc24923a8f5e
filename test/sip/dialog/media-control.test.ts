import { describe, expect, it } from 'vitest';
import { establishedPeer, ScriptedPeer, statuses } from './scripted-peer.ts';

const contentType = 'application/media_control+xml';
const document = (inner: string): string =>
  `<?xml version="1.0" encoding="utf-8" ?>\r\n<media_control>${inner}</media_control>\r\n`;
const asking = (inner: string): string => document(`<vc_primitive><to_encoder>${inner}</to_encoder></vc_primitive>`);

describe('a picture that is asked for by INFO (RFC 5168)', () => {
  it.each([
    ['as in the RFC', asking('<picture_fast_update></picture_fast_update>')],
    ['in short', asking('<picture_fast_update/>')],
    ['of one stream', asking('<stream_id>7</stream_id>\n<picture_fast_update />')],
    ['with a prefix', asking('<m:picture_fast_update xmlns:m="urn:x"/>')],
  ])('is told: %s', (_how, body) => {
    const peer = establishedPeer();
    expect(statuses(peer.request('INFO', { cseq: 2, contentType, body }))).toEqual([200]);
    expect(peer.told.at(-1)).toBe('key frame wanted');
  });

  it.each([
    document('<general_error>no stream</general_error>'),
    asking('<no_picture_fast_update_please/>'),
    'picture_fast_update',
    '<',
  ])('is not what else may come: %j', (body) => {
    const peer = establishedPeer();
    expect(statuses(peer.request('INFO', { cseq: 2, contentType, body }))).toEqual([200]);
    expect(peer.told).toEqual(['confirmed null']);
  });

  it('goes out as the RFC has it, one at a time', () => {
    const peer = establishedPeer();
    peer.calls[0]!.askKeyFrame();
    peer.calls[0]!.askKeyFrame();
    const asked = peer.sent.filter((message) => message.kind === 'request');
    expect(asked.map(({ method }) => method)).toEqual(['INFO']);
    expect(asked[0]!.headers.get('content-type')).toBe(contentType);
    expect(Buffer.from(asked[0]!.body).toString()).toContain('<to_encoder><picture_fast_update/></to_encoder>');
    peer.respond(asked[0]!, 200);
    peer.calls[0]!.askKeyFrame();
    expect(peer.lastRequest.headers.get('cseq')).toBe('2 INFO');
  });

  it('is not asked for again where it is not understood', () => {
    const peer = establishedPeer();
    peer.calls[0]!.askKeyFrame();
    peer.respond(peer.lastRequest, 415);
    const { length } = peer.sent;
    peer.calls[0]!.askKeyFrame();
    expect(peer.sent).toHaveLength(length);
    expect(peer.ends).toEqual([]);
  });

  it('ends the call where the phone does not know it any more', () => {
    const peer = establishedPeer();
    peer.calls[0]!.askKeyFrame();
    peer.respond(peer.lastRequest, 481);
    expect(peer.ends).toEqual([{ cause: 'dialog-gone', status: 481 }]);
  });

  it('is nothing before the call stands', () => {
    const peer = new ScriptedPeer();
    peer.invite();
    const { length } = peer.sent;
    peer.calls[0]!.askKeyFrame();
    expect(peer.sent).toHaveLength(length);
  });
});
