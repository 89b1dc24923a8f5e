import { MediaTransport } from '../media-transport.ts';
import type { MediaSockets } from '../net/media-sockets.ts';
import type { PacketBuffers, PacketSlot } from '../net/packet-buffers.ts';
import type { PacketHandler } from '../net/udp-socket.ts';
import type { FeedbackHandler } from '../rtp/rtcp-feedback.ts';
import { RtcpCompound } from '../rtp/rtcp-packet.ts';
import { RtcpSession } from '../rtp/rtcp-session.ts';
import { RtpPacket } from '../rtp/rtp-packet.ts';
import type { StreamKey, VideoMedia, VideoMixerEvent, VideoStreamStatistics } from '../video-protocol.ts';
import type { Engine } from './engine/engine.ts';
import { IncomingVideo } from './incoming-video.ts';
import { IntraCommands } from './rtp/key-frame-requests.ts';
import { StreamFeedback } from './stream-feedback.ts';
import type { VideoCounts } from './video-counts.ts';
import { Viewer } from './viewer.ts';

const CLOCK_RATE_HZ = 90_000;
/** Losses are to be known soon: pictures suffer from each. */
const REPORT_INTERVAL_MS = 1000;
/** How often RTCP is read, and what is to be asked for looked at. */
const CONTROL_EVERY_MS = 20;

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
 * One video stream of a participant, both ways: the RTP session (RFC 3550) with its feedback. What they show is in
 * `IncomingVideo`, what they are sent in `Viewer`.
 */
export class VideoStream {
  readonly key: StreamKey;
  readonly viewer: Viewer;
  readonly incoming: IncomingVideo;
  media: VideoMedia | null = null;
  private readonly options: VideoStreamOptions;
  private readonly transport = new MediaTransport();
  private readonly session: RtcpSession;
  private readonly feedback: StreamFeedback;
  private readonly intraCommands = new IntraCommands();
  private slot: PacketSlot;
  private active = false;
  private latches = 0;
  /** A TMMBR came: answered once for however many. */
  private limitUnconfirmed = false;
  private controlMs = 0;
  private nowMs: number;
  private lastHeardMs: number;
  private packetsReceived = 0;
  private bytesReceived = 0;

