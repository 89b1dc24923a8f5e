import type { MediaDirection } from '../../mixer/protocol.ts';
import type { ParticipantState } from '../rooms/views.ts';

/** All that the sentence is made of. Times are milliseconds since 1970. */
export interface CallFacts {
  nowMs: number;
  state: ParticipantState;
  /** Why the call is over; null while it is not. */
  ended: string | null;
  answeredMs: number | null;
  muted: 'moderator' | 'self' | null;
  listener: boolean;
  deaf: boolean;
  /** Others have the floor of the room. */
  withoutFloor: boolean;
  /** How many alone hear this participant; null: all do. */
  speaksTo: number | null;
  gainDb: number;
  volumeDb: number;
  /** As we see it; null before anything was agreed. */
  direction: MediaDirection | null;
  onHold: boolean;
  srtp: string | null;
  srtpRefused: number;
  foreignPackets: number;
  packetsReceived: number;
  packetsSent: number;
  lastReceivedMs: number | null;
  /** `192.0.2.1:4000`; null when the phone gave none. */
  signalled: string | null;
  signalledIsPrivate: boolean;
  /** Where media really comes from. */
  latched: string | null;
  /** Loudest of the last seconds, dBov; null while it is not listened to. */
  receivedLevelDb: number | null;
  lossReceivedPercent: number | null;
  lossSentPercent: number | null;
  jitterReceivedMs: number | null;
  jitterSentMs: number | null;
  roundTripMs: number | null;
  /** How many others in the room can be heard: in it, and not muted. Null when the call is over. */
  otherVoices: number | null;
  /** False when the mixer could not be asked. */
  measured: boolean;
}

/** Which way a finding concerns: `in` is what the others hear of the participant, `out` what the participant hears. */
export interface Finding {
  code: FindingCode;
  way: 'in' | 'out' | 'both';
  text: string;
}

/** Stable: what programs decide by. */
export const findingCodes = [
  'call-ended',
  'not-answered',
  'entering',
  'not-measured',
  'srtp-refused',
  'on-hold',
  'phone-listens-only',
  'phone-sends-only',
  'nothing-received',
  'foreign-packets',
  'media-stopped',
  'muted-by-moderator',
  'muted-by-self',
  'listener',
  'without-floor',
  'whispers',
  'turned-down',
  'silent-microphone',
  'loss-received',
  'jitter-received',
  'deaf',
  'volume-down',
  'nothing-sent',
  'no-way-back',
  'loss-sent',
  'jitter-sent',
  'alone',
  'long-way',
  'no-fault-found',
] as const;
export type FindingCode = (typeof findingCodes)[number];

/** A phone may leave silence out, but says so at least so often. */
const STOPPED_AFTER_MS = 5_000;
/** Under it a microphone gives nothing but its own noise. */
const SILENT_DB = -60;
const MUCH_LOSS_PERCENT = 3;
/** Beyond what the jitter buffer takes in without much delay. */
const MUCH_JITTER_MS = 50;
/** ITU-T G.114: from 400 ms one way people talk into each other. */
const LONG_ROUND_TRIP_MS = 600;
/** What is quieter than this is not understood any more. */
const TURNED_DOWN_DB = -30;

const seconds = (ms: number): string => `${Math.max(0, Math.round(ms / 1000))} s`;
const clock = (ms: number): string => `${new Date(ms).toISOString().slice(11, 19)} UTC`;
const percent = (value: number): string => `${Math.round(value * 10) / 10} %`;

/** What stands between the participant and the others, the most important first; never empty. Pure. */
export function findingsOf(facts: CallFacts): Finding[] {
  const found = [...callFindings(facts)];
  if (found.length === 0) {
    const incoming = incomingFindings(facts);
    const outgoing = outgoingFindings(facts);
    // What nobody can hear for other reasons is not asked for its level.
    found.push(...incoming, ...outgoing);
  }
  if (found.length === 0) {
    found.push({ code: 'no-fault-found', way: 'both', text: faultless(facts) });
  }
  const { ended } = facts;
  if (ended === null) return found;
  return [{ code: 'call-ended', way: 'both', text: `The call is over: ${ended}. Until then this was so:` }, ...found];
}

/** In plain words, for who asks "why can't they hear me?": what weighs most, each way. */
export function sentenceOf(findings: readonly Finding[]): string {
  const ended = findings.filter(({ code }) => code === 'call-ended');
  const rest = findings.filter(({ code }) => code !== 'call-ended');
  const shown = rest.filter(({ way }, index) => rest.findIndex((other) => other.way === way) === index);
  return [...ended, ...shown].map(({ text }) => text).join(' ');
}

