import { DtmfDetector } from './audio/dtmf-detector.ts';
import { Speaker } from './audio/floor.ts';
import { Limiter } from './audio/limiter.ts';
import { LoudestLevel } from './audio/loudest-level.ts';
import type { MixSource } from './audio/mix-bus.ts';
import { ResampledFrame } from './audio/resampled-frame.ts';
import { TalkerVoice } from './audio/talker-voice.ts';
import { VoiceActivity } from './audio/voice-activity.ts';
import type { ComplexityLimits } from './codec/codec.ts';
import { audioCodec } from './codec/registry.ts';
import { continued, EncodeStream } from './encode-once.ts';
import { ExpectedLoss } from './expected-loss.ts';
import { LegMedia } from './leg-media.ts';
import { type Attention, LegReceiver } from './leg-receiver.ts';
import { LegSender } from './leg-sender.ts';
import type { MediaSockets } from './net/media-sockets.ts';
import type { PacketBuffers } from './net/packet-buffers.ts';
import type { PacketHandler } from './net/udp-socket.ts';
import type { Playback } from './playback/playback.ts';
import { PrivateMix } from './playback/private-mix.ts';
import type { VoiceRecorder } from './playback/voice-recorder.ts';
import type { AudioMedia, LegControl, LegQuality, LegStatistics, MixerEvent, MixerSettings } from './protocol.ts';
import { PlayedPackets } from './recording/played-packets.ts';
import type { EncodeCounts, Hears, Room, SharedStreams } from './room.ts';
import { TICK_MS } from './room-clock.ts';
import { goesOn, remembers, type SendFormat, sendFormat } from './send-format.ts';
import { SoundDelay } from './sound-delay.ts';
import type { TalkersTiming } from './talkers-timing.ts';

/** How often it is told how loud somebody talks: twice a second. */
const LEVEL_EVERY_TICKS = 500 / TICK_MS;
/** What only talkers need is given back so long after the last word. */
const REST_AFTER_TICKS = 5000 / TICK_MS;
/** After a clock was held up: what a poll did not take by then is played later, or dropped. */
const MOST_TICKS_A_POLL = 5;

export interface LegOptions {
  id: string;
  cname: string;
  control: LegControl;
  room: Room;
  settings: MixerSettings;
  /** What the process's load leaves for Opus encoders. */
  complexityLimit?: ComplexityLimits;
  buffers: PacketBuffers;
  counts: EncodeCounts & { decodes: number };
  /** Monotonic, milliseconds. */
  now(): number;
  /** Since 1970, milliseconds. */
  wallClock(): number;
  event(event: MixerEvent): void;
}

/** One participant in the mixer: what comes from the phone as a source of the mix, and what the phone is sent. */
export class Leg implements MixSource {
  readonly speaker = new Speaker();
  /** Part of this tick's mix: heard, or just fading out of it. */
  inMix = false;
  /** Who alone hears this participant; null: all. */
  speaksTo: readonly string[] | null;
  /** What the room sends, and whether that comes from `ownStream`. */
  hears: Hears | null = null;
  onOwnStream = false;
  crossingTicks = 0;
  /** We may send to this participant. */
  sends = false;
  streams: SharedStreams | null = null;
  /** While this participant speaks: the mix without them. */
  ownStream: EncodeStream | null = null;
  /** As long as this participant hears something that others do not. */
  privateMix: PrivateMix | null = null;
  private room: Room;
  private readonly options: LegOptions;
  private readonly media: LegMedia;
  private readonly receiver: LegReceiver;
  private readonly sender: LegSender;
  private readonly expectedLoss = new ExpectedLoss();
  private described: AudioMedia | null = null;
  /** To another format as soon as all has faded out. */
  private changesFormat = false;
  private readonly resampled = new ResampledFrame();
  private limiter: Limiter | null = null;
  private limiterRateHz = 0;
  private activity: VoiceActivity | null = null;
  private readonly loudest = new LoudestLevel();
  /** For one who did not negotiate telephone events. */
  private keysInSound: DtmfDetector | null = null;
  private findsKeys = false;
  /** A key sounds, which is not for others to hear. */
  private keyDown = false;
  private voice: TalkerVoice | null = null;
  private rateHz = 0;
  private gainDb: number;
  private controlled: LegControl;
  /** Neither heard nor hearing, as `controlled` says; or said, until the last word has faded out. */
  private apart: boolean;
  private departs = false;
  private recorder: VoiceRecorder | null = null;
  /** Heard in the last tick. */
  private talking = false;
  private talkedTicks = 0;
  /** Since the last word. */
  private silentTicks = 0;
  /** There was sound in the last 300 ms. */
  private active = false;
  private tickMs = 0;
  private receives = false;
  /** Silent for so long, in a large room, that `poll` every other tick is often enough. */
  polled = false;
  /** The tick that was last pulled. */
  private pulledMs = 0;
  /** A poll found sound: its frame is at hand for the next tick. */
  private found = false;
  /** UNIX time less the clock of the ticks. */
  private readonly wallClockOffsetMs: number;

