import { z } from 'zod';
import type { StoredCall, StoredConference } from '../records/call-record.ts';
import { nextCursor } from './paging.ts';

// Each schema is pinned to the type that the records use, so that neither changes without the other.

const timestamp = z.iso.datetime();
const figure = (description: string) => z.number().nullable().meta({ description });

export const call = z
  .object({
    id: z.string().meta({ description: 'Of the record.' }),
    conference: z.string().nullable().meta({ description: 'The conference that they were in first; null: in none.' }),
    room: z.string().meta({ description: 'That was called; or what was dialled, where the call was refused.' }),
    rooms: z.array(z.string()).meta({ description: 'All that they were moved through.' }),
    participant: z.string().nullable().meta({ description: 'Null when the call was refused at the door.' }),
    direction: z.enum(['in', 'out']),
    uri: z.string(),
    displayName: z.string().nullable(),
    role: z.enum(['participant', 'moderator', 'listener']).nullable(),
    transport: z.string().nullable().meta({ description: 'udp, tcp, tls, ws or wss.' }),
    sourceAddress: z.string().nullable(),
    sourcePort: z.number().nullable(),
    userAgent: z.string().nullable().meta({ description: 'What the phone calls itself.' }),
    callId: z.string(),
    startedAt: timestamp,
    answeredAt: timestamp.nullable(),
    endedAt: timestamp,
    ringingMs: z.number().meta({ description: 'From the INVITE to the answer, or to the end.' }),
    connectedMs: z.number(),
    codecSent: z.string().nullable(),
    codecReceived: z.string().nullable(),
    srtp: z.string().nullable().meta({ description: 'Crypto suite; null: not encrypted.' }),
    mosReceived: figure('Estimated mean opinion score of what we got from the participant, 1 to 4.5 (ITU-T G.107).'),
    mosSent: figure('The same of what the participant got from us, by its last report.'),
    lossReceivedPercent: figure('Lost on the way to us.'),
    lossSentPercent: figure('Lost on the way to the participant, by its last report.'),
    jitterReceivedMs: figure('Interarrival jitter (RFC 3550).'),
    jitterSentMs: figure('The same, by the last report of the participant.'),
    roundTripMs: figure('By RTCP.'),
    packetsReceived: figure('RTP.'),
    packetsSent: figure('RTP.'),
    cause: z.string().meta({
      description:
        'remote-bye, local-bye, rejected, cancelled, no-answer, ack-timeout, dialog-gone, session-expired or transport.',
    }),
    status: z.number().nullable().meta({ description: 'SIP status that it was refused with.' }),
    reason: z.string().nullable(),
    endedBy: z.enum(['participant', 'server', 'network']),
  })
  .meta({ id: 'Call' }) satisfies z.ZodType<StoredCall>;

export const conference = z
  .object({
    id: z.string().meta({ description: 'Of the record.' }),
    conference: z.string().meta({ description: 'As its calls have it.' }),
    room: z.string(),
    startedAt: timestamp.meta({ description: 'When the first entered.' }),
    endedAt: timestamp.meta({ description: 'When the last had left.' }),
    durationMs: z.number(),
    entries: z.number().meta({ description: 'How often somebody entered.' }),
    mostParticipants: z.number().meta({ description: 'How many were in it at a time, at most.' }),
    recordings: z.array(z.string()),
  })
  .meta({ id: 'Conference' }) satisfies z.ZodType<StoredConference>;

export const callList = z.object({ calls: z.array(call), nextCursor }).meta({ id: 'CallList' });
export const conferenceList = z.object({ conferences: z.array(conference), nextCursor }).meta({ id: 'ConferenceList' });
