import { Gain } from './audio/gain.ts';
import { Limiter } from './audio/limiter.ts';
import type { MixSource } from './audio/mix-bus.ts';
import { Resampler } from './audio/resampler.ts';
import { VoiceActivity } from './audio/voice-activity.ts';
import type { EncodeStream } from './encode-once.ts';
import { LegMedia } from './leg-media.ts';
import { type Attention, LegReceiver } from './leg-receiver.ts';
import { LegSender } from './leg-sender.ts';
import type { MediaSockets } from './net/media-sockets.ts';
import type { PacketBuffers } from './net/packet-buffers.ts';
import type { AudioMedia, LegControl, LegStatistics, MixerEvent, MixerSettings } from './protocol.ts';
import type { EncodeCounts, Room, SharedStreams } from './room.ts';
import { sendFormat } from './send-format.ts';

export interface LegOptions {
  id: string;
  cname: string;
  control: LegControl;
  room: Room;
  settings: MixerSettings;
  buffers: PacketBuffers;
  counts: EncodeCounts & { decodes: number };
  /** Monotonic, milliseconds. */
  now(): number;
  /** Since 1970, milliseconds. */
  wallClock(): number;
  event(event: MixerEvent): void;
}

/** A voice at a rate other than its own: made once a tick, however many buses take it. */
interface Resampled {
  resampler: Resampler;
  frame: Int16Array;
  /** `Leg.pulls` when `frame` was made. */
  pull: number;
}

/** One participant in the mixer: what comes from the phone as a source of the mix, and what the phone is sent. */
export class Leg implements MixSource {
  /** Heard in this tick. */
  talking = false;
  /** We may send to this participant. */
  sends = false;
  deaf: boolean;
  streams: SharedStreams | null = null;
  /** While this participant speaks: the mix without them. */
  ownStream: EncodeStream | null = null;
  ownStreamTick = 0;
  private readonly options: LegOptions;
  private readonly media: LegMedia;
  private readonly receiver: LegReceiver;
  private readonly sender: LegSender;
  private readonly resampled = new Map<number, Resampled>();
  private limiter: Limiter | null = null;
  private limiterRateHz = 0;
  private voice: VoiceActivity | null = null;
  private gain: Gain | null = null;
  private rateHz = 0;
  private gainDb: number;
  /** There was sound in the last 300 ms. */
  private active = false;
  private pulls = 0;
  private tickMs = 0;
  private receives = false;

  constructor(options: LegOptions) {
    this.options = options;
    this.deaf = options.control.deaf;
    this.gainDb = gainOf(options.control);
    this.receiver = new LegReceiver(options.counts);
    this.sender = new LegSender(options.buffers, {
      send: (packet, length, timestamp, payloadLength) =>
        this.media.sendRtp(packet, length, timestamp, payloadLength, this.tickMs),
    });
    this.media = new LegMedia({
      leg: options.id,
      cname: options.cname,
      ssrc: this.sender.ssrc,
      silenceTimeoutMs: options.settings.silenceTimeoutMs,
      startMs: options.now(),
      wallClockOffsetMs: options.wallClock() - options.now(),
      receiver: this.receiver,
      buffers: options.buffers,
      event: options.event,
    });
  }

  readonly receivedRtp = (packet: Uint8Array, address: string, port: number): void => {
    this.media.receivedRtp(packet, address, port, this.options.now());
  };

  readonly receivedRtcp = (packet: Uint8Array, address: string, port: number): void => {
    this.media.receivedRtcp(packet, address, port, this.options.now());
  };

  open(sockets: MediaSockets): void {
    this.media.sockets = sockets;
  }

