import type { LegReceiver } from './leg-receiver.ts';
import { MediaTransport } from './media-transport.ts';
import type { MediaSockets } from './net/media-sockets.ts';
import type { PacketBuffers, PacketSlot } from './net/packet-buffers.ts';
import type { AudioFormat, AudioMedia, LegQuality, LegStatistics, MixerEvent } from './protocol.ts';
import { fillVoipMetrics, legQuality, type QualityInputs } from './quality/leg-quality.ts';
import type { VoipMetrics } from './rtp/rtcp-extended-report.ts';
import { RtcpCompound } from './rtp/rtcp-packet.ts';
import { RtcpSession } from './rtp/rtcp-session.ts';
import { RtpPacket } from './rtp/rtp-packet.ts';
import { QUIET_MS } from './rtp/symmetric-rtp.ts';
import { TelephoneEventReceiver } from './rtp/telephone-event.ts';

export interface LegMediaOptions {
  leg: string;
  cname: string;
  ssrc: number;
  silenceTimeoutMs: number;
  startMs: number;
  wallClockOffsetMs: number;
  receiver: LegReceiver;
  buffers: PacketBuffers;
  event(event: MixerEvent): void;
  /** The other side has reported on what we send, 0 to 1. */
  lossReported(fractionLost: number): void;
}

/** Reports and what is noticed by the clock can wait for 100 ms; the times of what arrives are the kernel's. */
const CONTROL_EVERY_TICKS = 5;
let nextTicks = 0;

/** One view for all legs: packets are taken one at a time. */
const packet = new RtpPacket();
const compound = new RtcpCompound();

/**
 * The RTP session of a leg (RFC 3550): which packets are taken and where ours go, reports, keys, and whether the other
 * side is still there.
 */
export class LegMedia {
  private readonly options: LegMediaOptions;
  private readonly transport = new MediaTransport();
  private readonly session: RtcpSession;
  /** What we send. */
  private sendFormat: AudioFormat | null = null;
  private keys = new TelephoneEventReceiver(8000);
  private telephoneEventType = -1;
  private telephoneEventRateHz = 8000;
  private active = false;
  /** The kernel takes RTP from the latched source only. */
  private connected = false;
  private lastRtpMs = 0;
  private firstRtpMs = -1;
  private firstSentMs = -1;
  /** Begins somewhere, so that not all legs have the same tick for what is done now and then. */
  private ticks = nextTicks++;
  private latches = 0;
  private lastHeardMs: number;
  private bytesReceived = 0;
  private packetsReceived = 0;

  constructor(options: LegMediaOptions) {
    this.options = options;
    this.lastHeardMs = options.startMs;
    this.session = new RtcpSession({
      ssrc: options.ssrc,
      cname: options.cname,
      clockRateHz: 8000,
      wallClockOffsetMs: options.wallClockOffsetMs,
      startMs: options.startMs,
      random: Math.random,
    });
  }

  /** Where the sender's time stamps stand on its clock; null before its first report. */
  get senderReference(): RtcpSession['senderReference'] {
    return this.session.senderReference;
  }

  /** A key is down (RFC 4733), whose tone may be in the sound too. */
  get keyPressed(): boolean {
    return this.keys.pressed;
  }

  set sockets(sockets: MediaSockets) {
    this.transport.sockets = sockets;
  }

  update(media: AudioMedia): void {
    if (media.remote) this.open();
    this.transport.update(media);
    this.session.sendClockRateHz = media.send.clockRateHz;
    this.sendFormat = media.send;
    this.session.fillMetrics = media.voipMetrics ? this.fillMetrics : null;
    this.telephoneEventType = media.receiveTelephoneEvent?.payloadType ?? -1;
    const keyRateHz = media.receiveTelephoneEvent?.clockRateHz ?? 8000;
    if (keyRateHz !== this.telephoneEventRateHz) this.keys = new TelephoneEventReceiver(keyRateHz);
    this.telephoneEventRateHz = keyRateHz;
    this.options.receiver.configure(media.receive, media.receiveAudioLevel ?? null);
  }