/** What makes all else pointless. */
function callFindings(facts: CallFacts): Finding[] {
  const { state, answeredMs, measured, onHold } = facts;
  const both = (code: FindingCode, text: string): Finding[] => [{ code, way: 'both', text }];
  if (answeredMs === null) return both('not-answered', 'The call was not answered, so there is no sound yet.');
  if (state === 'entering') {
    return both('entering', 'They are not in the conference yet: they are being asked for the PIN, a name or a key.');
  }
  if (state === 'lobby') return both('entering', 'They wait in the lobby until a moderator admits them.');
  if (state === 'waiting')
    return both('entering', 'They wait for the moderator, so they hear nobody and nobody hears them.');
  if (onHold) {
    return both(
      'on-hold',
      'The phone has put the call on hold: it neither takes nor sends sound until it takes it up again.',
    );
  }
  if (!measured)
    return both('not-measured', 'The mixer of the room cannot be asked at the moment, so nothing was measured.');
  return [];
}

/** Why the others do not hear the participant. */
function incomingFindings(facts: CallFacts): Finding[] {
  const media = arrival(facts);
  const decided = decisions(facts);
  // What was decided explains the silence even where packets come; what does not arrive is no less true when muted.
  return [...media, ...decided, ...(media.length + decided.length === 0 ? sound(facts) : [])];
}

function arrival(facts: CallFacts): Finding[] {
  const { direction, packetsReceived, srtpRefused, lastReceivedMs, nowMs, latched, foreignPackets, ended } = facts;
  const found = (code: FindingCode, text: string): Finding[] => [{ code, way: 'in', text }];
  if (direction === 'sendonly') {
    return found('phone-listens-only', 'The phone has said that it only listens (a=recvonly): it sends no sound.');
  }
  if (packetsReceived === 0 && srtpRefused > 0) {
    const text = `The phone sends, but none of its ${srtpRefused} packets is authentic: it encrypts with another key than it told, or not at all.`;
    return found('srtp-refused', text);
  }
  if (packetsReceived === 0 && foreignPackets > 0) return found('foreign-packets', fromElsewhere(facts));
  if (packetsReceived === 0) return found('nothing-received', nothingCame(facts));
  if (ended === null && lastReceivedMs !== null && nowMs - lastReceivedMs > STOPPED_AFTER_MS) {
    const since = `since ${clock(lastReceivedMs)}, ${seconds(nowMs - lastReceivedMs)} ago`;
    const text = `We have received nothing from the phone ${since}; before that its packets came from ${latched}. It may have lost its network, or a NAT on the way has closed.`;
    return found('media-stopped', text);
  }
  if (srtpRefused > packetsReceived) {
    return found('srtp-refused', `Most of the phone's packets (${srtpRefused}) are not authentic and were dropped.`);
  }
  return [];
}

function nothingCame({ answeredMs, nowMs, signalled, signalledIsPrivate, packetsSent }: CallFacts): string {
  const since = `since the call was answered ${seconds(nowMs - answeredMs!)} ago`;
  const parts = [`We have received nothing from the phone ${since}: its packets do not reach us.`];
  if (signalled === null) parts.push('It gave no address of its own.');
  else if (signalledIsPrivate) {
    parts.push(`It gave ${signalled}, an address of a private network, so there is a NAT or a router between us;`);
    parts.push('most likely a firewall on the way lets its media out to other ports only, or not at all.');
  } else {
    parts.push(`It said that it would send from ${signalled}; a firewall may be in the way, on its side or on ours.`);
  }
  if (packetsSent > 0) parts.push(`We have sent it ${packetsSent} packets.`);
  return parts.join(' ');
}

function fromElsewhere({ foreignPackets, signalled }: CallFacts): string {
  const expected = signalled === null ? '' : `, and none from ${signalled}, which it told us`;
  return `Packets came (${foreignPackets}) from changing addresses${expected}: none of them could be believed to be the phone's.`;
}

