import type { DiagnosisControl } from '../../server/diagnosis/diagnosis-control.ts';
import type { DiagnosisView, TraceView } from '../../server/diagnosis/diagnosis-view.ts';
import { pcapOf } from '../../server/diagnosis/pcap.ts';

/** Knows one call: that of ben in demo. */
export class FakeDiagnosis implements DiagnosisControl {
  async diagnosis(room: string, participant: string): Promise<DiagnosisView | null> {
    if (!isKnown(room, participant)) return null;
    return {
      ...{ participant, room, sentence: 'They are muted by a moderator.', state: 'connected', role: 'participant' },
      findings: [{ code: 'muted-by-moderator', way: 'in', text: 'They are muted by a moderator.' }],
      ...{ startedAt: '2026-01-02T03:04:05.678Z', answeredAt: '2026-01-02T03:04:06.000Z', ended: null },
      signalling: { callId: 'a-call', transport: 'udp', source: '192.0.2.1:5060', userAgent: null },
      codec: {
        ...{ sent: 'opus', received: null, srtp: null, direction: 'sendrecv' },
        negotiation: {
          theirs: 'offer',
          streams: [
            {
              ...{ media: 'audio', protocol: 'RTP/AVP', taken: true, reason: 'taken, without encryption' },
              formats: [{ payloadType: 96, name: 'opus/48000/2', verdict: 'sent', reason: 'the first' }],
            },
          ],
          notNamed: ['G722'],
        },
      },
      addresses: { signalled: '192.0.2.1:4000', signalledIsPrivate: false, latched: null, foreignPackets: 0 },
      received: {
        ...{ packets: 0, firstAt: null, lastAt: null, lossPercent: null, jitterMs: null, levelDb: null },
        srtpRefused: 0,
      },
      sent: { packets: 5, firstAt: '2026-01-02T03:04:06.000Z', lossPercent: null, jitterMs: null, levelDb: -65 },
      ...{ roundTripMs: null, quality: null, pictures: [] },
      controls: { muted: 'moderator', deaf: false, gainDb: 0, volumeDb: 0, speaksTo: null },
      history: [{ at: '2026-01-02T03:04:07.000Z', what: 'muted', by: 'moderator' }],
      keys: [{ means: 'info', count: 2, lastAt: '2026-01-02T03:04:08.000Z' }],
    };
  }

  trace(room: string, participant: string): TraceView | null {
    if (!isKnown(room, participant)) return null;
    const step = { transport: 'udp', local: '192.0.2.9:5060', remote: '192.0.2.1:5060' } as const;
    const firstLine = 'INVITE sip:demo@192.0.2.9 SIP/2.0';
    return {
      ...{ participant, room, callId: 'a-call', dropped: 0 },
      steps: [
        { ...step, at: '2026-01-02T03:04:05.678Z', direction: 'received', firstLine, message: `${firstLine}\r\n` },
      ],
    };
  }

  pcap(room: string, participant: string): Buffer | null {
    return isKnown(room, participant) ? pcapOf([]) : null;
  }
}

const isKnown = (room: string, participant: string): boolean => room === 'demo' && participant === 'ben';
