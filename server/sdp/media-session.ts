import type { AudioCodecName, AudioMedia } from '../../mixer/protocol.ts';
import { acceptAnswer } from './accept-answer.ts';
import { DEFAULT_CODECS, DEFAULT_PTIME_MS } from './audio-capabilities.ts';
import { type CurrentDescription, createOffer } from './create-offer.ts';
import { explainNegotiation } from './explain-negotiation.ts';
import type { LocalMedia } from './local-description.ts';
import { negotiateAnswer } from './negotiate-answer.ts';
import type { NegotiationExplanation } from './negotiation-explanation.ts';
import { badDescription, type NegotiationFailure } from './negotiation-failure.ts';
import { parseSdp, type SdpError } from './parse-sdp.ts';
import { PayloadTypes } from './payload-types.ts';
import type { SessionDescription } from './session-description.ts';
import { SendKeys, type SrtpPolicy } from './srtp-policy.ts';
import { writeSdp } from './write-sdp.ts';

export interface MediaSessionOptions {
  /** Unicast IPv4 or IPv6 address that the other side shall send to, without brackets. */
  address: string;
  rtpPort: number;
  rtcpPort: number;
  /** For `o=`; unique among our sessions, below 2^62 (RFC 3264 §5). */
  sessionId: number | bigint;
  /** In the order of preference; by quality when left out. */
  codecs?: readonly AudioCodecName[];
  /** `off` when left out. */
  srtp?: SrtpPolicy;
}

export type AnswerResult = { ok: true; sdp: string; media: AudioMedia } | NegotiationFailure;
export type AcceptResult = { ok: true; media: AudioMedia } | NegotiationFailure;

/**
 * Offer and answer with one participant over the life of a call (RFC 3264 §8): ours keep `o=`, streams, payload types and keys.
 *
 * What fails leaves everything as it was agreed before.
 */
export class MediaSession {
  readonly #local: LocalMedia;
  readonly #payloadTypes = new PayloadTypes();
  /** What was said last, which decides whether the version goes up. */
  #lastSent: string | null = null;
  #current: CurrentDescription | null = null;
  /** An offer of ours without its answer. */
  #pending: CurrentDescription | null = null;
  #media: AudioMedia | null = null;
  /** What they said last, for `explain`. */
  #theirs: { kind: 'offer' | 'answer'; text: string } | null = null;

  constructor(options: MediaSessionOptions) {
    this.#local = {
      address: options.address,
      rtpPort: options.rtpPort,
      rtcpPort: options.rtcpPort,
      sessionId: BigInt(options.sessionId),
      sessionVersion: 1n,
      codecs: options.codecs ?? DEFAULT_CODECS,
      ptimeMs: DEFAULT_PTIME_MS,
      direction: 'sendrecv',
      srtp: options.srtp ?? 'off',
      sendKeys: new SendKeys(),
    };
  }

  /** What was agreed last; null before. */
  get media(): AudioMedia | null {
    return this.#media;
  }

  /** The ports, where they were not known when the session began; before anything is said. */
  bind({ rtpPort, rtcpPort }: { rtpPort: number; rtcpPort: number }): void {
    if (this.#lastSent !== null) throw new Error('other ports were said already');
    this.rebind({ rtpPort, rtcpPort });
  }

  /** Other ports than were said before: the next offer tells them (RFC 3264 §8.3.1). */
  rebind({ rtpPort, rtcpPort }: { rtpPort: number; rtcpPort: number }): void {
    this.#local.rtpPort = rtpPort;
    this.#local.rtcpPort = rtcpPort;
  }

  /** What `answer` would agree to, for who opens ports by that. Nothing is said or agreed yet; the keys are those that will be. */
  foresee(offerText: string): { ok: true; media: AudioMedia } | NegotiationFailure {
    const parsed = parseSdp(offerText);
    if (!parsed.ok) return this.#notSdp(parsed.error);
    this.#theirs = { kind: 'offer', text: offerText };
    return negotiateAnswer(parsed.description, this.#local, this.#current?.mediaIndex ?? null);
  }

  /** Answers an offer, the first or a later one. An offer of ours that was never answered is void then. */
  answer(offerText: string): AnswerResult {
    const parsed = parseSdp(offerText);
    if (!parsed.ok) return this.#notSdp(parsed.error);
    const offer = parsed.description;
    this.#theirs = { kind: 'offer', text: offerText };
    const result = negotiateAnswer(offer, this.#local, this.#current?.mediaIndex ?? null);
    if (!result.ok) return result;
    this.#pending = null;
    const theirStream = offer.media[result.mediaIndex]!;
    this.#payloadTypes.rememberTheirs(theirStream);
    const sdp = this.#say(result.answer);
    this.#agree({ description: result.answer, mediaIndex: result.mediaIndex }, result.media);
    return { ok: true, sdp, media: result.media };
  }

  /** Our offer, for a 2xx to an INVITE that had none. `acceptAnswer` takes its answer. */
  offer(): string {
    const description = createOffer(this.#local, this.#payloadTypes, this.#current, this.#media?.crypto?.suite ?? null);
    this.#pending = { description, mediaIndex: this.#current?.mediaIndex ?? 0 };
    return this.#say(description);
  }

  /** Takes the answer to our last `offer`. Throws when there is none that waits for it. */
  acceptAnswer(answerText: string): AcceptResult {
    const pending = this.#pending;
    if (pending === null) throw new Error('no offer waits for an answer');
    this.#pending = null;
    const parsed = parseSdp(answerText);
    if (!parsed.ok) return this.#notSdp(parsed.error);
    this.#theirs = { kind: 'answer', text: answerText };
    const result = acceptAnswer(pending, parsed.description, this.#local);
    if (!result.ok) return result;
    this.#payloadTypes.rememberTheirs(parsed.description.media[pending.mediaIndex]!);
    this.#agree(pending, result.media);
    return result;
  }

  /** Why what they said last led to what is agreed. Null before they said anything. */
  explain(): NegotiationExplanation | null {
    if (this.#theirs === null) return null;
    const { kind, text } = this.#theirs;
    const parsed = parseSdp(text);
    if (!parsed.ok) return null;
    const { codecs, srtp, address } = this.#local;
    const mediaIndex = this.#current?.mediaIndex ?? null;
    return explainNegotiation(parsed.description, {
      theirs: kind,
      codecs,
      srtp,
      address,
      agreed: this.#media,
      mediaIndex,
    });
  }

  /** Writes it, with a version one higher when it is not what was said last (RFC 3264 §8). */
  #say(description: SessionDescription): string {
    let text = writeSdp(description);
    if (this.#lastSent !== null && text !== this.#lastSent) {
      this.#local.sessionVersion += 1n;
      description.origin.sessionVersion = String(this.#local.sessionVersion);
      text = writeSdp(description);
    }
    this.#lastSent = text;
    return text;
  }

  #agree(current: CurrentDescription, media: AudioMedia): void {
    this.#current = current;
    this.#media = media;
    this.#local.sendKeys.agreed(media.crypto?.suite ?? null);
    this.#payloadTypes.rememberOurs(current.description.media[current.mediaIndex]!);
  }

  #notSdp(error: SdpError): NegotiationFailure {
    return badDescription(this.#local.address, 400, `SDP line ${error.line}: ${error.message}`);
  }
}