function decisions({ muted, listener, withoutFloor, speaksTo, gainDb }: CallFacts): Finding[] {
  const found: Finding[] = [];
  const add = (code: FindingCode, text: string) => found.push({ code, way: 'in', text });
  if (listener) add('listener', 'They are in the room as a listener, and listeners are not heard.');
  else if (muted === 'moderator') add('muted-by-moderator', 'They are muted by a moderator.');
  else if (muted === 'self') add('muted-by-self', 'They have muted themselves.');
  if (withoutFloor && speaksTo === null) {
    add('without-floor', 'A moderator has given the floor to others: only those are heard until it is given back.');
  }
  if (speaksTo !== null) {
    add('whispers', `Only ${speaksTo} of the others can hear them: they were made to speak to those alone.`);
  }
  if (muted === null && gainDb <= TURNED_DOWN_DB) {
    add('turned-down', `They were turned down by ${-gainDb} dB, so they can hardly be heard.`);
  }
  return found;
}

function sound({ receivedLevelDb, lossReceivedPercent, jitterReceivedMs, packetsReceived }: CallFacts): Finding[] {
  const found: Finding[] = [];
  if (receivedLevelDb !== null && receivedLevelDb < SILENT_DB) {
    const level = receivedLevelDb <= -127 ? 'pure silence' : `nothing louder than ${receivedLevelDb} dBov`;
    const text = `The phone's packets arrive (${packetsReceived}), but there is ${level} in them: its microphone is muted, or picks up nothing.`;
    found.push({ code: 'silent-microphone', way: 'in', text });
  }
  if (lossReceivedPercent !== null && lossReceivedPercent > MUCH_LOSS_PERCENT) {
    const text = `${percent(lossReceivedPercent)} of the phone's packets get lost on the way to us, so they sound broken.`;
    found.push({ code: 'loss-received', way: 'in', text });
  }
  if (jitterReceivedMs !== null && jitterReceivedMs > MUCH_JITTER_MS) {
    const text = `The phone's packets arrive very unevenly (jitter ${Math.round(jitterReceivedMs)} ms), so they sound late or broken.`;
    found.push({ code: 'jitter-received', way: 'in', text });
  }
  return found;
}

/** Why the participant does not hear the others. */
function outgoingFindings(facts: CallFacts): Finding[] {
  const { deaf, volumeDb, direction, packetsSent, packetsReceived, otherVoices, roundTripMs } = facts;
  const found: Finding[] = [];
  const add = (code: FindingCode, text: string, way: Finding['way'] = 'out') => found.push({ code, way, text });
  if (deaf) add('deaf', 'They hear nobody, because a moderator has switched that off.');
  if (direction === 'recvonly') {
    add('phone-sends-only', 'The phone has said that it only sends (a=sendonly): it takes no sound.');
  } else if (packetsSent === 0) {
    add(
      'nothing-sent',
      'We have sent nothing to the phone: it gave no address that we could send to, and we have none from its packets.',
    );
  } else if (packetsReceived === 0 && facts.signalledIsPrivate) {
    add(
      'no-way-back',
      `What we send goes to ${facts.signalled}, an address of a private network, and most likely does not arrive.`,
    );
  }
  if (volumeDb <= TURNED_DOWN_DB) add('volume-down', `What they hear was turned down by ${-volumeDb} dB.`);
  if (facts.lossSentPercent !== null && facts.lossSentPercent > MUCH_LOSS_PERCENT) {
    add(
      'loss-sent',
      `By the phone's own report, ${percent(facts.lossSentPercent)} of what we send gets lost on the way to it.`,
    );
  }
  if (facts.jitterSentMs !== null && facts.jitterSentMs > MUCH_JITTER_MS) {
    add(
      'jitter-sent',
      `By the phone's own report, what we send arrives very unevenly (jitter ${Math.round(facts.jitterSentMs)} ms).`,
    );
  }
  if (otherVoices === 0) add('alone', 'There is nobody else in the room whom they could hear.');
  if (roundTripMs !== null && roundTripMs > LONG_ROUND_TRIP_MS) {
    add(
      'long-way',
      `It takes ${Math.round(roundTripMs)} ms to the phone and back, so people talk into each other.`,
      'both',
    );
  }
  return found;
}

function faultless({ packetsReceived, packetsSent, receivedLevelDb }: CallFacts): string {
  const level = receivedLevelDb === null ? '' : `, up to ${receivedLevelDb} dBov loud in the last seconds`;
  return `No fault can be seen from here: ${packetsReceived} packets came from the phone${level}, and ${packetsSent} went to it. If something cannot be heard all the same, it is the phone's own loudspeaker, microphone or volume.`;
}
