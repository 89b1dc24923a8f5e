import { MixBus } from './audio/mix-bus.ts';
import { audioCodec } from './codec/registry.ts';
import { EncodeStream } from './encode-once.ts';
import type { Leg } from './leg.ts';
import { TICK_MS, type Ticking } from './room-clock.ts';
import type { RoomRecording } from './room-recording.ts';
import { recordingFormat, type SendFormat } from './send-format.ts';

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

/** The audio of one room. Every tick it takes 20 ms of each participant, mixes, and encodes once for all who get the same. */
export class Room implements Ticking {
  readonly id: string;
  readonly legs: Leg[] = [];
  readonly recordings: RoomRecording[] = [];
  private readonly counts: EncodeCounts;
  private readonly buses = new Map<number, MixBus>();
  private readonly busList: MixBus[] = [];
  private readonly shared = new Map<string, SharedStreams>();
  private readonly talkers: Leg[] = [];
  private readonly silentFrame = new Int16Array(960);
  private readonly ownFrame = new Int16Array(960);

  constructor(id: string, counts: EncodeCounts) {
    this.id = id;
    this.counts = counts;
  }

  add(leg: Leg): void {
    this.legs.push(leg);
  }

  remove(leg: Leg): void {
    const index = this.legs.indexOf(leg);
    if (index >= 0) this.legs.splice(index, 1);
  }

  /** The streams of this format; to be given back with `releaseStreams`. */
  useStreams(format: SendFormat): SharedStreams {
    let streams = this.shared.get(format.key);
    if (!streams) {
      streams = { format, bus: this.bus(audioCodec(format.codec).sampleRateHz), common: null, silence: null, users: 0 };
      this.shared.set(format.key, streams);
    }
    streams.users++;
    streams.bus.users++;
    return streams;
  }

  /** For a recording: what Opus listeners get anyway, else an encoder of its own. */
  useRecordingStreams(complexity: number): SharedStreams {
    for (const { format } of this.shared.values()) {
      if (format.codec === 'opus' && format.ptimeMs === TICK_MS && !format.dtx) return this.useStreams(format);
    }
    return this.useStreams(recordingFormat(complexity));
  }

  releaseStreams(streams: SharedStreams): void {
    streams.users--;
    streams.bus.users--;
    if (streams.users > 0) return;
    this.shared.delete(streams.format.key);
    streams.common?.close();
    streams.silence?.close();
  }

  tick(plannedMs: number, tick: number): void {
    const { legs, talkers, busList, recordings } = this;
    talkers.length = 0;
    for (let index = 0; index < legs.length; index++) {
      if (legs[index]!.receiveTick(plannedMs)) talkers.push(legs[index]!);
    }
    for (let index = 0; index < busList.length; index++) {
      if (busList[index]!.users > 0) busList[index]!.mix(talkers);
    }
    // Talkers first: an own encoder that begins goes on from the common one as it was before this tick.
    for (let index = 0; index < talkers.length; index++) this.sendToTalker(talkers[index]!, tick);
    for (let index = 0; index < legs.length; index++) {
      const leg = legs[index]!;
      if (!leg.talking) this.sendToListener(leg, tick);
      leg.controlTick(plannedMs);
    }
    for (let index = 0; index < recordings.length; index++) {
      const recording = recordings[index]!;
      recording.capture(this.commonOf(recording.streams, tick), tick);
    }
  }

  private sendToTalker(leg: Leg, tick: number): void {
    const streams = leg.streams;
    if (!streams || !leg.sends) return;
    if (leg.deaf || this.talkers.length === 1) {
      leg.send(this.silenceOf(streams, tick));
      return;
    }
    const own = leg.ownStream ?? this.beginOwn(leg, streams);
    streams.bus.mixWithout(leg, leg.limiterAt(streams.bus.sampleRateHz), this.ownFrame);
    const encodes = own.encode(this.ownFrame, tick);
    this.counts.encodes += encodes;
    this.counts.encodesUnshared += encodes;
    leg.ownStreamTick = tick;
    leg.send(own);
  }

  private beginOwn(leg: Leg, streams: SharedStreams): EncodeStream {
    const own = new EncodeStream(streams.format.createEncoder(), streams.format.ptimeMs);
    if (streams.common) own.continueFrom(streams.common);
    leg.ownStream = own;
    return own;
  }

  private sendToListener(leg: Leg, tick: number): void {
    const streams = leg.streams;
    if (leg.ownStream && tick - leg.ownStreamTick > OWN_STREAM_IDLE_TICKS) leg.closeOwnStream();
    if (!streams || !leg.sends) return;
    leg.send(leg.deaf ? this.silenceOf(streams, tick) : this.commonOf(streams, tick));
  }

  private commonOf(streams: SharedStreams, tick: number): EncodeStream {
    streams.common ??= new EncodeStream(streams.format.createEncoder(), streams.format.ptimeMs);
    return this.encoded(streams.common, streams.bus.common, tick);
  }

  private silenceOf(streams: SharedStreams, tick: number): EncodeStream {
    streams.silence ??= new EncodeStream(streams.format.createEncoder(), streams.format.ptimeMs);
    return this.encoded(streams.silence, this.silentFrame, tick);
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
      bus = new MixBus(sampleRateHz, TICK_MS);
      this.buses.set(sampleRateHz, bus);
      this.busList.push(bus);
    }
    return bus;
  }
}