  constructor(options: VideoStreamOptions) {
    const { key, cname, startMs, wallClockOffsetMs, engine, counts, buffers, event } = options;
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
      sendAgain: (length) => this.transport.sendRtp(this.slot, length),
    });
    this.feedback = new StreamFeedback({
      ...{ session: this.session, handler: this.told, buffer },
      send: (_out, length) => this.transport.sendRtcp(this.slot, length),
      nacks: (nowMs, out) => this.incoming.receiver.nacks(nowMs, out),
    });
    this.incoming = new IncomingVideo({
      ...{ key, engine, counts, feedback: this.feedback, startMs, wallClockOffsetMs, event },
      senderReference: () => this.session.senderReference,
    });
  }

  open(sockets: MediaSockets): void {
    this.transport.sockets = sockets;
  }

  /** What an offer and answer settled. */
  update(media: VideoMedia): void {
    this.media = media;
    this.transport.update(media);
    this.feedback.negotiated((media.receive[0] ?? media.send).feedback);
    this.viewer.update(media);
    this.incoming.update(media, this.takesFromThem);
  }

  /** They take pictures of ours. */
  get mayBeSent(): boolean {
    const direction = this.media?.direction;
    const agreed = direction === 'sendrecv' || direction === 'sendonly';
    // Of 0 bits a second nothing is made, and nobody else is to get less for it.
    return agreed && this.transport.rtp.remoteAddress !== null && this.viewer.rate.bitrateBps > 0;
  }

  /** They have asked for a key frame in signalling. */
  keyFrameAsked(nowMs: number): void {
    this.viewer.keyFrameAsked(nowMs);
  }

  /** Takes what has come. */
  receive(nowMs: number): void {
    this.nowMs = nowMs;
    const controls = nowMs >= this.controlMs;
    // From who only watches comes RTCP at most.
    if (controls || this.takesFromThem) this.transport.receiveRtp();
    this.incoming.receive(nowMs);
    if (controls) this.control(nowMs);
  }

  /** Something for them is to be sent, whose time has not come yet. */
  get waits(): boolean {
    return this.viewer.waits;
  }

  /** Sends what is due. */
  send(nowMs: number): void {
    if (this.mayBeSent) this.viewer.send(nowMs);
  }

  readonly receivedRtp: PacketHandler = (data, receivedLength, address, port, nowMs) => {
    const { transport } = this;
    if (transport.isRtcp(data, receivedLength)) return this.receivedRtcp(data, receivedLength, address, port, nowMs);
    const length = transport.openRtp(data, receivedLength);
    if (length < 0 || !packet.parse(data, length) || !this.takesFromThem) return;
    const kind = this.incoming.receiver.kindOf(packet.payloadType);
    if (kind === null) return;
    // Retransmissions have an SSRC of their own (RFC 4588 §4), but come from where the stream does.
    const { rtp } = transport;
    if (kind === 'media' ? !rtp.accept(address, port, packet.ssrc, nowMs) : !this.isSource(address, port)) return;
    this.heard(receivedLength, nowMs);
    if (rtp.counters.latches !== this.latches) this.latched();
    if (kind === 'media') this.session.received(packet, CLOCK_RATE_HZ, nowMs);
    const payload = data.subarray(packet.payloadOffset, packet.payloadOffset + packet.payloadLength);
    this.incoming.put(packet, payload, nowMs);
  };

  readonly receivedRtcp: PacketHandler = (data, receivedLength, address, port, nowMs) => {
    const length = this.transport.openRtcp(data, receivedLength);
    if (length < 0 || !compound.parse(data, length)) return;
    if (!this.transport.acceptRtcp(data, address, port, nowMs)) return;
    this.lastHeardMs = nowMs;
    this.nowMs = nowMs;
    const { session, viewer } = this;
    const reports = session.remoteReports;
    session.receivedReport(compound, nowMs);
    if (session.remoteReports === reports) return;
    viewer.rate.reported(session.remoteFractionLost!, session.packetsSent, viewer.sendingBps, nowMs);
    this.incoming.receiver.roundTripMs = session.roundTripMs;
  };

  /** Sends BYE. */
  close(nowMs: number): MediaSockets {
    this.viewer.leave();
    const length = this.session.writeBye(this.takeBuffer(), nowMs);
    this.transport.sendRtcp(this.slot, length);
    this.incoming.close();
    return this.transport.sockets!;
  }

  statistics(): VideoStreamStatistics {
    const { session, viewer, feedback, incoming } = this;
    const { watched } = viewer;
    const { size, codec } = incoming;
    const { fps, bitrateBps } = incoming.rate;
    return {
      packetsReceived: this.packetsReceived,
      packetsSent: session.packetsSent,
      bytesReceived: this.bytesReceived,
      bytesSent: this.transport.bytesSent,
      packetsExpected: session.reception?.packetsExpected ?? 0,
      packetsLost: session.reception?.packetsLost ?? 0,
      jitterMs: session.reception?.jitterMs ?? 0,
      remoteFractionLost: session.remoteFractionLost,
      roundTripMs: session.roundTripMs,
      nacksSent: feedback.nacksSent,
      retransmitted: viewer.packets.retransmitted,
      keyFramesAsked: incoming.keyFramesAsked,
      keyFramesSent: viewer.packets.keyFramesSent,
      framesDecoded: incoming.framesDecoded,
      framesBroken: incoming.framesBroken,
      framesSent: viewer.packets.framesSent,
      received: size === null || codec === null ? null : { codec, ...size, fps, bitrateBps },
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
    limitNotified: (owner, bitrateBps) => this.feedback.limitNotified(owner, bitrateBps),
    bitrateEstimated: (bitrateBps) => this.viewer.rate.estimated(bitrateBps),
  };

  private get takesFromThem(): boolean {
    const direction = this.media?.direction;
    return direction === 'sendrecv' || direction === 'recvonly';
  }

  private control(nowMs: number): void {
    this.controlMs = nowMs + CONTROL_EVERY_MS;
    const { session, transport } = this;
    transport.receiveRtcp();
    if (session.reportDue(nowMs)) {
      const length = session.writeReport(this.takeBuffer(), nowMs);
      transport.sendRtcp(this.slot, length);
    }
    this.confirmLimit(nowMs);
    this.incoming.control(nowMs);
    const { silenceTimeoutMs, event } = this.options;
    if (nowMs - this.lastHeardMs < silenceTimeoutMs) return;
    event({ event: 'streamSilent', ...this.key, silentMs: nowMs - this.lastHeardMs });
    this.lastHeardMs = nowMs;
  }

  private isSource(address: string, port: number): boolean {
    const { latched, remoteAddress, remotePort } = this.transport.rtp;
    return latched && address === remoteAddress && port === remotePort;
  }

  private confirmLimit(nowMs: number): void {
    const { requested } = this.viewer.rate;
    if (!this.limitUnconfirmed || requested === null) return;
    this.limitUnconfirmed = false;
    this.feedback.confirmLimit(requested.owner, requested.bitrateBps, requested.overhead, nowMs);
  }

  private heard(bytes: number, nowMs: number): void {
    this.lastHeardMs = nowMs;
    this.packetsReceived++;
    this.bytesReceived += bytes;
    this.incoming.rate.packetCame(bytes);
    if (this.active) return;
    this.active = true;
    this.options.event({ event: 'streamActive', ...this.key });
  }

  private latched(): void {
    const { counters, remoteAddress, remotePort } = this.transport.rtp;
    this.latches = counters.latches;
    this.options.event({ event: 'streamLatched', ...this.key, address: remoteAddress!, rtpPort: remotePort });
  }

  private takeBuffer(): Uint8Array {
    this.slot = this.options.buffers.take();
    return this.slot.bytes;
  }

  private sendPacket(length: number): void {
    const { timestamp, payloadLength, atMs } = this.viewer.packets;
    if (this.transport.sendRtp(this.slot, length)) this.session.sent(timestamp, payloadLength, atMs);
  }
}

function randomSsrc(): number {
  return Math.floor(Math.random() * 2 ** 32);
}