  constructor(options: LegOptions) {
    const { control } = options;
    this.options = options;
    this.room = options.room;
    this.controlled = control;
    this.apart = control.apart;
    this.speaksTo = control.speaksTo;
    this.gainDb = gainOf(control);
    if (control.volumeDb !== 0) this.privateMix = new PrivateMix(control.volumeDb);
    this.receiver = new LegReceiver(options.counts);
    if (control.tellsSound) this.receiver.soundDelay = new SoundDelay();
    this.receiver.minDelayMs = control.minDelayMs ?? 0;
    this.sender = new LegSender(options.buffers, {
      send: (packet, length, timestamp, payloadLength) =>
        this.media.sendRtp(packet, length, timestamp, payloadLength, this.tickMs),
    });
    this.wallClockOffsetMs = options.wallClock() - options.now();
    this.media = new LegMedia({
      leg: options.id,
      cname: options.cname,
      ssrc: this.sender.ssrc,
      silenceTimeoutMs: options.settings.silenceTimeoutMs,
      startMs: options.now(),
      wallClockOffsetMs: this.wallClockOffsetMs,
      receiver: this.receiver,
      buffers: options.buffers,
      event: options.event,
      lossReported: (fractionLost) => this.lossReported(fractionLost),
    });
  }

  readonly receivedRtp: PacketHandler = (packet, length, address, port, arrivedMs) => {
    this.media.receivedRtp(packet, length, address, port, arrivedMs);
  };

