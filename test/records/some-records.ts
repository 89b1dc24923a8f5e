import type { CallRecord, ConferenceRecord } from '../../server/records/call-record.ts';

/** A call of a minute that ended then. */
export function aCall(endedMs: number, changes: Partial<CallRecord> = {}): CallRecord {
  return {
    ...{ conference: 'conf', room: 'demo', rooms: ['demo'], participant: 'p1', direction: 'in' },
    ...{ uri: 'sip:ben@example.com', displayName: 'Ben', role: 'participant', transport: 'udp' },
    ...{ sourceAddress: '192.0.2.1', sourcePort: 5060, userAgent: 'Phone 1', callId: 'a-call' },
    startedAt: new Date(endedMs - 61_000).toISOString(),
    answeredAt: new Date(endedMs - 60_000).toISOString(),
    endedAt: new Date(endedMs).toISOString(),
    ...{ ringingMs: 1000, connectedMs: 60_000, codecSent: 'opus', codecReceived: 'opus', srtp: null },
    ...{ mosReceived: 4.4, mosSent: null, lossReceivedPercent: 0, lossSentPercent: null },
    ...{ jitterReceivedMs: 1.5, jitterSentMs: null, roundTripMs: null, packetsReceived: 3000, packetsSent: 3000 },
    ...{ cause: 'remote-bye', status: null, reason: null, endedBy: 'participant' },
    ...changes,
  };
}

export function aConference(endedMs: number, changes: Partial<ConferenceRecord> = {}): ConferenceRecord {
  return {
    ...{
      conference: 'conf',
      room: 'demo',
      durationMs: 60_000,
      entries: 2,
      mostParticipants: 2,
      recordings: ['r1', 'r2'],
    },
    startedAt: new Date(endedMs - 60_000).toISOString(),
    endedAt: new Date(endedMs).toISOString(),
    ...changes,
  };
}
