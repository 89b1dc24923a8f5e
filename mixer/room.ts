import { Floor, type Speaker } from './audio/floor.ts';
import { MixBus, type MixSource } from './audio/mix-bus.ts';
import { audioCodec } from './codec/registry.ts';
import { continued, EncodeStream } from './encode-once.ts';
import type { Leg } from './leg.ts';
import type { Playback } from './playback/playback.ts';
import { SoundQueue } from './playback/sound-queue.ts';
import type { MixerSettings } from './protocol.ts';
import { TICK_MS, type Ticking } from './room-clock.ts';
import type { RoomRecording } from './room-recording.ts';
import type { SendFormat } from './send-format.ts';
import { TalkersTiming } from './talkers-timing.ts';

/**
 * What reaches a listener: everybody's voice; everybody's but their own; nobody's; or something else than others hear, as
 * when a sound is played to them.
 */
export type Hears = 'common' | 'own' | 'silence' | 'private';

/**
 * One who has spoken gets the common mix from their own encoder for a while, so that the histories of the two encoders
 * come close before the decoder is moved from one to the other: after so many ticks they differ no more than by their
 * coding noise. Then the first quiet frame is taken; or whatever there is, when none comes.
 */
const CROSSING_TICKS = 5;
const LONGEST_CROSSING_TICKS = 50;
/** From so many on, who has been silent for long is polled. */
const LARGE_ROOM_LEGS = 20;
const POLL_EVERY_TICKS = 2;
/** RMS under which a frame is quiet: −50 dBov. */
const QUIET_RMS = 32768 * 10 ** (-50 / 20);
/** A talker's own encoder is kept for this long after the last word, since people speak in turns. */
const OWN_STREAM_IDLE_TICKS = 250;

/** What listeners of one send format share. Encoders begin when the first listener needs them. */
export interface SharedStreams {
  readonly format: SendFormat;
  readonly bus: MixBus;
  /** Everybody's voice: for all who do not speak themselves. */
  common: EncodeStream | null;
  /** Silence: for the deaf, and for one who speaks alone. */
  silence: EncodeStream | null;
  users: number;
}

export interface EncodeCounts {
  encodes: number;
  /** What `encodes` would be with one encoder a listener. */
  encodesUnshared: number;
}

export type MixSettings = Pick<MixerSettings, 'maxTalkers' | 'comfortNoiseDb'>;

/** The audio of one room. Every tick it takes 20 ms of each participant, mixes, and encodes once for all who get the same. */
export class Room implements Ticking {
  readonly id: string;
  readonly legs: Leg[] = [];
  readonly recordings: RoomRecording[] = [];
  readonly timing = new TalkersTiming();
  /** What is played to all. */
  private readonly sounds = new SoundQueue();
  private readonly counts: EncodeCounts;
  private readonly settings: MixSettings;
  private readonly floor: Floor;
  private readonly buses = new Map<number, MixBus>();
  private readonly busList: MixBus[] = [];
  private readonly shared = new Map<string, SharedStreams>();
  /** All who make sound in this tick, heard or not. */
  private readonly present: Speaker[] = [];
  /** What all hear in this tick: who speaks to all, and what is played to all. */
  readonly sources: MixSource[] = [];
  /** Who speaks to some, and who hears somebody so. */
  private readonly whisperers: Leg[] = [];
  private readonly confidants: Leg[] = [];
  /** To be done when the next tick is over. */
  private afterwards: (() => void)[] = [];
  private lastTick = -1;
  private readonly ownFrame = new Int16Array(960);
  /** Payload of a comfort noise packet (RFC 3389 §3): one octet, the level below overload. */
  private readonly comfortNoise: Uint32Array;

  constructor(id: string, counts: EncodeCounts, settings: MixSettings) {
    this.id = id;
    this.counts = counts;
    this.settings = settings;
    this.floor = new Floor(settings.maxTalkers);
    this.comfortNoise = new Uint32Array(Uint8Array.of(Math.min(127, -settings.comfortNoiseDb), 0, 0, 0).buffer);
  }

  get size(): number {
    return this.legs.length;
  }

  get isLarge(): boolean {
    return this.legs.length >= LARGE_ROOM_LEGS;
  }

  add(leg: Leg): void {
    this.legs.push(leg);
    for (const recording of this.recordings) recording.joined(leg);
  }

  remove(leg: Leg): void {
    const index = this.legs.indexOf(leg);
    if (index >= 0) this.legs.splice(index, 1);
    for (const recording of this.recordings) recording.left(leg);
  }

  /**
   * The streams of this format; to be given back with `releaseStreams`. `before` are those, of the same codec and packet
   * time, that the listener had until now.
   */
  useStreams(format: SendFormat, before: SharedStreams | null = null): SharedStreams {
    let streams = this.shared.get(format.key);
    if (!streams) {
      streams = { format, bus: this.bus(audioCodec(format.codec).sampleRateHz), common: null, silence: null, users: 0 };
      this.shared.set(format.key, streams);
    }
    streams.users++;
    streams.bus.users++;
    streams.common = continued(streams.common, before?.common ?? null, format, 'shared');
    streams.silence = continued(streams.silence, before?.silence ?? null, format, 'shared');
    return streams;
  }

