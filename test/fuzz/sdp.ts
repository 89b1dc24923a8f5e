import type { AudioMedia } from '../../mixer/protocol.ts';
import type { VideoMedia } from '../../mixer/video-protocol.ts';
import { MediaSession } from '../../server/sdp/media-session.ts';
import { parseSdp, SDP_LIMITS } from '../../server/sdp/parse-sdp.ts';
import type { MediaDescription } from '../../server/sdp/session-description.ts';
import { VIDEO_CODECS } from '../../server/sdp/video-options.ts';
import { writeSdp } from '../../server/sdp/write-sdp.ts';
import { PHONE_OFFERS } from '../sdp/phone-offers.ts';
import { pick, type Random, randomDescription, seededRandom } from '../sdp/random-description.ts';
import { VIDEO_PHONE_OFFERS } from '../sdp/video-phone-offers.ts';
import { eachInTime } from './limits.ts';

export interface SdpFuzzReport {
  iterations: number;
  parsed: number;
  agreed: number;
  /** Times that video, and slides, were part of what was agreed. */
  video: number;
  slides: number;
}

const OFFERS: readonly string[] = [...PHONE_OFFERS, ...VIDEO_PHONE_OFFERS].map(({ offer }) => offer);

/** What makes trouble in SDP, to be put anywhere into it. */
const FRAGMENTS: readonly string[] = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t\t',
  ':',
  '=',
  '/',
  '/2',
  '-1',
  '65535',
  '65536',
  '99999999999999999999',
  'NaN',
  '1e3',
  '\u00e9\u{1f4de}\ud800',
  '__proto__',
  'constructor=1;',
  'a=rtpmap:127 opus/48000/2\r\n',
  'a=fmtp:111 __proto__=1;constructor=2;;=;a=b=c\r\n',
  'a=rtpmap:0 \r\n',
  'a=ptime:1e9\r\n',
  'a=rtcp:0 IN\r\n',
  'a=inactive\r\n',
  'a=rtcp-mux\r\n',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp1CnVubGVz|2^20|1:4\r\n',
  'a=crypto:99999999999 AEAD_AES_128_GCM inline:====|2^99|1:999 KDR=\r\n',
  'm=audio 9 RTP/SAVP 0 8\r\n',
  'm=video 9 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n',
  'm=video 9 RTP/AVPF 98 98 99\r\na=rtpmap:98 H264/90000\r\na=content:slides\r\n',
  'm=video 0 RTP/AVP 31\r\n',
  'm=application 9 UDP/BFCP *\r\n',
  'm=application 9 TCP/BFCP *\r\na=setup:passive\r\na=floorid:9 mstrm:12 12\r\n',
  'a=fmtp:97 profile-level-id=ffffff;max-fs=9999999999;max-mbps=9999999999;max-br=9999999999;max-fps=1\r\n',
  'a=fmtp:98 profile-level-id=42000b;max-recv-level=ffff;level-asymmetry-allowed=1;packetization-mode=1\r\n',
  'a=rtpmap:99 rtx/90000\r\na=fmtp:99 apt=99\r\n',
  'a=imageattr:* recv [x=[0:0:0],y=[,,,]] [x=99999,y=99999]\r\n',
  'a=rtcp-fb:* nack\r\na=rtcp-fb:300 ccm fir\r\na=rtcp-fb:\r\n',
  'b=TIAS:99999999999\r\nb=AS:0\r\n',
  'a=framerate:0.0\r\n',
  'a=content:slides\r\n',
  'c=IN IP4 0.0.0.0\r\n',
  'c=IN IP6 ::1%lo\r\n',
  'c=IN IP4 999.1.1.1\r\n',
  'm=audio 0 RTP/AVP\r\n',
  'm=audio 9/9 RTP/AVPF 0 96 127 128\r\n',
  'm= \r\n',
  'v=0\r\n',
  'o=- - - - - -\r\n',
];

/**
 * Throws mangled SDP at the parser and at sessions, as offers and as answers.
 *
 * Each iteration depends on `seed` and its number only. Throws, with what is needed to repeat it, when an exception gets
 * out or a rule is broken: what is read can be written and read again as the same, and an agreement is one that a mixer
 * can keep.
 */