  /** What an offer and answer settled. */
  update(media: AudioMedia): void {
    this.media.update(media);
    this.receives = media.direction === 'sendrecv' || media.direction === 'recvonly';
    this.sends = media.direction === 'sendrecv' || media.direction === 'sendonly';
    this.sender.payloadType = media.send.payloadType;
    this.sender.clockRateHz = media.send.clockRateHz;
    const format = sendFormat(media.send, media.sendPtimeMs, this.options.settings.opusComplexity);
    if (format.key === this.streams?.format.key) return;
    this.releaseStreams();
    this.streams = this.options.room.useStreams(format);
  }

  control(control: LegControl): void {
    this.deaf = control.deaf;
    this.gainDb = gainOf(control);
    this.gain?.set(this.gainDb);
  }

  /** Takes this tick's 20 ms from what was received; true when the room should hear it. */
  receiveTick(plannedMs: number): boolean {
    this.pulls++;
    this.tickMs = plannedMs;
    const heard = this.receives && this.pull(plannedMs);
    if (heard !== this.talking) {
      this.talking = heard;
      const levelDb = Math.round(this.voice?.levelDb ?? -127);
      this.options.event({ event: 'legTalking', leg: this.options.id, talking: heard, levelDb });
    }
    return heard;
  }

  frameAt(sampleRateHz: number): Int16Array {
    if (sampleRateHz === this.rateHz) return this.receiver.frame;
    const { frame } = this.receiver;
    let made = this.resampled.get(sampleRateHz);
    if (!made) {
      const samples = (frame.length * sampleRateHz) / this.rateHz;
      made = { resampler: new Resampler(this.rateHz, sampleRateHz), frame: new Int16Array(samples), pull: -1 };
      this.resampled.set(sampleRateHz, made);
    }
    if (made.pull !== this.pulls) {
      made.resampler.process(frame, 0, frame.length, made.frame, 0);
      made.pull = this.pulls;
    }
    return made.frame;
  }

  /** For the mix without this participant, which has peaks of its own. */
  limiterAt(sampleRateHz: number): Limiter {
    if (!this.limiter || this.limiterRateHz !== sampleRateHz) {
      this.limiter = new Limiter(sampleRateHz);
      this.limiterRateHz = sampleRateHz;
    }
    return this.limiter;
  }

  send(stream: EncodeStream): void {
    this.sender.send(stream);
  }

  /** What is due once a tick at most: reports, and noticing that nothing comes. */
  controlTick(plannedMs: number): void {
    this.media.controlTick(plannedMs);
  }

  statistics(): LegStatistics {
    return this.media.statistics();
  }

  closeOwnStream(): void {
    this.ownStream?.close();
    this.ownStream = null;
  }

  /** Says goodbye (RTCP BYE); the sockets are the caller's to close. */
  close(): MediaSockets {
    this.releaseStreams();
    this.receiver.close();
    return this.media.close(this.options.now());
  }

  private pull(plannedMs: number): boolean {
    const { receiver } = this;
    const sound = receiver.pull(plannedMs, this.attention());
    const { frame, sampleRateHz } = receiver;
    if (sampleRateHz !== this.rateHz) this.useRate(sampleRateHz);
    if (!sound && !this.active) return false;
    // Silence from the jitter buffer runs through the detector too, so that its hang-over ends.
    this.active = this.voice!.process(frame, 0, frame.length);
    if (!sound || !this.active || this.gain!.silent) return false;
    receiver.distrust(plannedMs);
    this.gain!.process(frame, 0, frame.length);
    return true;
  }

  private attention(): Attention {
    if (this.gain?.silent) return 'nothing';
    return this.active ? 'everything' : 'voice';
  }

  private useRate(sampleRateHz: number): void {
    this.rateHz = sampleRateHz;
    this.resampled.clear();
    this.voice = new VoiceActivity(sampleRateHz);
    this.gain = new Gain(sampleRateHz, this.gainDb);
  }

  private releaseStreams(): void {
    this.closeOwnStream();
    if (this.streams) this.options.room.releaseStreams(this.streams);
    this.streams = null;
  }
}

function gainOf(control: LegControl): number {
  return control.muted ? Number.NEGATIVE_INFINITY : control.gainDb;
}
