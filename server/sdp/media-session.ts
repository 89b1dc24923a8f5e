import type { AudioCodecName, AudioMedia, MediaPorts } from '../../mixer/protocol.ts';
import type { VideoStreamName } from '../../mixer/video-protocol.ts';
import { acceptAnswer } from './accept-answer.ts';
import type { Agreement, CurrentDescription } from './agreement.ts';
import { DEFAULT_CODECS, DEFAULT_PTIME_MS } from './audio-capabilities.ts';
import { AUDIO_MEANINGS } from './audio-payload-types.ts';
import { createOffer, type InForce } from './create-offer.ts';
import { explainNegotiation } from './explain-negotiation.ts';
import type { FloorControlServer } from './floor-control.ts';
import type { LocalMedia, LocalVideoStream } from './local-description.ts';
import { negotiateAnswer } from './negotiate-answer.ts';
import type { NegotiationExplanation } from './negotiation-explanation.ts';
import { badDescription, type NegotiationFailure } from './negotiation-failure.ts';
import { parseSdp, type SdpError } from './parse-sdp.ts';
import { PayloadTypes } from './payload-types.ts';
import type { SessionDescription } from './session-description.ts';
import { SendKeys, type SrtpPolicy } from './srtp-policy.ts';
import { VIDEO_MEANINGS } from './video-formats.ts';
import { type AgreedVideo, type LargestPicture, type VideoOptions, videoSettings } from './video-options.ts';
import { writeSdp } from './write-sdp.ts';

export type { Agreement } from './agreement.ts';

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
  /** Null or left out: no video; theirs is refused, and the call goes on with sound alone. */
  video?: VideoOptions | null;
}

export type AnswerResult = ({ ok: true; sdp: string } & Agreement) | NegotiationFailure;
export type AcceptResult = ({ ok: true } & Agreement) | NegotiationFailure;

/** What video streams have in `foresee`, which tells no ports. */
const UNTOLD_PORTS: MediaPorts = { rtpPort: 0, rtcpPort: 0 };

/**
 * Offer and answer with one participant over the life of a call (RFC 3264 §8): ours keep `o=`, streams, payload types and keys.
 *
 * What fails leaves everything as it was agreed before.
 */
export class MediaSession {
  readonly #local: LocalMedia;
  readonly #video: VideoOptions | null;
  /** What was said last, which decides whether the version goes up. */
  #lastSent: string | null = null;
  #inForce: InForce | null = null;
  /** An offer of ours without its answer. */
  #pending: CurrentDescription | null = null;
  /** What they said last, for `explain`. */
  #theirs: { kind: 'offer' | 'answer'; text: string } | null = null;