  /** Takes what has come since the last tick. */
  readSockets(): void {
    this.transport.receiveRtp();
  }

  receivedRtp(data: Uint8Array, receivedLength: number, address: string, port: number, nowMs: number): void {
    const { transport } = this;
    if (transport.isRtcp(data, receivedLength)) return this.receivedRtcp(data, receivedLength, address, port, nowMs);
    const length = transport.openRtp(data, receivedLength);
    if (length < 0 || !packet.parse(data, length)) return;
    const { payloadType } = packet;
    const isKey = payloadType === this.telephoneEventType;
    if (!isKey && this.options.receiver.clockRateOf(payloadType) === 0) return;
    if (!transport.rtp.accept(address, port, packet.ssrc, nowMs)) return;
    this.heard(receivedLength, nowMs);
    this.lastRtpMs = nowMs;
    if (!this.connected && transport.rtp.latched) this.connect();
    if (transport.rtp.counters.latches !== this.latches) this.latched();
    // Keys are counted with the stream that they are part of, whatever clock they were negotiated with.
    const clockRateHz = isKey ? this.options.receiver.clockRateHz : this.options.receiver.clockRateOf(payloadType);
    const check = this.session.received(packet, clockRateHz || this.telephoneEventRateHz, nowMs);
    if (check === 'invalid' || check === 'probation') return;
    if (check === 'newSource' || check === 'restart') {
      this.options.receiver.reset();
      this.keys.reset();
    }
    if (isKey) return this.receivedKey(data, nowMs);
    this.options.receiver.put(packet, nowMs);
  }

  receivedRtcp(data: Uint8Array, receivedLength: number, address: string, port: number, nowMs: number): void {
    const length = this.transport.openRtcp(data, receivedLength);
    if (length < 0 || !compound.parse(data, length)) return;
    if (!this.transport.acceptRtcp(data, address, port, nowMs)) return;
    this.lastHeardMs = nowMs;
    const reports = this.session.remoteReports;
    this.session.receivedReport(compound, nowMs);
    if (this.session.remoteReports > reports) this.options.lossReported(this.session.remoteFractionLost!);
  }

  sendRtp(data: PacketSlot, length: number, timestamp: number, payloadLength: number, nowMs: number): void {
    if (!this.transport.sendRtp(data, length)) return;
    if (this.firstSentMs < 0) this.firstSentMs = nowMs;
    this.session.sent(timestamp, payloadLength, nowMs);
  }

  /**
   * At each tick. Takes reports, and sends ours when they are due; tells when nothing was heard for too long, and again
   * each time as much has passed.
   */
  controlTick(nowMs: number): void {
    if (++this.ticks % CONTROL_EVERY_TICKS !== 0) return;
    this.transport.receiveRtcp();
    if (this.session.reportDue(nowMs)) {
      const out = this.options.buffers.take();
      this.transport.sendRtcp(out, this.session.writeReport(out.bytes, nowMs));
    }
    this.tellKeys(nowMs);
    // Whether somebody else may take the place of a quiet source is for `SymmetricRtp` to say, so it must see them.
    if (this.connected && nowMs - this.lastRtpMs > QUIET_MS) this.open();
    const { silenceTimeoutMs, leg, event } = this.options;
    if (nowMs - this.lastHeardMs >= silenceTimeoutMs) {
      event({ event: 'legSilent', leg, silentMs: nowMs - this.lastHeardMs });
      this.lastHeardMs = nowMs;
    }
  }

  /** Sends BYE. */
  close(nowMs: number): MediaSockets {
    const out = this.options.buffers.take();
    this.transport.sendRtcp(out, this.session.writeBye(out.bytes, nowMs));
    return this.transport.sockets!;
  }

