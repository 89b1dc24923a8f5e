import { describe, expect, it } from 'vitest';
import { type CallFacts, findingCodes, findingsOf, sentenceOf } from '../../server/diagnosis/findings.ts';

const NOW = Date.parse('2026-01-02T03:04:30.000Z');

/** A call that is as it should be. */
const GOOD: CallFacts = {
  nowMs: NOW,
  state: 'connected',
  ended: null,
  answeredMs: NOW - 12_000,
  ...{ muted: null, listener: false, deaf: false, withoutFloor: false, speaksTo: null, gainDb: 0, volumeDb: 0 },
  ...{ direction: 'sendrecv', onHold: false, srtp: null, srtpRefused: 0, foreignPackets: 0 },
  ...{ packetsReceived: 600, packetsSent: 600, lastReceivedMs: NOW - 20 },
  ...{ signalled: '198.51.100.7:4000', signalledIsPrivate: false, latched: '198.51.100.7:4000' },
  ...{ receivedLevelDb: -25, lossReceivedPercent: 0, lossSentPercent: 0, jitterReceivedMs: 2, jitterSentMs: 3 },
  ...{ roundTripMs: 30, otherVoices: 2, measured: true },
};
const NOTHING: Partial<CallFacts> = {
  ...{ packetsReceived: 0, lastReceivedMs: null, latched: null, receivedLevelDb: -127, jitterReceivedMs: null },
};

const cases: [string, Partial<CallFacts>, string[], RegExp][] = [
  ['nothing wrong', {}, ['no-fault-found'], /^No fault can be seen from here: 600 packets came .* -25 dBov loud/],
  ['not answered', { answeredMs: null }, ['not-answered'], /was not answered/],
  ['asked for the PIN', { state: 'entering' }, ['entering'], /asked for the PIN/],
  ['in the lobby', { state: 'lobby' }, ['entering'], /until a moderator admits/],
  ['waiting', { state: 'waiting' }, ['entering'], /wait for the moderator/],
  ['hold', { onHold: true, direction: 'inactive', ...NOTHING }, ['on-hold'], /put the call on hold/],
  ['no mixer', { measured: false, ...NOTHING }, ['not-measured'], /mixer of the room cannot be asked/],
  [
    'one-way audio by NAT',
    { ...NOTHING, signalled: '192.168.1.20:4000', signalledIsPrivate: true },
    ['nothing-received', 'no-way-back'],
    /^We have received nothing from the phone since the call was answered 12 s ago: its packets do not reach us\. It gave 192\.168\.1\.20:4000, an address of a private network.* We have sent it 600 packets\. What we send goes to/,
  ],
  ['one-way audio, public address', NOTHING, ['nothing-received'], /from 198\.51\.100\.7:4000; a firewall may be/],
  [
    'no address at all',
    { ...NOTHING, signalled: null, packetsSent: 0 },
    ['nothing-received', 'nothing-sent'],
    /It gave no address of its own\. We have sent nothing/,
  ],
  [
    'only strangers',
    { ...NOTHING, foreignPackets: 7 },
    ['foreign-packets'],
    /\(7\) from changing addresses, and none from/,
  ],
  ['wrong key', { ...NOTHING, srtpRefused: 300 }, ['srtp-refused'], /none of its 300 packets is authentic/],
  ['mostly a wrong key', { srtpRefused: 900 }, ['srtp-refused'], /^Most of the phone's packets \(900\)/],
  [
    'stopped',
    { lastReceivedMs: NOW - 8000 },
    ['media-stopped'],
    /since 03:04:22 UTC, 8 s ago; before that its packets came from 198\.51\.100\.7:4000/,
  ],
  ['a pause that is none', { lastReceivedMs: NOW - 5000 }, ['no-fault-found'], /No fault/],
  ['recvonly', { direction: 'sendonly', ...NOTHING }, ['phone-listens-only'], /only listens/],
  ['sendonly', { direction: 'recvonly', packetsSent: 0 }, ['phone-sends-only'], /only sends/],
  ['muted by a moderator', { muted: 'moderator', receivedLevelDb: null }, ['muted-by-moderator'], /by a moderator\.$/],
  ['muted by themselves', { muted: 'self' }, ['muted-by-self'], /muted themselves/],
  ['listener', { muted: 'moderator', listener: true }, ['listener'], /listeners are not heard/],
  [
    'muted and silent all the same',
    { ...NOTHING, muted: 'moderator' },
    ['nothing-received', 'muted-by-moderator'],
    /^We have received nothing/,
  ],
  ['no floor', { withoutFloor: true, receivedLevelDb: null }, ['without-floor'], /the floor to others/],
  ['no floor, which a whisper needs not', { withoutFloor: true, speaksTo: 1 }, ['whispers'], /Only 1 of the others/],
  ['whisper', { speaksTo: 1 }, ['whispers'], /Only 1 of the others/],
  ['turned down', { gainDb: -40 }, ['turned-down'], /turned down by 40 dB/],
  [
    'microphone off',
    { receivedLevelDb: -127 },
    ['silent-microphone'],
    /packets arrive \(600\), but there is pure silence/,
  ],
  ['microphone far', { receivedLevelDb: -61 }, ['silent-microphone'], /nothing louder than -61 dBov/],
  ['quiet, but there', { receivedLevelDb: -60 }, ['no-fault-found'], /-60 dBov loud/],
  ['loss in', { lossReceivedPercent: 7.25 }, ['loss-received'], /^7\.3 % of the phone's packets/],
  ['loss out', { lossSentPercent: 9 }, ['loss-sent'], /9 % of what we send/],
  ['jitter in', { jitterReceivedMs: 80 }, ['jitter-received'], /jitter 80 ms/],
  ['jitter out', { jitterSentMs: 80 }, ['jitter-sent'], /own report, what we send arrives very unevenly/],
  ['deaf', { deaf: true }, ['deaf'], /They hear nobody/],
  ['volume', { volumeDb: -30 }, ['volume-down'], /hear was turned down by 30 dB/],
  ['alone', { otherVoices: 0 }, ['alone'], /nobody else/],
  ['far away', { roundTripMs: 900 }, ['long-way'], /900 ms to the phone and back/],
  [
    'both ways',
    { receivedLevelDb: -127, deaf: true },
    ['silent-microphone', 'deaf'],
    /picks up nothing\. They hear nobody/,
  ],
  [
    'over',
    { ...NOTHING, ended: 'remote-bye', otherVoices: null },
    ['call-ended', 'nothing-received'],
    /^The call is over: remote-bye\. Until then this was so: We have received nothing/,
  ],
  ['over, and was good', { ended: 'x', lastReceivedMs: NOW - 60_000 }, ['call-ended', 'no-fault-found'], /No fault/],
];

describe('why somebody cannot be heard', () => {
  it.each(cases)('%s', (_name, changes, codes, sentence) => {
    const findings = findingsOf({ ...GOOD, ...changes });
    expect(findings.map(({ code }) => code)).toEqual(codes);
    expect(sentenceOf(findings)).toMatch(sentence);
  });

  it('has a case here for every code that there is', () => {
    expect([...new Set(cases.flatMap(([, , codes]) => codes))].sort()).toEqual([...findingCodes].sort());
  });
});