export function fuzzSdp(iterations: number, seed: number): SdpFuzzReport {
  const report: SdpFuzzReport = { iterations, parsed: 0, agreed: 0, video: 0, slides: 0 };
  let text = '';
  const one = (iteration: number): void => {
    const random = seededRandom(seed + iteration);
    text = mangle(startingText(random), random);
    checkParsing(text, report);
    checkSession(text, random, report);
  };
  eachInTime(iterations, one, (iteration) => `seed ${seed + iteration}: ${JSON.stringify(text.slice(0, 4000))}`);
  return report;
}

function startingText(random: Random): string {
  return random() < 0.5 ? writeSdp(randomDescription(random)) : pick(random, OFFERS);
}

export function mangle(start: string, random: Random): string {
  let text = start;
  for (let changes = Math.floor(random() * 6); changes > 0; changes--) {
    const at = Math.floor(random() * (text.length + 1));
    const length = Math.floor(random() ** 3 * 200);
    const kind = random();
    if (kind < 0.35) text = text.slice(0, at) + pick(random, FRAGMENTS) + text.slice(at);
    else if (kind < 0.6) text = text.slice(0, at) + text.slice(at + length);
    else if (kind < 0.75) text = text.slice(0, at) + text.slice(at, at + length).repeat(3) + text.slice(at + length);
    else if (kind < 0.95) text = text.slice(0, at) + randomCharacter(random) + text.slice(at + 1);
    else text = text.slice(0, at);
  }
  return text;
}

function randomCharacter(random: Random): string {
  return String.fromCharCode(Math.floor(random() * (random() < 0.9 ? 128 : 65536)));
}

function checkParsing(text: string, report: SdpFuzzReport): void {
  const result = parseSdp(text);
  if (!result.ok) {
    const { line, offset } = result.error;
    check(line >= 1 && offset >= 0 && offset <= text.length, 'the place of an error lies within the text');
    return;
  }
  report.parsed += 1;
  check(result.description.media.length <= SDP_LIMITS.media, 'as many streams as are allowed');
  const written = writeSdp(result.description);
  const again = parseSdp(written);
  check(again.ok && writeSdp(again.description) === written, 'what was read is written and read as the same');
}

/** A call into which strange offers and answers come, in between good ones. */
function checkSession(text: string, random: Random, report: SdpFuzzReport): void {
  const session = newSession(random);
  for (let exchange = 0; exchange < 3; exchange++) {
    const theirs = random() < 0.6 ? text : startingText(random);
    changeOurs(session, random);
    if (random() < 0.3) {
      checkOffer(session.offer());
      if (random() < 0.7) session.acceptAnswer(theirs);
    } else {
      checkAnswered(session, theirs);
    }
    session.explain();
    if (session.media === null) continue;
    report.agreed += 1;
    report.video += session.video.video === null ? 0 : 1;
    report.slides += session.video.slides === null ? 0 : 1;
    checkMedia(session);
    checkVideo(session.video.video);
    checkVideo(session.video.slides);
  }
}

function newSession(random: Random): MediaSession {
  const srtp = pick(random, ['off', 'optional', 'required'] as const);
  const codecs = VIDEO_CODECS.filter(() => random() < 0.9);
  const video = random() < 0.1 ? null : { codecs, maxReceive: pick(random, ['720p', '1080p'] as const) };
  return new MediaSession({ address: '203.0.113.10', rtpPort: 20000, rtcpPort: 20001, sessionId: 1, srtp, video });
}

/** Ports, wishes and the floor control server as they may be at any time. */
function changeOurs(session: MediaSession, random: Random): void {
  if (random() < 0.9) session.bindVideo('main', { rtpPort: 20002, rtcpPort: 20003 });
  if (random() < 0.7) session.bindVideo('slides', { rtpPort: 20004, rtcpPort: 20005 });
  session.wantVideo(pick(random, ['720p', '720p', '1080p', null] as const));
  const server = { tcpPort: pick(random, [5070, null]), udpPort: 5070, conferenceId: 1, userId: 2, floorId: 3 };
  session.bindFloorControl(random() < 0.5 ? server : null);
}