  /** Mixed in each tick until it is given back with `releaseBus`. */
  useBus(sampleRateHz: number): MixBus {
    const bus = this.bus(sampleRateHz);
    bus.users++;
    return bus;
  }

  releaseBus(bus: MixBus): void {
    bus.users--;
  }

  /** What some listeners get anyway, an Opus packet each tick with all that there is up to this rate; null: nothing such. */
  opusStreams(sampleRateHz: number, mine: SharedStreams | null): SharedStreams | null {
    for (const streams of this.shared.values()) {
      const { format, users } = streams;
      if (format.codec !== 'opus' || format.ptimeMs !== TICK_MS || format.dtx) continue;
      if (format.playbackRateHz < sampleRateHz || !format.lossless) continue;
      if (streams !== mine || users > 1) return streams;
    }
    return null;
  }

  releaseStreams(streams: SharedStreams): void {
    streams.users--;
    streams.bus.users--;
    if (streams.users > 0) return;
    this.shared.delete(streams.format.key);
    streams.common?.close();
    streams.silence?.close();
  }

  /** Where the next packet of this length begins on the room's time line, the last tick being over. */
  packetStartMs(ptimeMs: number): number {
    const nowMs = (this.lastTick + 1) * TICK_MS;
    return nowMs - (nowMs % ptimeMs);
  }

  /** Plays to all; false when too much is waiting to be played. */
  play(playback: Playback): boolean {
    if (this.sounds.full) return false;
    this.sounds.add(playback);
    return true;
  }

  /** Calls `done` as soon as the next tick is over; or the room. */
  afterTick(done: () => void): void {
    this.afterwards.push(done);
  }

  /** Ends what is played. Legs and recordings are the caller's to take out before. */
  close(): void {
    this.sounds.close();
    for (const recording of this.recordings) recording.roomClosed();
    this.finishTick();
  }

  tick(plannedMs: number, tick: number): void {
    const { legs, sources, busList, recordings } = this;
    this.lastTick = tick;
    this.listen(plannedMs);
    // Own encoders and limiters go on from the shared ones as those are before this tick.
    for (let index = 0; index < legs.length; index++) this.prepare(legs[index]!);
    for (let index = 0; index < recordings.length; index++) recordings[index]!.prepare();
    for (let index = 0; index < busList.length; index++) {
      if (busList[index]!.users > 0) busList[index]!.mix(sources);
    }
    for (let index = 0; index < legs.length; index++) {
      this.sendTo(legs[index]!, tick);
      legs[index]!.controlTick(plannedMs);
    }
    for (let index = 0; index < recordings.length; index++) recordings[index]!.capture(plannedMs, tick);
    this.poll(plannedMs, tick);
    if (this.afterwards.length > 0) this.finishTick();
  }

  /** Finds what is to be heard in this tick. */
  private listen(plannedMs: number): void {
    const { legs, sources, present, whisperers, confidants, sounds } = this;
    present.length = 0;
    for (let index = 0; index < legs.length; index++) {
      if (legs[index]!.receiveTick(plannedMs)) present.push(legs[index]!.speaker);
    }
    this.floor.decide(present);
    sources.length = 0;
    whisperers.length = 0;
    for (let index = 0; index < legs.length; index++) {
      const leg = legs[index]!;
      if (!leg.speak()) continue;
      (leg.inMix ? sources : whisperers).push(leg);
      leg.noteTiming(this.timing, plannedMs);
    }
    if (whisperers.length > 0 || confidants.length > 0) this.whisper();
    if (sounds.idle) return;
    sounds.tick();
    for (let index = 0; index < sounds.sounding.length; index++) sources.push(sounds.sounding[index]!);
  }

  /**
   * When all have their sound: looks what came from half of those who have been silent for long. That is half of the reads
   * for them, and of the looks at memory which no cache holds any more, and nobody else waits for it.
   */
  private poll(plannedMs: number, tick: number): void {
    const { legs } = this;
    for (let index = tick % POLL_EVERY_TICKS; index < legs.length; index += POLL_EVERY_TICKS) {
      if (legs[index]!.polled) legs[index]!.poll(plannedMs);
    }
  }

  private whisper(): void {
    const { legs, whisperers, confidants } = this;
    for (const leg of confidants) if (leg.privateMix) leg.privateMix.whispers.length = 0;
    confidants.length = 0;
    for (const whisperer of whisperers) {
      for (const leg of legs) {
        if (leg === whisperer || !leg.hearsRoom || !whisperer.speaksTo!.includes(leg.id)) continue;
        leg.hearPrivately(whisperer);
        confidants.push(leg);
      }
    }
  }

  private finishTick(): void {
    const { afterwards } = this;
    this.afterwards = [];
    for (const done of afterwards) done();
  }

