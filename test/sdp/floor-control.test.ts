import { describe, expect, test } from 'vitest';
import type { FloorControlServer } from '../../server/sdp/floor-control.ts';
import { agreed, CAMERA, linesOf, SLIDES, SOUND, sectionOf, theirs, videoSession } from './video-call.ts';

const SERVER: FloorControlServer = { tcpPort: 5071, udpPort: 5070, conferenceId: 40, userId: 8, floorId: 1 };

const TCP = ['m=application 3000 TCP/BFCP *', 'a=floorctrl:c-s', 'a=confid:3', 'a=userid:3', 'a=floorid:2 mstrm:12'];
const UDP = ['m=application 3000 UDP/BFCP *', 'a=floorctrl:c-only'];

function sessionWith(server: Partial<FloorControlServer> = {}) {
  const session = videoSession();
  session.bindFloorControl({ ...SERVER, ...server });
  return session;
}

function answerTo(floor: string[], server: Partial<FloorControlServer> = {}, others = [...CAMERA, ...SLIDES]) {
  const result = agreed(sessionWith(server).answer(theirs(SOUND, ...floor, ...others)));
  return { ...result, section: sectionOf(result.sdp, 1) };
}

describe('an offered floor control stream (RFC 8856)', () => {
  test('over TCP is answered by our server, with the slides by their label', () => {
    const { section, floorControl } = answerTo([...TCP, 'a=setup:actpass', 'a=connection:new']);
    expect(section).toEqual([
      'm=application 5071 TCP/BFCP *',
      'a=floorctrl:s-only',
      'a=confid:40',
      'a=userid:8',
      'a=floorid:1 mstrm:12',
      'a=setup:passive',
      'a=connection:new',
    ]);
    expect(floorControl).toEqual({
      transport: 'TCP',
      remote: { address: '192.0.2.1', port: 3000 },
      setup: 'passive',
      conferenceId: 40,
      userId: 8,
      floorId: 1,
    });
  });

  test('over UDP has nobody who connects', () => {
    const { section, floorControl } = answerTo([...UDP, 'a=setup:actpass']);
    expect(section).toEqual([
      'm=application 5070 UDP/BFCP *',
      'a=floorctrl:s-only',
      'a=confid:40',
      'a=userid:8',
      'a=floorid:1 mstrm:12',
    ]);
    expect(floorControl).toMatchObject({ transport: 'UDP', setup: null });
  });

  test('without slides says nothing of streams', () => {
    expect(answerTo(TCP, {}, CAMERA).section).toContain('a=floorid:1');
  });

  test.each([
    [['a=setup:active'], 'passive', 5071],
    [['a=setup:actpass'], 'passive', 5071],
    [[], 'passive', 5071],
    [['a=setup:passive'], 'active', 9],
  ])('%j: ours is %s', (lines, setup, port) => {
    const { section, floorControl } = answerTo([...TCP, ...lines]);
    expect(floorControl!.setup).toBe(setup);
    expect(section).toContain(`a=setup:${setup}`);
    expect(section[0]).toBe(`m=application ${port} TCP/BFCP *`);
  });

  test.each([
    ['whose client is not theirs to be', ['m=application 3000 UDP/BFCP *', 'a=floorctrl:s-only'], {}],
    ['that is closed', ['m=application 0 UDP/BFCP *'], {}],
    ['that is to wait', [...TCP, 'a=setup:holdconn'], {}],
    ['over TCP, which we do not serve', TCP, { tcpPort: null }],
    ['over UDP, which we do not serve', UDP, { udpPort: null }],
    ['over TLS', ['m=application 3000 TCP/TLS/BFCP *'], {}],
    ['that is none', ['m=application 3000 RTP/AVP 100', 'a=rtpmap:100 H224/4800'], {}],
  ])('%s is refused', (_, lines, server) => {
    const { section, floorControl, video } = answerTo(lines, server);
    expect(floorControl).toBeNull();
    expect(section[0]).toMatch(/^m=application 0 /);
    expect(video).not.toBeNull();
  });

  test('is refused where there is no server, and once there is none any more', () => {
    const session = videoSession();
    expect(agreed(session.answer(theirs(SOUND, ...UDP))).floorControl).toBeNull();
    session.bindFloorControl(SERVER);
    expect(agreed(session.answer(theirs(SOUND, ...UDP))).floorControl).not.toBeNull();
    session.bindFloorControl(null);
    expect(linesOf(agreed(session.answer(theirs(SOUND, ...UDP))).sdp, 'm=application')).toEqual([
      'm=application 0 UDP/BFCP *',
    ]);
  });

  test('that goes on keeps its connection, where they say so', () => {
    const session = sessionWith();
    const connection = (text: string) =>
      linesOf(agreed(session.answer(theirs(SOUND, ...TCP, `a=connection:${text}`))).sdp, 'a=connection');
    expect(connection('existing')).toEqual(['a=connection:new']);
    expect(connection('existing')).toEqual(['a=connection:existing']);
    expect(connection('new')).toEqual(['a=connection:new']);
  });

  test('one of two is taken', () => {
    const { sdp } = answerTo([...UDP, ...TCP]);
    expect(linesOf(sdp, 'm=application')).toEqual(['m=application 5070 UDP/BFCP *', 'm=application 0 TCP/BFCP *']);
  });
});