  constructor(options: MediaSessionOptions) {
    const { address, rtpPort, rtcpPort, sessionId, codecs, srtp, video } = options;
    this.#video = video ?? null;
    this.#local = {
      address,
      sessionId: BigInt(sessionId),
      sessionVersion: 1n,
      codecs: codecs ?? DEFAULT_CODECS,
      ptimeMs: DEFAULT_PTIME_MS,
      direction: 'sendrecv',
      srtp: srtp ?? 'off',
      audio: {
        ports: { rtpPort, rtcpPort },
        sendKeys: new SendKeys(),
        payloadTypes: new PayloadTypes(AUDIO_MEANINGS),
      },
      video: video == null ? null : videoSettings(video),
      main: newVideoStream(),
      slides: newVideoStream(),
      floorControl: null,
    };
  }

  /** What was agreed last; null before. */
  get media(): AudioMedia | null {
    return this.#inForce?.agreement.media ?? null;
  }

  /** The video that was agreed last. */
  get video(): AgreedVideo {
    const { video = null, slides = null } = this.#inForce?.agreement ?? {};
    return { video, slides };
  }

  /** The ports of the sound, where they were not known when the session began; before anything is said. */
  bind(ports: MediaPorts): void {
    if (this.#lastSent !== null) throw new Error('other ports were said already');
    this.rebind(ports);
  }

  /** Other ports for the sound than were said before: the next offer tells them (RFC 3264 §8.3.1). */
  rebind({ rtpPort, rtcpPort }: MediaPorts): void {
    this.#local.audio.ports = { rtpPort, rtcpPort };
  }

  /**
   * The ports of a video stream, the first ones or others. Null: it has none, for want of a mixer; it is then refused in
   * answers, and closed or left out in offers. A stream that is not part of what is agreed has lost its ports by that.
   */
  bindVideo(stream: VideoStreamName, ports: MediaPorts | null): void {
    this.#local[stream].ports = ports;
  }

  /** The video that is wanted, from the next offer or answer on; at first as of the options. Null: none. */
  wantVideo(maxReceive: LargestPicture | null): void {
    this.#local.video =
      maxReceive === null || this.#video === null ? null : videoSettings({ ...this.#video, maxReceive });
  }

  /** Our floor control server, for offers and answers from now on; null at first: such a stream is refused. */
  bindFloorControl(server: FloorControlServer | null): void {
    this.#local.floorControl = server;
  }

  /**
   * What `answer` would agree to, for who opens ports by that. Nothing is said or agreed yet; the keys are those that will
   * be. Of video, it is as if all streams had ports; `answer` takes those that have.
   */
  foresee(offerText: string): AcceptResult {
    const parsed = parseSdp(offerText);
    if (!parsed.ok) return this.#notSdp(parsed.error);
    this.#theirs = { kind: 'offer', text: offerText };
    const result = negotiateAnswer(parsed.description, this.#withAllPorts(), this.#inForce?.current.places ?? null);
    return result.ok ? { ok: true, ...result.agreement } : result;
  }

  /** Answers an offer, the first or a later one. An offer of ours that was never answered is void then. */
  answer(offerText: string): AnswerResult {
    const parsed = parseSdp(offerText);
    if (!parsed.ok) return this.#notSdp(parsed.error);
    this.#theirs = { kind: 'offer', text: offerText };
    const result = negotiateAnswer(parsed.description, this.#local, this.#inForce?.current.places ?? null);
    if (!result.ok) return result;
    this.#pending = null;
    this.#rememberTheirs(parsed.description, result.answer);
    const sdp = this.#say(result.answer.description);
    this.#agree(result.answer, result.agreement);
    return { ok: true, sdp, ...result.agreement };
  }

  /** Our offer, for a 2xx to an INVITE that had none. `acceptAnswer` takes its answer. */
  offer(): string {
    this.#pending = createOffer(this.#local, this.#inForce);
    return this.#say(this.#pending.description);
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
    this.#rememberTheirs(parsed.description, result.current);
    this.#agree(result.current, result.agreement);
    return { ok: true, ...result.agreement };
  }

  /** Why what they said last led to what is agreed. Null before they said anything. */
  explain(): NegotiationExplanation | null {
    if (this.#theirs === null) return null;
    const { kind, text } = this.#theirs;
    const parsed = parseSdp(text);
    if (!parsed.ok) return null;
    return explainNegotiation(parsed.description, { theirs: kind, local: this.#local, inForce: this.#inForce });
  }

  #withAllPorts(): LocalMedia {
    const { main, slides } = this.#local;
    return {
      ...this.#local,
      main: { ...main, ports: main.ports ?? UNTOLD_PORTS },
      slides: { ...slides, ports: slides.ports ?? UNTOLD_PORTS },
    };
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

  #rememberTheirs({ media }: SessionDescription, { places }: CurrentDescription): void {
    for (const name of ['audio', 'main', 'slides'] as const) {
      const place = places[name];
      if (place !== null) this.#local[name].payloadTypes.rememberTheirs(media[place]!);
    }
  }

  #agree(current: CurrentDescription, agreement: Agreement): void {
    this.#inForce = { current, agreement };
    const agreed = { audio: agreement.media, main: agreement.video, slides: agreement.slides };
    for (const name of ['audio', 'main', 'slides'] as const) {
      const place = current.places[name];
      const stream = this.#local[name];
      stream.sendKeys.agreed(agreed[name]?.crypto?.suite ?? null);
      if (place !== null) stream.payloadTypes.rememberOurs(current.description.media[place]!);
    }
    const { main, slides } = this.#local;
    if (agreement.video === null) main.ports = null;
    else main.agreedFormats = agreement.video.receive;
    if (agreement.slides === null) slides.ports = null;
    else slides.agreedFormats = agreement.slides.receive;
  }

  #notSdp(error: SdpError): NegotiationFailure {
    return badDescription(this.#local.address, 400, `SDP line ${error.line}: ${error.message}`);
  }
}

function newVideoStream(): LocalVideoStream<MediaPorts | null> {
  return { agreedFormats: [], ports: null, sendKeys: new SendKeys(), payloadTypes: new PayloadTypes(VIDEO_MEANINGS) };
}
