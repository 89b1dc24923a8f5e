import type { MediaSockets } from '../net/media-sockets.ts';
import type { PacketBuffers, PacketSlot } from '../net/packet-buffers.ts';
import type { MediaCrypto } from '../protocol.ts';
import type { FeedbackHandler } from '../rtp/rtcp-feedback.ts';
import { RtcpCompound } from '../rtp/rtcp-packet.ts';
import { RtcpSession } from '../rtp/rtcp-session.ts';
import { muxedPacketKind, RtpPacket, readUint32, timestampDistance } from '../rtp/rtp-packet.ts';
import { SrtpSession } from '../rtp/srtp-session.ts';
import { SymmetricRtp } from '../rtp/symmetric-rtp.ts';
import type {
  StreamKey,
  VideoCodecName,
  VideoMedia,
  VideoMixerEvent,
  VideoStreamStatistics,
} from '../video-protocol.ts';
import type { Engine } from './engine/engine.ts';
import type { Picture } from './engine/picture.ts';
import { IntraCommands, KeyFrameRequests } from './rtp/key-frame-requests.ts';
import { VideoReceiver } from './rtp/video-receiver.ts';
import { StreamFeedback } from './stream-feedback.ts';
import { StreamPictures } from './stream-pictures.ts';
import type { VideoCounts } from './video-counts.ts';
import { Viewer } from './viewer.ts';

const CLOCK_RATE_HZ = 90_000;
const TICKS_IN_MS = CLOCK_RATE_HZ / 1000;
/** Losses are to be known soon: pictures suffer from each. */
const REPORT_INTERVAL_MS = 1000;
/** How often RTCP is read, and what is to be asked for looked at. */
const CONTROL_EVERY_MS = 20;
/** After so long without a picture a card is shown. */
const STALE_MS = 5000;

let nextViewer = 1;

/** One view for all streams: packets are taken one at a time. */
const packet = new RtpPacket();
const compound = new RtcpCompound();

export interface VideoStreamOptions {
  key: StreamKey;
  cname: string;
  engine: Engine;
  counts: VideoCounts;
  buffers: PacketBuffers;
  silenceTimeoutMs: number;
  startMs: number;
  wallClockOffsetMs: number;
  event(event: VideoMixerEvent): void;
}

/**
 * One video stream of a participant, both ways: the RTP session (RFC 3550) with its feedback, the pictures that come, and
 * what is sent.
 */
export class VideoStream {
  readonly key: StreamKey;
  readonly viewer: Viewer;
  media: VideoMedia | null = null;
  private readonly options: VideoStreamOptions;
  private sockets: MediaSockets | null = null;
  private readonly rtp = new SymmetricRtp();
  private readonly rtcp = new SymmetricRtp();
  private readonly session: RtcpSession;
  private readonly feedback: StreamFeedback;
  private readonly receiver = new VideoReceiver();
  private readonly pictures: StreamPictures;
  private readonly requests = new KeyFrameRequests();
  private readonly intraCommands = new IntraCommands();
  private srtp: SrtpSession | null = null;
  private slot: PacketSlot;
  /** Until it is known otherwise: a key frame comes at the beginning. */
  private wanted = true;
  private active = false;
  private latches = 0;
  /** A TMMBR came: answered once for however many. */
  private limitUnconfirmed = false;
  private controlMs = 0;
  private nowMs: number;
  private lastHeardMs: number;
  private lastUnitMs = Number.NEGATIVE_INFINITY;
  private packetsReceived = 0;
  private bytesReceived = 0;
  private bytesSent = 0;
  private codec: VideoCodecName | null = null;
  private toldSize: { width: number; height: number } | null = null;

