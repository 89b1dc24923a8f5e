import { z } from 'zod';
import type { DiagnosisView, TraceView } from '../diagnosis/diagnosis-view.ts';
import { findingCodes } from '../diagnosis/findings.ts';
import { pictureQuality, quality } from './participant-schemas.ts';

const timestamp = z.iso.datetime();
const when = timestamp.nullable();
const text = z.string().nullable();
const figure = z.number().nullable();

const traffic = {
  packets: figure.meta({ description: 'RTP; null when the mixer could not be asked.' }),
  firstAt: when.meta({ description: 'When the first came, or was sent.' }),
  lossPercent: figure,
  jitterMs: figure,
};

const format = z.object({
  payloadType: z.int(),
  name: z.string(),
  verdict: z.enum(['sent', 'accepted', 'auxiliary', 'lost']),
  reason: z.string(),
});

const negotiation = z
  .object({
    theirs: z.enum(['offer', 'answer']),
    streams: z.array(
      z.object({
        media: z.string(),
        protocol: z.string(),
        taken: z.boolean(),
        reason: z.string(),
        formats: z.array(format),
      }),
    ),
    notNamed: z
      .array(z.enum(['PCMU', 'PCMA', 'G722', 'opus', 'L16/8000', 'L16/16000', 'L16/48000']))
      .meta({ description: 'Codecs of ours that the phone did not name.' }),
  })
  .meta({ description: 'What the phone said last, and what became of each format.' });

const who = z.enum(['moderator', 'self']).nullable();

export const diagnosis = z
  .object({
    participant: z.string(),
    room: z.string(),
    sentence: z.string().meta({ description: 'In plain words.' }),
    findings: z
      .array(z.object({ code: z.enum(findingCodes), way: z.enum(['in', 'out', 'both']), text: z.string() }))
      .meta({ description: 'in: what the others hear of them; out: what they hear. The most important first.' }),
    state: z.enum(['connecting', 'entering', 'lobby', 'waiting', 'connected', 'on-hold', 'disconnecting', 'ended']),
    role: z.enum(['participant', 'moderator', 'listener']).nullable(),
    startedAt: timestamp,
    answeredAt: when,
    ended: z
      .object({
        at: timestamp,
        cause: z.string(),
        status: figure,
        reason: text,
        by: z.enum(['participant', 'server', 'network']),
      })
      .nullable(),
    signalling: z.object({ callId: text, transport: text, source: text, userAgent: text }),
    codec: z.object({
      sent: text,
      received: text,
      srtp: text,
      direction: text,
      negotiation: negotiation.nullable(),
    }),
    addresses: z.object({
      signalled: text.meta({ description: 'Where the phone said that it takes media.' }),
      signalledIsPrivate: z.boolean().meta({ description: 'And its signalling came from elsewhere: there is a NAT.' }),
      latched: text.meta({ description: 'Where its media really comes from.' }),
      foreignPackets: figure,
    }),
    received: z.object({
      ...traffic,
      lastAt: when,
      levelDb: figure.meta({ description: 'Loudest of the last seconds, dBov; null while nobody listens to it.' }),
      srtpRefused: figure,
    }),
    sent: z.object({
      ...traffic,
      levelDb: figure.meta({ description: 'Of the last 20 ms, dBov; null when it was a mix of their own.' }),
    }),
    roundTripMs: figure,
    quality: quality.nullable(),
    pictures: z.array(pictureQuality),
    controls: z.object({
      muted: who,
      deaf: z.boolean(),
      gainDb: z.number(),
      volumeDb: z.number(),
      speaksTo: z.array(z.string()).nullable(),
    }),
    history: z.array(z.object({ at: timestamp, what: z.string(), by: who })),
    keys: z.array(z.object({ means: z.enum(['telephone-event', 'tone', 'info']), count: z.int(), lastAt: timestamp })),
  })
  .meta({ id: 'Diagnosis' }) satisfies z.ZodType<DiagnosisView>;

export const trace = z
  .object({
    participant: z.string(),
    room: z.string(),
    callId: z.string(),
    steps: z.array(
      z.object({
        at: timestamp,
        direction: z.enum(['received', 'sent']),
        transport: z.string(),
        local: z.string(),
        remote: z.string(),
        firstLine: z.string(),
        message: z.string().meta({ description: 'Without credentials, keys and PINs.' }),
      }),
    ),
    dropped: z.int().meta({ description: 'Messages that are not kept any more; they came after the first eight.' }),
  })
  .meta({ id: 'Trace' }) satisfies z.ZodType<TraceView>;