function checkAnswered(session: MediaSession, theirs: string): void {
  const foreseen = session.foresee(theirs);
  const result = session.answer(theirs);
  check(foreseen.ok === result.ok, 'what was foreseen comes');
  if (!result.ok) {
    check(/^3\d\d 203\.0\.113\.10 "[^"\\]*"$/.test(result.warning), 'a warning is well formed');
    return;
  }
  check(!foreseen.ok || result.video === null || foreseen.video !== null, 'no video comes that was not foreseen');
  checkAnswer(theirs, result.sdp);
}

function checkOffer(sdp: string): void {
  const offer = parseSdp(sdp);
  check(offer.ok, 'our offer is SDP');
  if (!offer.ok) return;
  checkStreams(offer.description.media);
  for (const { formats, port } of offer.description.media) {
    check(port === 0 || new Set(formats).size === formats.length, 'no payload type is offered twice');
  }
}

function checkAnswer(offerText: string, answerText: string): void {
  const offer = parseSdp(offerText);
  const answer = parseSdp(answerText);
  if (!offer.ok || !answer.ok) throw new Error('offer and answer are SDP');
  check(answer.description.media.length === offer.description.media.length, 'as many streams as the offer');
  checkStreams(answer.description.media);
  for (const [index, theirs] of offer.description.media.entries()) {
    const ours = answer.description.media[index]!;
    check(ours.media === theirs.media, 'the same streams in the same order');
    check(ours.protocol.toUpperCase() === theirs.protocol.toUpperCase(), 'with the same protocol');
    const taken = ours.port !== 0 && ours.media !== 'application';
    check(!taken || ours.formats.every((format) => theirs.formats.includes(format)), 'formats of the offer');
  }
}

function checkStreams(streams: readonly MediaDescription[]): void {
  const taken = streams.filter(({ port }) => port !== 0);
  const countOf = (media: string): number => taken.filter((stream) => stream.media === media).length;
  check(countOf('audio') === 1, 'one audio stream is taken');
  check(countOf('video') <= 2 && countOf('application') <= 1, 'two video streams and one floor control at most');
  const ports = taken.map(({ port }) => port);
  check(new Set(ports).size === ports.length, 'each has a port of its own');
}

function checkMedia({ media }: MediaSession): void {
  if (media === null) return;
  check(
    media.receive.some(({ codec }) => codec === media.send.codec),
    'what is sent may be received too',
  );
  check([10, 20, 30, 40, 50, 60].includes(media.sendPtimeMs), 'a packet time that we can send');
  checkStream(media);
}

function checkVideo(media: VideoMedia | null): void {
  if (media === null) return;
  check(
    media.receive.some(({ codec }) => codec === media.send.codec),
    'what is sent may be received too',
  );
  checkStream(media);
  const { maxWidth, maxHeight, maxPixels, maxPixelsPerSecond, maxFps, maxBitrateBps } = media.limits;
  const numbers = [maxWidth, maxHeight, maxPixels, maxPixelsPerSecond, maxBitrateBps ?? 1];
  check(
    numbers.every((limit) => Number.isInteger(limit) && limit > 0),
    'limits that something fits into',
  );
  check(maxFps >= 1 && maxFps <= 60 && maxPixels <= 4096 * 2304, 'limits within what there is');
}

function checkStream({ send, receive, remote, crypto }: VideoMedia | AudioMedia): void {
  check(
    [send, ...receive].every(({ payloadType }) => payloadType >= 0 && payloadType <= 127),
    'payload types of 7 bits',
  );
  check(
    new Set(receive.map(({ payloadType }) => payloadType)).size === receive.length,
    'each received one is one format',
  );
  check(!crypto || crypto.sendKey.length === crypto.receiveKey.length, 'keys that fit the suite');
  check(remote === null || (isPort(remote.rtpPort) && isPort(remote.rtcpPort)), 'ports that can be sent to');
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65535;
}

function check(holds: boolean, rule: string): void {
  if (!holds) throw new Error(`broken: ${rule}`);
}