  /** Notices that a leg is to hear something else than before. */
  private prepare(leg: Leg): void {
    const { streams } = leg;
    if (!streams || !leg.sends) return;
    const hears = this.hears(leg);
    const before = leg.hears;
    if (hears === before) return;
    leg.hears = hears;
    leg.crossingTicks = 0;
    const alone = hasOwnMix(hears);
    if (alone && !hasOwnMix(before)) {
      // Who heard no voice must not get the last moments of one now.
      if (before !== 'common') leg.newLimiter();
      else streams.bus.prepare(leg.limiterAt(streams.bus.sampleRateHz));
    }
    if (leg.onOwnStream || before === null || hasOwnMix(before)) {
      if (alone) this.useOwnStream(leg, streams, null);
      return;
    }
    const shared = before === 'common' ? streams.common : streams.silence;
    if (alone || shared?.hasMemory) this.useOwnStream(leg, streams, shared);
  }

  private hears(leg: Leg): Hears {
    if (leg.privateMix?.isHeard) return 'private';
    if (!leg.hearsRoom) return 'silence';
    if (!leg.inMix) return 'common';
    return this.sources.length === 1 ? 'silence' : 'own';
  }

  private useOwnStream(leg: Leg, streams: SharedStreams, after: EncodeStream | null): void {
    leg.ownStream ??= new EncodeStream(streams.format.createEncoder('one'), streams.format.ptimeMs);
    if (!leg.onOwnStream && after) leg.ownStream.continueFrom(after);
    leg.onOwnStream = true;
  }

  private sendTo(leg: Leg, tick: number): void {
    const { streams } = leg;
    if (!streams || !leg.sends) return;
    const quiet = leg.hears === 'silence' || (leg.hears !== 'private' && this.sources.length === 0);
    if (leg.rests(quiet, tick, this.comfortNoise)) return;
    if (hasOwnMix(leg.hears)) {
      this.mixFor(leg, streams.bus);
      leg.send(this.ownOf(leg, this.ownFrame, tick));
      return;
    }
    const shared = leg.hears === 'common' ? this.commonOf(streams, tick) : this.silenceOf(streams, tick);
    if (leg.onOwnStream && this.isCrossing(leg, streams, shared, tick)) return;
    leg.send(shared);
    if (leg.ownStream && tick - leg.ownStream.tick > OWN_STREAM_IDLE_TICKS) leg.closeOwnStream();
  }

  private mixFor(leg: Leg, bus: MixBus): void {
    const limiter = leg.limiterAt(bus.sampleRateHz);
    if (leg.hears === 'own') bus.mixWithout(leg, limiter, this.ownFrame);
    else leg.privateMix!.mix(bus, leg.inMix ? leg : null, leg.hearsRoom, limiter, this.ownFrame);
  }

  /** Sends from the leg's own encoder what the shared one made too, as long as they differ; then false. */
  private isCrossing(leg: Leg, streams: SharedStreams, shared: EncodeStream, tick: number): boolean {
    if (!shared.hasMemory) {
      leg.onOwnStream = false;
      return false;
    }
    const pcm = leg.hears === 'common' ? streams.bus.common : streams.bus.silence;
    const own = this.ownOf(leg, pcm, tick);
    leg.send(own);
    leg.crossingTicks++;
    if (own.packetCount === 0) return true;
    const across = leg.crossingTicks >= CROSSING_TICKS && (isQuiet(pcm) || leg.crossingTicks >= LONGEST_CROSSING_TICKS);
    if (across || own.madeTheSameAs(shared)) leg.onOwnStream = false;
    return true;
  }

  private ownOf(leg: Leg, pcm: Int16Array, tick: number): EncodeStream {
    const encodes = leg.ownStream!.encode(pcm, tick);
    this.counts.encodes += encodes;
    this.counts.encodesUnshared += encodes;
    return leg.ownStream!;
  }

  /** Its packets of this tick. */
  commonOf(streams: SharedStreams, tick: number): EncodeStream {
    streams.common ??= new EncodeStream(streams.format.createEncoder('shared'), streams.format.ptimeMs);
    return this.encoded(streams.common, streams.bus.common, tick);
  }

  private silenceOf(streams: SharedStreams, tick: number): EncodeStream {
    streams.silence ??= new EncodeStream(streams.format.createEncoder('shared'), streams.format.ptimeMs);
    return this.encoded(streams.silence, streams.bus.silence, tick);
  }

  /** The stream with this tick's packets, made for the first who asks. */
  private encoded(stream: EncodeStream, pcm: Int16Array, tick: number): EncodeStream {
    if (stream.tick !== tick) this.counts.encodes += stream.encode(pcm, tick);
    this.counts.encodesUnshared += stream.packetCount;
    return stream;
  }

  private bus(sampleRateHz: number): MixBus {
    let bus = this.buses.get(sampleRateHz);
    if (!bus) {
      bus = new MixBus(sampleRateHz, TICK_MS, this.settings.comfortNoiseDb);
      this.buses.set(sampleRateHz, bus);
      this.busList.push(bus);
    }
    return bus;
  }
}

function hasOwnMix(hears: Hears | null): boolean {
  return hears === 'own' || hears === 'private';
}

function isQuiet(pcm: Int16Array): boolean {
  let sum = 0;
  for (let index = 0; index < pcm.length; index++) sum += pcm[index]! * pcm[index]!;
  return sum < pcm.length * QUIET_RMS * QUIET_RMS;
}