  statistics(): Omit<LegStatistics, 'receivedLevelDb' | 'sentLevelDb'> {
    const { session } = this;
    const { rtp, bytesSent, refused } = this.transport;
    const { receiver } = this.options;
    const { counters, clockRateHz } = receiver;
    return {
      packetsReceived: this.packetsReceived,
      packetsSent: session.packetsSent,
      bytesReceived: this.bytesReceived,
      bytesSent,
      packetsLost: session.reception?.packetsLost ?? 0,
      jitterMs: session.reception?.jitterMs ?? 0,
      remoteFractionLost: session.remoteFractionLost,
      roundTripMs: session.roundTripMs,
      concealedFrames: counters ? Math.round((counters.concealedTicks * 50) / clockRateHz) : 0,
      latePackets: counters?.late ?? 0,
      bufferDelayMs: receiver.delayMs,
      latchedAddress: rtp.latched ? rtp.remoteAddress : null,
      latchedPort: rtp.latched ? rtp.remotePort : null,
      receivingCodec: receiver.codec,
      quality: legQuality(this.qualityInputs()),
      srtpRefused: refused,
      foreignPackets: rtp.counters.foreign,
      firstReceivedMs: this.wallClock(this.firstRtpMs),
      lastReceivedMs: this.active ? this.wallClock(this.lastRtpMs) : null,
      firstSentMs: this.wallClock(this.firstSentMs),
    };
  }

  quality(): LegQuality | null {
    return legQuality(this.qualityInputs());
  }

  private readonly fillMetrics = (metrics: VoipMetrics): void => fillVoipMetrics(metrics, this.qualityInputs());

  private qualityInputs(): QualityInputs {
    const { session, sendFormat } = this;
    const { receiver } = this.options;
    const { reception } = session;
    const expected = reception?.packetsExpected ?? 0;
    return {
      receivingCodec: receiver.codec,
      sendingCodec: sendFormat?.codec ?? null,
      bursts: receiver.losses.bursts,
      receivesFec: receiver.losses.receivesFec,
      sendsFec: sendFormat?.parameters['useinbandfec'] === '1',
      packetMs: receiver.packetMs,
      lossShare: expected > 0 ? Math.max(0, reception!.packetsLost) / expected : 0,
      jitterMs: reception?.jitterMs ?? 0,
      bufferDelayMs: receiver.delayMs,
      bufferMostMs: receiver.maxDelayMs,
      roundTripMs: session.roundTripMs,
      remoteFractionLost: session.remoteFractionLost,
      remoteJitterMs: session.remoteJitterMs,
      remoteMetrics: session.remoteMetrics,
    };
  }

  private heard(bytes: number, nowMs: number): void {
    this.lastHeardMs = nowMs;
    this.packetsReceived++;
    this.bytesReceived += bytes;
    if (this.active) return;
    this.active = true;
    this.firstRtpMs = nowMs;
    this.options.event({ event: 'legActive', leg: this.options.leg });
  }

  /** Since 1970; null for what never was. */
  private wallClock(atMs: number): number | null {
    return atMs < 0 ? null : Math.round(atMs + this.options.wallClockOffsetMs);
  }

  private open(): void {
    if (!this.connected) return;
    this.connected = false;
    this.transport.sockets?.openRtp();
  }

  private connect(): void {
    const { sockets, rtp } = this.transport;
    this.connected = true;
    sockets?.connectRtp(rtp.remotePort, rtp.remoteAddress!);
  }

  private latched(): void {
    const { counters, remoteAddress: address, remotePort: rtpPort } = this.transport.rtp;
    this.latches = counters.latches;
    this.options.event({ event: 'legLatched', leg: this.options.leg, address: address!, rtpPort });
  }

  private receivedKey(data: Uint8Array, nowMs: number): void {
    const { payloadOffset, payloadLength, sequenceNumber, timestamp, marker } = packet;
    this.options.receiver.skip(sequenceNumber, timestamp, nowMs);
    this.keys.receive(data, payloadOffset, payloadLength, timestamp, marker, nowMs);
    this.tellKeys(nowMs);
  }

  private tellKeys(nowMs: number): void {
    while (this.keys.poll(nowMs)) {
      const { key, durationMs } = this.keys;
      this.options.event({ event: 'legKey', leg: this.options.leg, key, durationMs });
    }
  }
}