  constructor(options: VideoStreamOptions) {
    const { key, cname, startMs, wallClockOffsetMs, engine, counts, buffers } = options;
    this.key = key;
    this.options = options;
    this.nowMs = startMs;
    this.lastHeardMs = startMs;
    this.slot = buffers.take();
    const ssrc = randomSsrc();
    this.session = new RtcpSession({
      ...{ ssrc, cname, wallClockOffsetMs, startMs, random: Math.random },
      ...{ clockRateHz: CLOCK_RATE_HZ, intervalMs: REPORT_INTERVAL_MS },
    });
    const buffer = (): Uint8Array => this.takeBuffer();
    this.viewer = new Viewer({
      ...{ id: nextViewer++, ssrc, rtxSsrc: randomSsrc(), buffer, startMs },
      sendPacket: (length) => this.sendPacket(length),
      sendAgain: (length) => this.sendRtp(length),
    });
    this.feedback = new StreamFeedback({
      ...{ session: this.session, handler: this.told, buffer },
      send: (_out, length) => this.sendRtcp(length),
      nacks: (nowMs, out) => this.receiver.nacks(nowMs, out),
    });
    this.pictures = new StreamPictures({
      ...{ engine, counts, wallClockOffsetMs },
      clock: this,
      now: () => this.nowMs,
      lost: () => this.receiver.requireKeyFrame(),
    });
  }

  open(sockets: MediaSockets): void {
    this.sockets = sockets;
  }

  /** What an offer and answer settled. */
  update(media: VideoMedia): void {
    const { remote, crypto } = media;
    this.media = media;
    if (remote) this.sockets?.openRtp();
    this.rtp.signalled(remote?.address ?? null, remote?.rtpPort ?? 0);
    this.rtcp.signalled(remote?.address ?? null, remote?.rtcpPort ?? 0);
    this.secure(crypto);
    this.receiver.configure(media.receive, media.send.parameters['sprop-parameter-sets'] ?? null);
    this.feedback.negotiated((media.receive[0] ?? media.send).feedback);
    this.viewer.update(media);
    if (!this.takesFromThem) this.pictures.reset();
  }

  /** They take pictures of ours. */
  get mayBeSent(): boolean {
    const direction = this.media?.direction;
    return (direction === 'sendrecv' || direction === 'sendonly') && this.rtp.remoteAddress !== null;
  }

  /** Whether pictures of theirs come. */
  get sendsPictures(): boolean {
    return this.takesFromThem && this.nowMs - this.lastUnitMs < STALE_MS;
  }

  get pictureSize(): { width: number; height: number } | null {
    return this.sendsPictures ? this.toldSize : null;
  }

  /** What is to be seen now; lent until the next call. Null: nothing. */
  pictureAt(nowMs: number): Picture | null {
    return this.sendsPictures ? this.pictures.at(nowMs) : null;
  }

  /** For `StreamPictures`. */
  ntpMsOf(rtpTimestamp: number): number | null {
    const reference = this.session.senderReference;
    if (reference === null) return null;
    return reference.ntpMs + timestampDistance(reference.rtpTimestamp, rtpTimestamp) / TICKS_IN_MS;
  }

  /** @param pixels of the largest place in which they are seen. */
  setWanted(wanted: boolean, pixels: number, nowMs: number): void {
    if (wanted && !this.wanted) this.receiver.requireKeyFrame();
    if (!wanted && this.wanted) this.pictures.reset();
    this.wanted = wanted;
    if (wanted) this.feedback.limitSender(pixels, nowMs);
  }

  soundIsLate(delayMs: number, senderNtpMs: number | null): void {
    this.pictures.soundIsLate(delayMs, senderNtpMs);
  }

  /** They have asked for a key frame in signalling. */
  keyFrameAsked(nowMs: number): void {
    this.viewer.keyFrameAsked(nowMs);
  }

  /** Takes what has come. */
  receive(nowMs: number): void {
    this.nowMs = nowMs;
    this.sockets?.receiveRtp();
    for (let unit = this.receiver.next(nowMs); unit !== null; unit = this.receiver.next(nowMs)) {
      this.lastUnitMs = nowMs;
      this.codec = unit.codec;
      if (this.wanted) this.pictures.put(unit);
    }
    if (this.wanted && this.takesFromThem) this.feedback.askForLost(nowMs);
    if (nowMs >= this.controlMs) this.control(nowMs);
  }

  /** Sends what is due. */
  send(nowMs: number): void {
    if (this.mayBeSent) this.viewer.send(nowMs);
  }

