import { describe, expect, test } from 'vitest';
import {
  delayWords,
  factsOf,
  figuresOf,
  pictureFiguresOf,
  pictureTitle,
  sentencesOf,
} from '../../console/diagnosis-words.ts';
import type { DiagnosisView } from '../../server/diagnosis/diagnosis-view.ts';
import { FakeDiagnosis } from '../http/fake-diagnosis.ts';

async function diagnosis(more: Partial<DiagnosisView> = {}): Promise<DiagnosisView> {
  return { ...(await new FakeDiagnosis().diagnosis('demo', 'ben'))!, ...more };
}

const clock = (time: string) => time.slice(11, 19);
const facts = (view: DiagnosisView) => Object.fromEntries(factsOf(view, clock).map(({ about, says }) => [about, says]));

describe('a diagnosis', () => {
  test('has each finding as a sentence, the most important first', async () => {
    const muted = { code: 'muted-by-self', way: 'in', text: 'They have muted themselves.' } as const;
    const alone = { code: 'alone', way: 'out', text: 'Nobody is there.' } as const;
    expect(sentencesOf(await diagnosis({ findings: [muted, alone] }))).toEqual([muted.text, alone.text]);
  });

  test('tells codec, addresses, who did what, and keys', async () => {
    expect(facts(await diagnosis())).toEqual({
      Codec: ['nothing yet from them, opus to them', 'not encrypted'],
      'Not used': ['G722: the phone did not name them'],
      Addresses: ['the phone gave 192.0.2.1:4000', 'no media came that could be believed'],
      Phone: ['SIP with 192.0.2.1:5060 over UDP'],
      'What was done': ['03:04:07 muted by a moderator'],
      Keys: ['2 by SIP INFO, last at 03:04:08'],
    });
  });

  test('says why formats and streams were not taken', async () => {
    const { codec } = await diagnosis();
    const lost = { payloadType: 18, name: 'G729/8000', verdict: 'lost', reason: 'not a codec of ours' } as const;
    const used = { payloadType: 0, name: 'PCMU/8000', verdict: 'sent', reason: 'the first' } as const;
    const streams = [
      { media: 'audio', protocol: 'RTP/AVP', taken: true, reason: 'taken', formats: [lost, used] },
      { media: 'video', protocol: 'RTP/AVP', taken: false, reason: 'there is no video here', formats: [] },
    ];
    const view = await diagnosis({
      codec: {
        ...{ ...codec, sent: 'PCMU', received: 'PCMU', srtp: 'AES_CM_128_HMAC_SHA1_80', direction: 'sendonly' },
        negotiation: { theirs: 'offer', streams, notNamed: [] },
      },
    });
    expect(facts(view)).toMatchObject({
      Codec: ['PCMU both ways', 'encrypted with AES_CM_128_HMAC_SHA1_80', 'we only send'],
      'Not used': ['G729/8000: not a codec of ours', 'video: there is no video here'],
    });
  });

  test('shows a NAT, the latch, and what came from elsewhere', async () => {
    const addresses = {
      signalled: '10.0.0.1:4000',
      signalledIsPrivate: true,
      latched: '192.0.2.1:9',
      foreignPackets: 3,
    };
    expect(facts(await diagnosis({ addresses })).Addresses).toEqual([
      'the phone gave 10.0.0.1:4000, of a private network behind a NAT',
      'its media comes from 192.0.2.1:9',
      '3 packets from elsewhere were dropped',
    ]);
  });

  test('says nothing of what there is not', async () => {
    const { codec } = await diagnosis();
    const view = await diagnosis({
      ...{ history: [], keys: [] },
      signalling: { callId: null, transport: null, source: null, userAgent: null },
      codec: { ...codec, sent: null, negotiation: null },
    });
    expect(Object.keys(facts(view))).toEqual(['Addresses']);
    expect(delayWords(view)).toBeNull();
  });

  test('has figures both ways, and dashes for what was not measured', async () => {
    const { received, sent } = await diagnosis();
    const view = await diagnosis({
      received: { ...received, packets: 500, lossPercent: 12.34, jitterMs: 40.4, levelDb: -31 },
      sent: { ...sent, lossPercent: 0 },
      roundTripMs: 81,
      quality: {
        received: {
          ...{ mos: 2.5, lossPercent: 12.34, jitterMs: 40, concealedPercent: 13, burstLossPercent: 50, burstMs: 100 },
          ...{ gapLossPercent: 1, gapMs: 900 },
        },
        ...{ sent: null, roundTripMs: 81, bufferDelayMs: 60 },
      },
    });
    expect(figuresOf(view)).toEqual([
      ['Score (1 to 4.5)', '2.5, bad', '–'],
      ['Packets', '500', '5'],
      ['Lost', '12.3 %', '0.0 %'],
      ['Jitter', '40 ms', '–'],
      ['Made up', '13.0 %', '–'],
      ['Level', '-31 dBov', '-65 dBov'],
      ['Not authentic', '0', '–'],
    ]);
    expect(delayWords(view)).toBe('There and back 81 ms; our jitter buffer adds 60 ms.');
  });

  test('has the pictures of each stream, and dashes where there are none', () => {
    const received = {
      ...{ codec: 'VP8', width: 1280, height: 720, fps: 24.9, bitrateBps: 1_499_700 },
      ...{ lossPercent: 0.3, jitterMs: 2.2, broken: 0, keyFramesAsked: 1 },
    };
    const slides = { stream: 'slides', received, sent: null, roundTripMs: 12 } as const;
    expect(pictureTitle(slides)).toBe('Slides');
    expect(pictureFiguresOf(slides)).toEqual([
      ['Picture', 'VP8, 1280 × 720, 25/s', '–'],
      ['Speed', '1500 kbit/s', '–'],
      ['Lost', '0.3 %', '–'],
      ['Jitter', '2 ms', '–'],
      ['Key frames asked for, sent', '1', '–'],
      ['Broken', '0', '–'],
      ['Packets sent again', '–', '–'],
      ['There and back', '–', '12 ms'],
    ]);
  });
});