  readonly receivedRtcp: PacketHandler = (packet, length, address, port, arrivedMs) => {
    this.media.receivedRtcp(packet, length, address, port, arrivedMs);
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

  get id(): string {
    return this.options.id;
  }

  /** Hears who speaks in the room. */
  get hearsRoom(): boolean {
    return !this.controlled.deaf && !this.apart;
  }

  /** May be heard in recordings. */
  get recorded(): boolean {
    return this.controlled.recorded;
  }

  /** What is received may be kept as it is: all in the room can hear it as well. */
  get mayHaveTrack(): boolean {
    const { muted, apart, speaksTo, recorded } = this.controlled;
    return recorded && !muted && !apart && !this.apart && speaksTo === null && !this.departs && this.receives;
  }

  /** Of what is received, or most likely will be. */
  get sampleRateHz(): number {
    if (this.rateHz > 0 || this.described === null) return this.rateHz;
    return audioCodec(this.described.send.codec).sampleRateHz;
  }

  /** The packets of the last tick; null until `notePlayedPackets`. */
  get playedPackets(): PlayedPackets | null {
    return this.receiver.played;
  }

  notePlayedPackets(on: boolean): void {
    this.attend();
    if (!on) this.receiver.played = null;
    else this.receiver.played ??= new PlayedPackets();
  }

  control(control: LegControl): void {
    this.attend();
    const { volumeDb, speaksTo } = this.controlled;
    const sameListeners = String(speaksTo) === String(control.speaksTo);
    this.controlled = sameListeners ? { ...control, speaksTo } : control;
    this.gainDb = gainOf(control);
    if (!control.tellsSound) this.receiver.soundDelay = null;
    else this.receiver.soundDelay ??= new SoundDelay();
    this.receiver.minDelayMs = control.minDelayMs ?? 0;
    if (this.talking) this.voice?.volume.set(this.gainDb);
    else this.voice?.volume.setAtOnce(this.gainDb);
    if (control.volumeDb === volumeDb) return;
    this.privateMix ??= new PrivateMix(volumeDb);
    this.privateMix.setVolume(control.volumeDb);
  }

  /** Plays to this participant alone; false when too much is waiting to be played. */
  play(playback: Playback): boolean {
    const { sounds } = this.privateMixNow();
    if (sounds.full) return false;
    sounds.add(playback);
    return true;
  }

  /** Somebody speaks to this participant, and not to all, in this tick. */
  hearPrivately(source: MixSource): void {
    this.privateMixNow().whispers.push(source);
  }

  /** Records what is said until `recorder` has it all; false when another does that. */
  record(recorder: VoiceRecorder): boolean {
    if (this.recorder) return false;
    this.attend();
    this.recorder = recorder;
    return true;
  }

  /** Fades out what is heard both ways: the next tick is the last one in this room. */
  depart(): void {
    this.attend();
    this.departs = true;
    this.privateMixNow().leave();
  }

  /** Goes on as before, in this room or in another, after `depart`. */
  arrive(): void {
    this.departs = false;
    if (this.changesFormat) this.changeFormat();
    else this.privateMix?.enter();
  }

  /**
   * To another room, right after the tick that `depart` announced. The stream that is sent goes on: its encoder, its
   * numbers, and its time as if both rooms had one time line.
   */
  moveTo(room: Room): void {
    const { room: before, streams } = this;
    this.room = room;
    if (this.privateMix) this.privateMix.whispers.length = 0;
    if (!streams) return;
    const { format } = streams;
    // Who was sent anything in the last tick is on their own stream: it faded out.
    if (!this.onOwnStream) this.closeOwnStream();
    this.sender.moveTimeLine(before.packetStartMs(format.ptimeMs) - room.packetStartMs(format.ptimeMs));
    this.streams = room.useStreams(format);
    before.releaseStreams(streams);
    this.hears = null;
  }

  /** Takes this tick's 20 ms from what was received; true when there is sound in it that the room might hear. */
  receiveTick(plannedMs: number): boolean {
    this.tickMs = plannedMs;
    if (this.changesFormat && !this.departs && this.privateMix?.hasLeft) this.changeFormat();
    if (this.privateMix !== null && !this.privateMix.tick()) this.privateMix = null;
    if (this.polled) return false;
    this.resampled.next();
    this.media.readSockets();
    const present = this.found || (this.receives && this.pull(plannedMs));
    this.found = false;
    this.pulledMs = plannedMs;
    if (this.recorder !== null) this.recordTick(this.recorder);
    if (!this.mayBeHeard() || !present) {
      this.speaker.leave();
      return false;
    }
    this.speaker.speaking = this.activity!.speaking;
    this.speaker.levelDb = this.activity!.levelDb + this.gainDb;
    if (this.speaksTo === null) return true;
    // No place on the floor is taken by who speaks to few.
    this.speaker.heard = true;
    return false;
  }

  /** Makes the frame ready for the mix, if the floor decided that it is part of it; or for the last time if no more. */
  speak(): boolean {
    const { heard } = this.speaker;
    const speaks = heard || this.talking;
    this.inMix = speaks && this.speaksTo === null;
    if (!speaks) {
      if (++this.silentTicks === REST_AFTER_TICKS) this.rest();
      return false;
    }
    this.silentTicks = 0;
    const { frame } = this.receiver;
    if (!this.receives) frame.fill(0);
    this.receiver.frameIsSilent = false;
    if (heard === this.talking) {
      this.voice!.process(frame, this.activity!, 'talking');
      if (++this.talkedTicks % LEVEL_EVERY_TICKS === 0) {
        const levelDb = Math.round(this.activity!.levelDb);
        this.options.event({ event: 'legLevel', leg: this.options.id, levelDb });
      }
      return true;
    }
    this.voice!.process(frame, this.activity!, heard ? 'entering' : this.keyDown ? 'cut' : 'leaving');
    this.talking = heard;
    const levelDb = Math.round(this.activity!.levelDb);
    this.options.event({ event: 'legTalking', leg: this.options.id, talking: heard, levelDb });
    return true;
  }

  /** That of its sound, when it speaks. */
  noteTiming(timing: TalkersTiming, plannedMs: number): void {
    const { spareMs, targetDelayMs } = this.receiver;
    timing.note(plannedMs, spareMs, targetDelayMs);
  }

  frameAt(sampleRateHz: number): Int16Array {
    return this.resampled.at(sampleRateHz, this.receiver.frame);
  }

  /** For the mix without this participant, which has peaks of its own. */
  limiterAt(sampleRateHz: number): Limiter {
    if (!this.limiter || this.limiterRateHz !== sampleRateHz) {
      this.limiter = new Limiter(sampleRateHz);
      this.limiterRateHz = sampleRateHz;
    }
    return this.limiter;
  }

  /**
   * Takes what came from one who is `polled`, tick by tick. A word that is found is said in the next tick, later than it
   * would have been otherwise, which is caught up with while it is said.
   */
  poll(plannedMs: number): void {
    this.media.readSockets();
    const due = Math.min(Math.round((plannedMs - this.pulledMs) / TICK_MS), MOST_TICKS_A_POLL);
    for (let atMs = plannedMs - (due - 1) * TICK_MS; atMs <= plannedMs; atMs += TICK_MS) {
      const present = this.receives && this.pull(atMs);
      this.pulledMs = atMs;
      if (!this.active) continue;
      this.found = present;
      return this.attend(plannedMs + TICK_MS - atMs);
    }
  }

  /** What comes matters in each tick, for a while at least. What is next is played so much later than what came before. */
  private attend(lateMs = this.tickMs - this.pulledMs): void {
    if (this.polled) this.receiver.heldUp(lateMs);
    this.polled = false;
    this.silentTicks = 0;
  }

  private rest(): void {
    const { receiver, recorder } = this;
    this.polled = this.room.isLarge && recorder === null && receiver.played === null && receiver.soundDelay === null;
    this.resampled.begin(this.rateHz);
    // Whoever hears what others hear gets a new one at the first word of their own.
    if (this.hears === 'common' || this.hears === 'silence') this.limiter = null;
  }

  /** For one who heard no mix until now. */
  newLimiter(): void {
    this.limiter = null;
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
    if (this.receiver.soundDelay !== null) this.tellSound(this.receiver.soundDelay, plannedMs);
  }

  quality(): LegQuality | null {
    return this.media.quality();
  }

  statistics(): LegStatistics {
    const { streams, hears } = this;
    const sent = hears === 'common' ? streams?.bus.common : hears === 'silence' ? streams?.bus.silence : null;
    return {
      ...this.media.statistics(),
      receivedLevelDb: this.attention() === 'nothing' ? null : this.loudest.levelDb(this.tickMs),
      sentLevelDb: sent && this.sends ? levelOf(sent) : null,
    };
  }

  closeOwnStream(): void {
    this.ownStream?.close();
    this.ownStream = null;
    this.onOwnStream = false;
  }

  /** Says goodbye (RTCP BYE); the sockets are the caller's to close. */
  close(): MediaSockets {
    this.privateMix?.sounds.close();
    this.recorder?.end();
    this.recorder = null;
    this.releaseStreams();
    this.receiver.close();
    return this.media.close(this.options.now());
  }

  private tellSound(sound: SoundDelay, nowMs: number): void {
    const due = sound.due(this.media.senderReference, this.wallClockOffsetMs, nowMs);
    if (due !== null) this.options.event({ event: 'legSound', leg: this.options.id, ...due });
  }

  /** The other side says how much of what we sent got lost. */
  private lossReported(fractionLost: number): void {
    if (!this.expectedLoss.reported(fractionLost) || !this.described) return;
    if (this.streams && this.sends && !remembers(this.streams.format, this.formatOf(this.described))) {
      // Sound that went on in an encoder of another kind would click.
      this.changesFormat = true;
      this.privateMixNow().leave();
    } else this.useFormat(this.described);
  }

  private changeFormat(): void {
    this.changesFormat = false;
    this.privateMix?.enter();
    if (this.described) this.useFormat(this.described);
  }

  private formatOf({ send, sendPtimeMs }: AudioMedia): SendFormat {
    const { settings, complexityLimit } = this.options;
    return sendFormat(send, sendPtimeMs, {
      complexity: settings.opusComplexity,
      ...(complexityLimit ? { complexityLimit } : {}),
      expectedLossPercent: this.expectedLoss.percent,
    });
  }

  private useFormat(media: AudioMedia): void {
    const { room } = this;
    const format = this.formatOf(media);
    const { streams: before, hears } = this;
    if (format.key === before?.format.key) return;
    const known = before !== null && remembers(before.format, format);
    const streams = room.useStreams(format, known ? before : null);
    const crosses = before !== null && !known && goesOn(before.format, format);
    const own = known && this.onOwnStream ? continued(null, this.ownStream, format, 'one') : null;
    this.releaseStreams();
    this.streams = streams;
    if (!known && !crosses) return;
    this.hears = hears;
    // A decoder is not at home in the middle of a stream of the other kind: one begins for it.
    this.ownStream = crosses ? new EncodeStream(format.createEncoder('one'), format.ptimeMs) : own;
    this.onOwnStream = this.ownStream !== null;
    this.crossingTicks = 0;
  }

  /** Who is heard by others from now on is so only after the last word has faded out. */
  private mayBeHeard(): boolean {
    const { apart, speaksTo } = this.controlled;
    if (this.departs) return false;
    if (apart === this.apart && speaksTo === this.speaksTo) return !apart;
    if (this.talking) return false;
    this.apart = apart;
    this.speaksTo = speaksTo;
    return !apart;
  }

  private recordTick(recorder: VoiceRecorder): void {
    const sounds = this.receives && this.active;
    const keyDown = this.keyDown || this.media.keyPressed;
    const speaking = sounds && this.activity!.speaking;
    const over = recorder.take(sounds ? this.receiver.frame : null, this.rateHz, speaking, keyDown);
    if (over) this.recorder = null;
  }

  private privateMixNow(): PrivateMix {
    this.privateMix ??= new PrivateMix(this.controlled.volumeDb);
    return this.privateMix;
  }

  private pull(plannedMs: number): boolean {
    const { receiver } = this;
    const attention = this.attention();
    const sound = receiver.pull(plannedMs, attention);
    const { frame, sampleRateHz } = receiver;
    if (sampleRateHz !== this.rateHz) this.useRate(sampleRateHz);
    if (!sound && !this.active) {
      this.keyDown = false;
      return false;
    }
    // Silence from the jitter buffer runs through the detector too, so that its hang-over ends.
    this.active = this.activity!.process(frame, 0, frame.length);
    this.loudest.note(this.activity!.meanSquare, plannedMs);
    if (sound && !this.active && attention === 'voice') receiver.heardNothing();
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
    if (this.recorder !== null) return 'everything';
    // Who is not heard can still press keys.
    if ((this.apart || this.voice?.volume.silent) && !this.findsKeys) return 'nothing';
    return this.active ? 'everything' : 'voice';
  }

  private useRate(sampleRateHz: number): void {
    this.rateHz = sampleRateHz;
    this.resampled.begin(sampleRateHz);
    this.keysInSound = null;
    this.activity = new VoiceActivity(sampleRateHz);
    this.voice = new TalkerVoice(sampleRateHz, this.gainDb, this.options.settings.automaticGain);
  }

  private releaseStreams(): void {
    this.closeOwnStream();
    if (this.streams) this.room.releaseStreams(this.streams);
    this.streams = null;
    this.hears = null;
  }
}

/** RMS, dBov. */
function levelOf(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return sum === 0 ? -127 : Math.round(10 * Math.log10(sum / pcm.length / (32768 * 32768)));
}

function gainOf(control: LegControl): number {
  return control.muted ? Number.NEGATIVE_INFINITY : control.gainDb;
}