  readonly receivedRtp = (data: Uint8Array, address: string, port: number, nowMs: number): void => {
    if (this.media?.rtcpMux && muxedPacketKind(data, data.length) === 'rtcp') {
      return this.receivedRtcp(data, address, port, nowMs);
    }
    const length = this.srtp ? this.srtp.unprotectRtp(data, data.length) : data.length;
    if (length < 0 || !packet.parse(data, length) || !this.takesFromThem) return;
    const kind = this.receiver.kindOf(packet.payloadType);
    if (kind === null) return;
    // Retransmissions have an SSRC of their own (RFC 4588 §4), but come from where the stream does.
    if (kind === 'media' ? !this.rtp.accept(address, port, packet.ssrc, nowMs) : !this.isSource(address, port)) return;
    this.heard(data.length, nowMs);
    if (this.rtp.counters.latches !== this.latches) this.latched();
    if (kind === 'media') this.session.received(packet, CLOCK_RATE_HZ, nowMs);
    const payload = data.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLength);
    this.receiver.put(packet, payload, nowMs);
  };

  readonly receivedRtcp = (data: Uint8Array, address: string, port: number, nowMs: number): void => {
    const length = this.srtp ? this.srtp.unprotectRtcp(data, data.length) : data.length;
    if (length < 0 || !compound.parse(data, length)) return;
    const latch = this.media?.rtcpMux ? this.rtp : this.rtcp;
    if (!latch.accept(address, port, readUint32(data, 4), nowMs)) return;
    this.lastHeardMs = nowMs;
    this.nowMs = nowMs;
    const reports = this.session.remoteReports;
    this.session.receivedReport(compound, nowMs);
    if (this.session.remoteReports === reports) return;
    this.viewer.rate.reported(this.session.remoteFractionLost!, this.session.packetsSent, nowMs);
    this.receiver.roundTripMs = this.session.roundTripMs;
  };

  /** Sends BYE. */
  close(nowMs: number): MediaSockets {
    this.viewer.leave();
    this.sendRtcp(this.session.writeBye(this.takeBuffer(), nowMs));
    this.pictures.close();
    return this.sockets!;
  }

  statistics(): VideoStreamStatistics {
    const { session, viewer, feedback, pictures, requests } = this;
    const { watched } = viewer;
    const size = this.pictureSize;
    return {
      packetsReceived: this.packetsReceived,
      packetsSent: session.packetsSent,
      bytesReceived: this.bytesReceived,
      bytesSent: this.bytesSent,
      packetsLost: session.reception?.packetsLost ?? 0,
      jitterMs: session.reception?.jitterMs ?? 0,
      remoteFractionLost: session.remoteFractionLost,
      roundTripMs: session.roundTripMs,
      nacksSent: feedback.nacksSent,
      retransmitted: viewer.packets.retransmitted,
      keyFramesAsked: requests.asked,
      keyFramesSent: viewer.packets.keyFramesSent,
      framesDecoded: pictures.framesDecoded,
      framesBroken: pictures.framesBroken,
      framesSent: viewer.packets.framesSent,
      received: size === null || this.codec === null ? null : { codec: this.codec, ...size },
      sent: watched === null ? null : watched.describe(),
    };
  }

  /** What the other side says in feedback. */
  private readonly told: FeedbackHandler = {
    packetLost: (sequenceNumber) => this.viewer.packetLost(sequenceNumber, this.session.roundTripMs, this.nowMs),
    pictureLost: () => this.viewer.keyFrameAsked(this.nowMs),
    intraRequested: (sender, command) => {
      if (this.intraCommands.isNew(sender, command, this.nowMs)) this.viewer.keyFrameAsked(this.nowMs);
    },
    bitrateLimited: (sender, bitrateBps, overhead) => {
      this.viewer.rate.limitRequested(sender, bitrateBps, overhead);
      this.limitUnconfirmed = true;
    },
    limitNotified: () => undefined,
    bitrateEstimated: (bitrateBps) => this.viewer.rate.estimated(bitrateBps),
  };

  private get takesFromThem(): boolean {
    const direction = this.media?.direction;
    return direction === 'sendrecv' || direction === 'recvonly';
  }

  private control(nowMs: number): void {
    this.controlMs = nowMs + CONTROL_EVERY_MS;
    this.sockets?.receiveRtcp();
    if (this.session.reportDue(nowMs)) this.sendRtcp(this.session.writeReport(this.takeBuffer(), nowMs));
    if (this.wanted && this.takesFromThem) this.askThem(nowMs);
    this.confirmLimit(nowMs);
    this.tellSize(nowMs);
    const { silenceTimeoutMs, event } = this.options;
    if (nowMs - this.lastHeardMs < silenceTimeoutMs) return;
    event({ event: 'streamSilent', ...this.key, silentMs: nowMs - this.lastHeardMs });
    this.lastHeardMs = nowMs;
  }

  private isSource(address: string, port: number): boolean {
    return this.rtp.latched && address === this.rtp.remoteAddress && port === this.rtp.remotePort;
  }

  private confirmLimit(nowMs: number): void {
    const { requested } = this.viewer.rate;
    if (!this.limitUnconfirmed || requested === null) return;
    this.limitUnconfirmed = false;
    this.feedback.confirmLimit(requested.owner, requested.bitrateBps, requested.overhead, nowMs);
  }

  private askThem(nowMs: number): void {
    if (!this.requests.due(this.receiver.keyFrameNeeded, nowMs)) return;
    if (this.feedback.canAskForKeyFrame) this.feedback.askForKeyFrame(this.requests.command, nowMs);
    else this.options.event({ event: 'keyFrameWanted', ...this.key });
  }

  private tellSize(nowMs: number): void {
    const picture = this.wanted ? this.pictureAt(nowMs) : null;
    if (this.wanted === (picture !== null) && picture !== null) {
      const { width, height } = picture;
      if (this.toldSize?.width === width && this.toldSize.height === height) return;
      this.toldSize = { width, height };
    } else if (this.toldSize !== null && !this.sendsPictures) this.toldSize = null;
    else return;
    this.options.event({ event: 'streamPicture', ...this.key, size: this.toldSize });
  }

  private heard(bytes: number, nowMs: number): void {
    this.lastHeardMs = nowMs;
    this.packetsReceived++;
    this.bytesReceived += bytes;
    if (this.active) return;
    this.active = true;
    this.options.event({ event: 'streamActive', ...this.key });
  }

  private latched(): void {
    this.latches = this.rtp.counters.latches;
    const { remoteAddress, remotePort } = this.rtp;
    this.options.event({ event: 'streamLatched', ...this.key, address: remoteAddress!, rtpPort: remotePort });
  }

  private takeBuffer(): Uint8Array {
    this.slot = this.options.buffers.take();
    return this.slot.bytes;
  }

  private sendPacket(length: number): void {
    const { timestamp, payloadLength, atMs } = this.viewer.packets;
    this.sendRtp(length);
    this.session.sent(timestamp, payloadLength, atMs);
  }

  private sendRtp(length: number): void {
    const { remoteAddress, remotePort } = this.rtp;
    if (remoteAddress === null) return;
    const sentLength = this.srtp ? this.srtp.protectRtp(this.slot.bytes, length) : length;
    if (sentLength === 0) return;
    this.sockets?.sendRtp(this.slot, sentLength, remotePort, remoteAddress);
    this.bytesSent += sentLength;
  }

  private sendRtcp(length: number): void {
    const mux = this.media?.rtcpMux ?? false;
    const { remoteAddress, remotePort } = mux ? this.rtp : this.rtcp;
    if (remoteAddress === null) return;
    const sentLength = this.srtp ? this.srtp.protectRtcp(this.slot.bytes, length) : length;
    if (sentLength === 0) return;
    if (mux) this.sockets?.sendRtp(this.slot, sentLength, remotePort, remoteAddress);
    else this.sockets?.sendRtcp(this.slot, sentLength, remotePort, remoteAddress);
  }

  private secure(crypto: MediaCrypto | null): void {
    if (crypto === null) this.srtp = null;
    else if (this.srtp === null) this.srtp = new SrtpSession(crypto);
    else this.srtp.update(crypto);
  }
}

function randomSsrc(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
