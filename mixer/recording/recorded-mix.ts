import { MixBus, type MixSource } from '../audio/mix-bus.ts';
import { createOpusEncoder, type OpusSampleRateHz } from '../codec/opus.ts';
import { EncodeStream } from '../encode-once.ts';
import type { Leg } from '../leg.ts';
import type { Room, SharedStreams } from '../room.ts';
import { TICK_MS } from '../room-clock.ts';
import { remembers } from '../send-format.ts';
import { WRITE_EVERY_MS } from './track-file.ts';

/** Packets are 20 ms of mono CELT at full band whose first decoded bit says silence (RFC 6716 §3.1). */
export const SILENT_PACKET = Uint8Array.of(0xf8, 0xff, 0xfe);

/** Limiter and encoder still hold the end of what was heard. */
const HELD_TICKS = 2;
/** How often it is looked at whether there is a better way to record. */
const CONSIDER_EVERY_TICKS = 25;
/**
 * A change of our own encoder, which a decoder might hear, waits for a pause; but not for ever. To what listeners get, it does:
 * that may be SILK, which a decoder that has not heard its beginning makes loud noise of, for a second if it is a tone.
 */
const LONGEST_WAIT_TICKS = 50;

/** Disk is cheaper than time: CELT with some more bits, at no effort, takes a third of the time of SILK. */
const COMPLEXITY = 0;
const BITRATES_BPS: Record<OpusSampleRateHz, number> = { 8000: 32_000, 16000: 40_000, 24000: 48_000, 48000: 64_000 };
const FULL_RATE_HZ = 48_000;
/**
 * What is gathered until the file is written is encoded at once: an encoder whose code and tables are in the processor's
 * cache takes a fourth of the time of one that the tick has to fetch first.
 */
const MOST_GATHERED_TICKS = WRITE_EVERY_MS / TICK_MS;

/** Takes a copy of a packet of 20 ms that begins at that position of the recording. */
export type WritePacket = (packet: Uint8Array, length: number, positionMs: number) => void;

/** Of a mix that is digital silence between the words. */
const NO_NOISE_DB = -127;

/** The room's mix at some rate, or one without those who may not be recorded; and an encoder for the recording alone. */
class OwnMix {
  readonly sampleRateHz: OpusSampleRateHz;
  private readonly room: Room;
  private readonly bus: MixBus;
  private readonly stream: EncodeStream;
  private readonly write: WritePacket;
  /** Not yet encoded: `gathered` of them, consecutive ticks. */
  private readonly frames: readonly Int16Array[];
  private gathered = 0;
  private firstTick = 0;
  private firstPositionMs = 0;
  /** While somebody may not be recorded. */
  private alone: MixBus | null = null;
  private aloneTicks = 0;
  private readonly sources: MixSource[] = [];
  private quietTicks = HELD_TICKS + 1;
  /** What the room's limiter holds was recorded as well. */
  private begun: boolean;

  constructor(room: Room, sampleRateHz: OpusSampleRateHz, after: SharedStreams | null, write: WritePacket) {
    this.room = room;
    this.sampleRateHz = sampleRateHz;
    this.write = write;
    this.frames = Array.from({ length: MOST_GATHERED_TICKS }, () => new Int16Array((sampleRateHz * TICK_MS) / 1000));
    this.bus = room.useBus(sampleRateHz);
    this.begun = after !== null;
    const encoder = createOpusEncoder(sampleRateHz, {
      ...{ complexity: COMPLEXITY, bitrateBps: BITRATES_BPS[sampleRateHz], lowDelay: after?.format.lowDelay ?? true },
      ...{ inbandFec: false, dtx: false, expectedLossPercent: 0 },
    });
    this.stream = new EncodeStream(encoder, TICK_MS);
    if (after === null) return;
    this.quietTicks = 0;
    if (after.common !== null) this.stream.continueFrom(after.common);
  }

  /** Before the room's mix of a tick. */
  prepare(leavesOut: boolean): void {
    if (leavesOut) {
      if (this.alone === null) {
        this.alone = new MixBus(this.sampleRateHz, TICK_MS, NO_NOISE_DB);
        if (this.begun) this.alone.continueFrom(this.bus);
      }
      this.aloneTicks = 1;
    } else if (this.alone !== null && this.aloneTicks-- === 0) {
      // One tick later, since the room's limiter still holds the last of what may not be recorded.
      this.alone = null;
    }
    this.begun = true;
  }

  take(heard: readonly MixSource[], unrecorded: readonly MixSource[], tick: number, positionMs: number): void {
    const { sources, alone, bus } = this;
    sources.length = 0;
    for (let index = 0; index < heard.length; index++) {
      if (unrecorded.length === 0 || !unrecorded.includes(heard[index]!)) sources.push(heard[index]!);
    }
    this.quietTicks = sources.length > 0 ? 0 : this.quietTicks + 1;
    if (this.quietTicks > HELD_TICKS) {
      this.flush();
      return this.write(SILENT_PACKET, SILENT_PACKET.length, positionMs);
    }
    alone?.mix(sources);
    this.gather(alone === null ? bus.common : alone.common, tick, positionMs);
  }

  /** Encodes and writes what was gathered. */
  flush(): void {
    const { frames, stream, gathered } = this;
    this.gathered = 0;
    for (let index = 0; index < gathered; index++) {
      stream.encode(frames[index]!, this.firstTick + index);
      writeOrSilence(this.write, stream, this.firstPositionMs + index * TICK_MS);
    }
  }

