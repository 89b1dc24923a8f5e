import type { LegQuality } from '../../mixer/protocol.ts';
import type { EndedBy } from '../records/call-record.ts';
import type { ParticipantState, PictureQuality, Role } from '../rooms/views.ts';
import type { NegotiationExplanation } from '../sdp/negotiation-explanation.ts';
import type { Finding } from './findings.ts';

/** Why a participant can, or cannot, be heard and hear. Times are ISO 8601. */
export interface DiagnosisView {
  participant: string;
  room: string;
  /** In plain words. */
  sentence: string;
  /** The most important first. */
  findings: Finding[];
  state: ParticipantState | 'ended';
  role: Role | null;
  startedAt: string;
  answeredAt: string | null;
  ended: { at: string; cause: string; status: number | null; reason: string | null; by: EndedBy } | null;
  signalling: { callId: string | null; transport: string | null; source: string | null; userAgent: string | null };
  codec: {
    sent: string | null;
    received: string | null;
    srtp: string | null;
    /** Ours: `sendonly` means that we send alone. */
    direction: string | null;
    negotiation: NegotiationExplanation | null;
  };
  addresses: {
    /** Where the phone said that it takes media. */
    signalled: string | null;
    signalledIsPrivate: boolean;
    /** Where its media really comes from, and ours goes to. */
    latched: string | null;
    foreignPackets: number | null;
  };
  received: Traffic & { lastAt: string | null; levelDb: number | null; srtpRefused: number | null };
  sent: Traffic & { levelDb: number | null };
  roundTripMs: number | null;
  quality: LegQuality | null;
  /** One for each stream of video. */
  pictures: PictureQuality[];
  controls: {
    muted: 'moderator' | 'self' | null;
    deaf: boolean;
    gainDb: number;
    volumeDb: number;
    speaksTo: string[] | null;
  };
  /** Mutes and the like, oldest first, and who did them. */
  history: { at: string; what: string; by: 'moderator' | 'self' | null }[];
  /** How often keys were told, and by which means; not which, as they may be a PIN. */
  keys: { means: 'telephone-event' | 'tone' | 'info'; count: number; lastAt: string }[];
}

export interface Traffic {
  packets: number | null;
  firstAt: string | null;
  lossPercent: number | null;
  jitterMs: number | null;
}

/** A step of the SIP ladder. */
export interface TraceStep {
  at: string;
  direction: 'received' | 'sent';
  transport: string;
  /** Address and port. */
  local: string;
  remote: string;
  firstLine: string;
  /** The whole message, without credentials, keys and PINs; cut off when it is very long. */
  message: string;
}

export interface TraceView {
  participant: string;
  room: string;
  callId: string;
  steps: TraceStep[];
  /** Messages that are not kept any more; they lie after the first eight. */
  dropped: number;
}