describe('our offer', () => {
  test('has it beside slides, over TCP before UDP', () => {
    const offer = sessionWith().offer();
    expect(sectionOf(offer, 3)).toEqual([
      'm=application 5071 TCP/BFCP *',
      'a=floorctrl:s-only',
      'a=confid:40',
      'a=userid:8',
      'a=floorid:1 mstrm:12',
      'a=setup:passive',
      'a=connection:new',
    ]);
    expect(linesOf(sessionWith({ tcpPort: null }).offer(), 'm=application')).toEqual(['m=application 5070 UDP/BFCP *']);
    expect(linesOf(sessionWith({ tcpPort: null, udpPort: null }).offer(), 'm=application')).toEqual([]);
    expect(linesOf(videoSession().offer(), 'm=application')).toEqual([]);
    const alone = sessionWith();
    alone.bindVideo('slides', null);
    expect(linesOf(alone.offer(), 'm=application')).toEqual([]);
  });

  test.each([
    ['taken', ['m=application 9 TCP/BFCP *', 'a=floorctrl:c-only', 'a=setup:active'], true],
    ['refused', ['m=application 0 TCP/BFCP *'], false],
    ['left out', [], false],
    ['turned round', ['m=application 3000 TCP/BFCP *', 'a=floorctrl:s-only'], false],
  ])('may be %s', (_, lines, taken) => {
    const session = sessionWith();
    session.offer();
    const vp8 = [
      'm=video 5000 RTP/AVP 105',
      'a=rtpmap:105 VP8/90000',
      'm=video 5002 RTP/AVP 105',
      'a=rtpmap:105 VP8/90000',
    ];
    const { floorControl } = agreed(session.acceptAnswer(theirs(SOUND, ...vp8, ...lines)));
    expect(floorControl !== null).toBe(taken);
    if (floorControl === null) return;
    expect(floorControl).toMatchObject({ transport: 'TCP', setup: 'passive', remote: { port: 9 } });
    expect(linesOf(session.offer(), 'a=connection')).toEqual(['a=connection:existing']);
  });

  test('keeps the transport and the place that it has', () => {
    const session = sessionWith();
    session.answer(theirs(SOUND, ...UDP, ...CAMERA, ...SLIDES));
    expect(linesOf(session.offer(), 'm=').map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'm=audio 20000 RTP/AVP',
      'm=application 5070 UDP/BFCP',
      'm=video 20002 RTP/AVP',
      'm=video 20004 RTP/AVP',
    ]);
  });
});