  private gather(pcm: Int16Array, tick: number, positionMs: number): void {
    const follows = tick === this.firstTick + this.gathered;
    if (this.gathered > 0 && !follows) this.flush();
    if (this.gathered === 0) {
      this.firstTick = tick;
      this.firstPositionMs = positionMs;
    }
    const frame = this.frames[this.gathered++]!;
    frame.set(pcm.length === frame.length ? pcm : pcm.subarray(0, frame.length));
    if (this.gathered === MOST_GATHERED_TICKS) this.flush();
  }

  close(): void {
    this.flush();
    this.stream.close();
    this.room.releaseBus(this.bus);
  }
}

function writeOrSilence(write: WritePacket, stream: EncodeStream | null, positionMs: number): void {
  const length = stream === null ? 0 : stream.payloadLengths[0]!;
  if (length > 0) write(stream!.payloads[0]!, length, positionMs);
  else write(SILENT_PACKET, SILENT_PACKET.length, positionMs);
}

/**
 * What a room's mix is recorded as, a packet of 20 ms each tick: what its Opus listeners get anyway; or, where there is
 * none or somebody may not be recorded, a mix of its own at the rate of those who may be heard.
 */
export class RecordedMix {
  private readonly room: Room;
  private readonly write: WritePacket;
  private streams: SharedStreams | null = null;
  private own: OwnMix | null = null;
  /** Who is in the room and may not be recorded. */
  private readonly unrecorded: Leg[] = [];
  private quietTicks = 0;
  private ticksToConsider = 0;
  private wanted: SharedStreams['format'] | OpusSampleRateHz | null = null;
  private waitedTicks = 0;

  /** @param write gets the packets in their order; some of them only with `flush` */
  constructor(room: Room, write: WritePacket) {
    this.room = room;
    this.write = write;
  }

  /** Before the room's mix of this tick is made. */
  prepare(): void {
    const { room, unrecorded } = this;
    unrecorded.length = 0;
    for (let index = 0; index < room.legs.length; index++) {
      if (!room.legs[index]!.recorded) unrecorded.push(room.legs[index]!);
    }
    // At once, as the next packet would have what they say.
    if (this.streams !== null && unrecorded.length > 0) this.useOwn(FULL_RATE_HZ, this.streams);
    if (this.ticksToConsider-- <= 0) {
      this.ticksToConsider = CONSIDER_EVERY_TICKS;
      this.consider();
    }
    this.own?.prepare(unrecorded.length > 0);
  }

  /** When all that hear it have been sent their packets. */
  take(tick: number, positionMs: number): void {
    const { room, streams } = this;
    this.quietTicks = room.sources.length > 0 ? 0 : this.quietTicks + 1;
    if (streams === null) this.own!.take(room.sources, this.unrecorded, tick, positionMs);
    else {
      const heard = this.quietTicks <= HELD_TICKS || streams.common?.tick === tick;
      writeOrSilence(this.write, heard ? room.commonOf(streams, tick) : null, positionMs);
    }
    if (this.wanted !== null) this.changeWhenQuiet();
  }

  /** Writes what was taken. */
  flush(): void {
    this.own?.flush();
  }

  close(): void {
    if (this.streams !== null) this.room.releaseStreams(this.streams);
    this.own?.close();
    this.streams = null;
    this.own = null;
  }

  private consider(): void {
    const { room, streams, own } = this;
    const rateHz = this.rateOfThoseHeard();
    const shared = this.unrecorded.length > 0 ? null : room.opusStreams(rateHz, streams);
    if (streams === null && own === null) {
      if (shared !== null) this.streams = room.useStreams(shared.format);
      else this.own = new OwnMix(room, rateHz, null, this.write);
      return;
    }
    this.wanted = null;
    if (shared !== null) {
      if (streams === null || !remembers(streams.format, shared.format)) this.wanted = shared.format;
      else if (shared !== streams) this.useShared(shared.format);
    } else if (streams !== null || own!.sampleRateHz !== rateHz) {
      this.wanted = rateHz;
    }
    if (this.wanted === null) this.waitedTicks = 0;
  }

  private changeWhenQuiet(): void {
    const { wanted } = this;
    const mayInterrupt = typeof wanted === 'number' && ++this.waitedTicks >= LONGEST_WAIT_TICKS;
    if (this.quietTicks <= HELD_TICKS && !mayInterrupt) return;
    this.wanted = null;
    this.waitedTicks = 0;
    if (typeof wanted === 'number') this.useOwn(wanted, null);
    else if (this.unrecorded.length === 0) this.useShared(wanted!);
  }

  private useShared(format: SharedStreams['format']): void {
    const { room, streams: before } = this;
    this.streams = room.useStreams(format, before !== null && remembers(before.format, format) ? before : null);
    if (before !== null) room.releaseStreams(before);
    this.own?.close();
    this.own = null;
  }

  private useOwn(rateHz: OpusSampleRateHz, after: SharedStreams | null): void {
    const own = new OwnMix(this.room, rateHz, after, this.write);
    this.close();
    this.own = own;
  }

  private rateOfThoseHeard(): OpusSampleRateHz {
    let most = 8000;
    for (const leg of this.room.legs) if (leg.recorded && leg.sampleRateHz > most) most = leg.sampleRateHz;
    if (most <= 8000) return 8000;
    return most <= 16_000 ? 16_000 : FULL_RATE_HZ;
  }
}
