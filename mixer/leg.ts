import { DtmfDetector } from './audio/dtmf-detector.ts';
import { Speaker } from './audio/floor.ts';
import { Limiter } from './audio/limiter.ts';
import type { MixSource } from './audio/mix-bus.ts';
import { Resampler } from './audio/resampler.ts';
import { TalkerVoice } from './audio/talker-voice.ts';
import { VoiceActivity } from './audio/voice-activity.ts';
import type { ComplexityLimit } from './codec/codec.ts';
import { continued, type EncodeStream } from './encode-once.ts';
import { ExpectedLoss } from './expected-loss.ts';
import { LegMedia } from './leg-media.ts';
import { type Attention, LegReceiver } from './leg-receiver.ts';
import { LegSender } from './leg-sender.ts';
import type { MediaSockets } from './net/media-sockets.ts';
import type { PacketBuffers } from './net/packet-buffers.ts';
import type { PacketHandler } from './net/udp-socket.ts';
import type { AudioMedia, LegControl, LegQuality, LegStatistics, MixerEvent, MixerSettings } from './protocol.ts';
import type { EncodeCounts, Hears, Room, SharedStreams } from './room.ts';
import { TICK_MS } from './room-clock.ts';
import { sendFormat } from './send-format.ts';

export interface LegOptions {
  id: string;
  cname: string;
  control: LegControl;
  room: Room;
  settings: MixerSettings;
  /** What the process's load leaves for Opus encoders. */
  complexityLimit?: ComplexityLimit;
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
  readonly speaker = new Speaker();
  /** Part of this tick's mix: heard, or just fading out of it. */
  inMix = false;
  /** What the room sends, and whether that comes from `ownStream`. */
  hears: Hears | null = null;
  onOwnStream = false;
  crossingTicks = 0;
  /** We may send to this participant. */
  sends = false;
  deaf: boolean;
  streams: SharedStreams | null = null;
  /** While this participant speaks: the mix without them. */
  ownStream: EncodeStream | null = null;
  private readonly options: LegOptions;
  private readonly media: LegMedia;
  private readonly receiver: LegReceiver;
  private readonly sender: LegSender;
  private readonly expectedLoss = new ExpectedLoss();
  private described: AudioMedia | null = null;
  private readonly resampled = new Map<number, Resampled>();
  private limiter: Limiter | null = null;
  private limiterRateHz = 0;
  private activity: VoiceActivity | null = null;
  /** For one who did not negotiate telephone events. */
  private keysInSound: DtmfDetector | null = null;
  private findsKeys = false;
  /** A key sounds, which is not for others to hear. */
  private keyDown = false;
  private voice: TalkerVoice | null = null;
  private rateHz = 0;
  private gainDb: number;
  /** Heard in the last tick. */
  private talking = false;
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
      lossReported: (fractionLost) => this.lossReported(fractionLost),
    });
  }

  readonly receivedRtp: PacketHandler = (packet, address, port, arrivedMs) => {
    this.media.receivedRtp(packet, address, port, arrivedMs);
  };

  readonly receivedRtcp: PacketHandler = (packet, address, port, arrivedMs) => {
    this.media.receivedRtcp(packet, address, port, arrivedMs);
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
    // Longer packets would begin and end in the middle of a tick's silence.
    this.sender.comfortNoiseType = media.sendPtimeMs <= TICK_MS ? (media.sendComfortNoise ?? -1) : -1;
    this.findsKeys = media.receiveTelephoneEvent === null;
    if (!this.findsKeys) this.keysInSound = null;
    this.described = media;
    this.useFormat(media);
  }

  control(control: LegControl): void {
    this.deaf = control.deaf;
    this.gainDb = gainOf(control);
    if (this.inMix) this.voice?.volume.set(this.gainDb);
    else this.voice?.volume.setAtOnce(this.gainDb);
  }

  /** Takes this tick's 20 ms from what was received; true when there is sound in it that the room might hear. */
  receiveTick(plannedMs: number): boolean {
    this.pulls++;
    this.tickMs = plannedMs;
    this.media.readSockets();
    const present = this.receives && this.pull(plannedMs);
    if (present) {
      this.speaker.speaking = this.activity!.speaking;
      this.speaker.levelDb = this.activity!.levelDb + this.gainDb;
    } else {
      this.speaker.leave();
    }
    return present;
  }

  /** Makes the frame ready for the mix, if the floor decided that it is part of it; or for the last time if no more. */
  speak(): boolean {
    const { heard } = this.speaker;
    this.inMix = heard || this.talking;
    if (!this.inMix) return false;
    const { frame } = this.receiver;
    if (!this.receives) frame.fill(0);
    if (heard === this.talking) {
      this.voice!.process(frame, this.activity!, 'talking');
      return true;
    }
    this.voice!.process(frame, this.activity!, heard ? 'entering' : this.keyDown ? 'cut' : 'leaving');
    this.talking = heard;
    const levelDb = Math.round(this.activity!.levelDb);
    this.options.event({ event: 'legTalking', leg: this.options.id, talking: heard, levelDb });
    return true;
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

  /** Whether nothing is to be sent in this tick, in which there is no voice for this participant if it is `quiet`. */
  rests(quiet: boolean, tick: number, comfortNoise: Uint32Array): boolean {
    return this.sender.comfortNoiseType >= 0 && this.sender.rests(quiet, tick, comfortNoise);
  }

  /** What is due once a tick at most: reports, and noticing that nothing comes. */
  controlTick(plannedMs: number): void {
    this.media.controlTick(plannedMs);
  }

  quality(): LegQuality | null {
    return this.media.quality();
  }

  statistics(): LegStatistics {
    return this.media.statistics();
  }

  closeOwnStream(): void {
    this.ownStream?.close();
    this.ownStream = null;
    this.onOwnStream = false;
  }

  /** Says goodbye (RTCP BYE); the sockets are the caller's to close. */
  close(): MediaSockets {
    this.releaseStreams();
    this.receiver.close();
    return this.media.close(this.options.now());
  }

  /** The other side says how much of what we sent got lost. */
  private lossReported(fractionLost: number): void {
    if (this.expectedLoss.reported(fractionLost) && this.described) this.useFormat(this.described);
  }

  private useFormat({ send, sendPtimeMs }: AudioMedia): void {
    const { room, settings, complexityLimit } = this.options;
    const format = sendFormat(send, sendPtimeMs, {
      complexity: settings.opusComplexity,
      ...(complexityLimit ? { complexityLimit } : {}),
      expectedLossPercent: this.expectedLoss.percent,
    });
    const { streams: before, hears } = this;
    if (format.key === before?.format.key) return;
    const goesOn = before?.format.codec === format.codec && before.format.ptimeMs === format.ptimeMs;
    const streams = room.useStreams(format, goesOn ? before : null);
    const own = goesOn && this.onOwnStream ? continued(null, this.ownStream, format) : null;
    this.releaseStreams();
    this.streams = streams;
    if (!goesOn) return;
    this.hears = hears;
    this.ownStream = own;
    this.onOwnStream = own !== null;
  }

  private pull(plannedMs: number): boolean {
    const { receiver } = this;
    const sound = receiver.pull(plannedMs, this.attention());
    const { frame, sampleRateHz } = receiver;
    if (sampleRateHz !== this.rateHz) this.useRate(sampleRateHz);
    if (!sound && !this.active) {
      this.keyDown = false;
      return false;
    }
    // Silence from the jitter buffer runs through the detector too, so that its hang-over ends.
    this.active = this.activity!.process(frame, 0, frame.length);
    this.keyDown = this.hearsKey(frame);
    if (!sound || !this.active || this.keyDown || this.voice!.volume.silent) return false;
    receiver.sounded(plannedMs);
    return true;
  }

  private hearsKey(frame: Int16Array): boolean {
    if (!this.findsKeys) return this.media.keyPressed;
    this.keysInSound ??= new DtmfDetector(this.rateHz);
    if (this.keysInSound.process(frame, 0, frame.length)) {
      const { key, durationMs } = this.keysInSound;
      this.options.event({ event: 'legKey', leg: this.options.id, key, durationMs });
    }
    return this.keysInSound.sounding;
  }

  private attention(): Attention {
    // Who is muted can still press keys.
    if (this.voice?.volume.silent && !this.findsKeys) return 'nothing';
    return this.active ? 'everything' : 'voice';
  }

  private useRate(sampleRateHz: number): void {
    this.rateHz = sampleRateHz;
    this.resampled.clear();
    this.keysInSound = null;
    this.activity = new VoiceActivity(sampleRateHz);
    this.voice = new TalkerVoice(sampleRateHz, this.gainDb, this.options.settings.automaticGain);
  }

  private releaseStreams(): void {
    this.closeOwnStream();
    if (this.streams) this.options.room.releaseStreams(this.streams);
    this.streams = null;
    this.hears = null;
  }
}

function gainOf(control: LegControl): number {
  return control.muted ? Number.NEGATIVE_INFINITY : control.gainDb;
}
