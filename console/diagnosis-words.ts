import type { DiagnosisView } from '../server/diagnosis/diagnosis-view.ts';
import type { PictureQuality } from '../server/rooms/views.ts';
import { scoreWord } from './words.ts';

/** The server's diagnosis of a call as it is shown. Times of day come from `clock`. */

/** A line of the list: what it is about, and each thing that is to be said of it. */
export interface Fact {
  readonly about: string;
  readonly says: readonly string[];
}

type Clock = (time: string) => string;

/** All that stands in the way, the most important first, in sentences. */
export const sentencesOf = ({ findings }: DiagnosisView): string[] => findings.map(({ text }) => text);

export function factsOf(diagnosis: DiagnosisView, clock: Clock): Fact[] {
  const facts: Fact[] = [
    { about: 'Codec', says: codecWords(diagnosis.codec) },
    { about: 'Not used', says: lostWords(diagnosis.codec) },
    { about: 'Addresses', says: addressWords(diagnosis) },
    { about: 'Phone', says: phoneWords(diagnosis.signalling) },
    { about: 'What was done', says: historyWords(diagnosis, clock) },
    { about: 'Keys', says: keyWords(diagnosis, clock) },
  ];
  return facts.filter(({ says }) => says.length > 0);
}

function codecWords({ sent, received, srtp, direction }: DiagnosisView['codec']): string[] {
  if (sent === null && received === null) return [];
  const both =
    sent === received ? `${sent} both ways` : `${received ?? 'nothing yet'} from them, ${sent ?? 'nothing'} to them`;
  const oneWay = { sendonly: 'we only send', recvonly: 'we only receive', inactive: 'neither way' }[direction ?? ''];
  return [both, srtp === null ? 'not encrypted' : `encrypted with ${srtp}`, ...(oneWay === undefined ? [] : [oneWay])];
}

/** Formats and streams of the phone that were not taken, and why; and what it lacks. */
function lostWords({ negotiation }: DiagnosisView['codec']): string[] {
  if (negotiation === null) return [];
  const lost = negotiation.streams.flatMap(({ media, taken, reason, formats }) =>
    taken
      ? formats.filter(({ verdict }) => verdict === 'lost').map((format) => `${format.name}: ${format.reason}`)
      : [`${media}: ${reason}`],
  );
  const { notNamed } = negotiation;
  return notNamed.length === 0 ? lost : [...lost, `${notNamed.join(', ')}: the phone did not name them`];
}

function addressWords({ addresses }: DiagnosisView): string[] {
  const { signalled, signalledIsPrivate, latched, foreignPackets } = addresses;
  const says = [
    signalled === null
      ? 'the phone gave none for its media'
      : `the phone gave ${signalled}${signalledIsPrivate ? ', of a private network behind a NAT' : ''}`,
    latched === null ? 'no media came that could be believed' : `its media comes from ${latched}`,
  ];
  return foreignPackets ? [...says, `${foreignPackets} packets from elsewhere were dropped`] : says;
}

function phoneWords({ userAgent, source, transport }: DiagnosisView['signalling']): string[] {
  const way =
    source === null ? [] : [`SIP with ${source}${transport === null ? '' : ` over ${transport.toUpperCase()}`}`];
  return userAgent === null ? way : [userAgent, ...way];
}

const doneWords: Record<string, string> = {
  deafened: 'made deaf',
  undeafened: 'let hear again',
  held: 'put on hold',
  resumed: 'taken off hold',
  moved: 'moved to another room',
};

function historyWords({ history }: DiagnosisView, clock: Clock): string[] {
  return history.map(({ at, what, by }) => {
    const who = by === null ? '' : { moderator: ' by a moderator', self: ' by themselves' }[by];
    return `${clock(at)} ${doneWords[what] ?? what}${who}`;
  });
}

const meansWords = { 'telephone-event': 'in RTP (RFC 4733)', tone: 'as tones in the sound', info: 'by SIP INFO' };

function keyWords({ keys }: DiagnosisView, clock: Clock): string[] {
  return keys.map(({ means, count, lastAt }) => `${count} ${meansWords[means]}, last at ${clock(lastAt)}`);
}

/** A line of the table: what is measured, of what we get from them, and of what they get. */
export type Figure = readonly [what: string, from: string, to: string];

export function figuresOf({ received, sent, quality }: DiagnosisView): Figure[] {
  return [
    ['Score (1 to 4.5)', score(quality?.received.mos), score(quality?.sent?.mos)],
    ['Packets', count(received.packets), count(sent.packets)],
    ['Lost', percent(received.lossPercent), percent(sent.lossPercent)],
    ['Jitter', ms(received.jitterMs), ms(sent.jitterMs)],
    ['Made up', percent(quality?.received.concealedPercent), percent(quality?.sent?.discardedPercent)],
    ['Level', level(received.levelDb), level(sent.levelDb)],
    ['Not authentic', count(received.srtpRefused), NONE],
  ];
}

/** Of one stream of video. */
export function pictureFiguresOf({ received, sent, roundTripMs }: PictureQuality): Figure[] {
  return [
    ['Picture', pictureWords(received), pictureWords(sent)],
    ['Speed', bitrate(received?.bitrateBps), bitrate(sent?.bitrateBps)],
    ['Lost', percent(received?.lossPercent), percent(sent?.lossPercent)],
    ['Jitter', ms(received?.jitterMs), NONE],
    ['Key frames asked for, sent', count(received?.keyFramesAsked), count(sent?.keyFrames)],
    ['Broken', count(received?.broken), NONE],
    ['Packets sent again', NONE, count(sent?.packetsResent)],
    ['There and back', NONE, ms(roundTripMs)],
  ];
}

export const pictureTitle = ({ stream }: PictureQuality): string => (stream === 'main' ? 'Picture' : 'Slides');

export function delayWords({ roundTripMs, quality }: DiagnosisView): string | null {
  if (quality === null) return null;
  return `There and back ${ms(roundTripMs)}; our jitter buffer adds ${ms(quality.bufferDelayMs)}.`;
}

type Measured = number | null | undefined;

const NONE = '–';
const pictureWords = (shown: PictureQuality['received'] | PictureQuality['sent']): string =>
  shown === null ? NONE : `${shown.codec}, ${shown.width} × ${shown.height}, ${Math.round(shown.fps)}/s`;
const bitrate = (bps: Measured): string => (bps == null ? NONE : `${Math.round(bps / 1000)} kbit/s`);
const score = (mos: Measured): string => (mos == null ? NONE : `${mos.toFixed(1)}, ${scoreWord(mos)}`);
const count = (value: Measured): string => (value == null ? NONE : String(value));
const percent = (value: Measured): string => (value == null ? NONE : `${value.toFixed(1)} %`);
const ms = (value: Measured): string => (value == null ? NONE : `${Math.round(value)} ms`);
const level = (dbov: Measured): string => (dbov == null ? NONE : `${Math.round(dbov)} dBov`);
