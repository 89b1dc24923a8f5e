import type { AudioDecoder } from './codec/codec.ts';
import { audioCodec } from './codec/registry.ts';
import type { AudioCodecName, AudioFormat } from './protocol.ts';
import { TICK_MS } from './room-clock.ts';
import { JitterBuffer } from './rtp/jitter-buffer.ts';
import type { RtpPacket } from './rtp/rtp-packet.ts';
import { lengthen, shorten } from './rtp/time-stretch.ts';

const MIN_DELAY_MS = 0;
const MAX_DELAY_MS = 400;
/** 120 ms of Opus, the longest packet there is (RFC 6716 §2.1.4), beside what was left of the tick before. */
const LONGEST_PACKET_MS = 120;

/** RTP packets in, 20 ms of PCM a tick out: jitter buffer, decoder, and what lies between packet length and tick. */
export class LegReceiver {
  /** 20 ms of the last `pull`, at `sampleRateHz`; owned here. */
  frame = new Int16Array(0);
  sampleRateHz = 0;
  codec: AudioCodecName | null = null;
  /** The RTP clock of what is received. */
  clockRateHz = 0;
  private readonly counts: { decodes: number };
  private readonly codecOf: (AudioCodecName | null)[] = new Array(128).fill(null);
  private buffer: JitterBuffer | null = null;
  private decoder: AudioDecoder | null = null;
  /** Decoded and not yet taken. */
  private pcm = new Int16Array(0);
  private pcmSamples = 0;
  private frameSamples = 0;

  constructor(counts: { decodes: number }) {
    this.counts = counts;
  }

  get counters(): JitterBuffer['counters'] | null {
    return this.buffer?.counters ?? null;
  }

  get delayMs(): number {
    return this.buffer?.delayMs ?? 0;
  }

  /** What may come from now on, after an offer and answer. */
  configure(formats: readonly AudioFormat[]): void {
    this.codecOf.fill(null);
    for (const { payloadType, codec } of formats) this.codecOf[payloadType] = codec;
  }

  accepts(payloadType: number): boolean {
    return this.codecOf[payloadType] !== null;
  }

  /** @param payload is kept until it is played. */
  put(packet: RtpPacket, payload: Uint8Array, nowMs: number): void {
    const codec = this.codecOf[packet.payloadType];
    if (!codec) return;
    const clockRateHz = audioCodec(codec).rtpClockRateHz;
    if (!this.buffer || clockRateHz !== this.clockRateHz) this.begin(clockRateHz);
    this.buffer!.put(packet.sequenceNumber, packet.timestamp, packet.payloadType, packet.marker, payload, nowMs);
  }

  /** A packet of the stream that is not audio: a key (RFC 4733). */
  skip(sequenceNumber: number, timestamp: number, nowMs: number): void {
    this.buffer?.skip(sequenceNumber, timestamp, nowMs);
  }

  /** Another source has taken over. */
  reset(): void {
    this.buffer?.reset();
    this.pcmSamples = 0;
  }

  /** Fills `frame`. False when nothing came from the sender in it: it is silence. */
  pull(plannedMs: number): boolean {
    if (!this.buffer) return false;
    let sound = this.pcmSamples > 0;
    while (this.pcmSamples < this.frameSamples || this.frameSamples === 0) {
      const kind = this.buffer.take(plannedMs, this.bufferedMs());
      if (kind === 'silence') {
        this.fillUp(this.frameSamples - this.pcmSamples);
        break;
      }
      if (kind === 'packet') this.decode();
      else this.conceal();
      sound = true;
      if (this.frameSamples === 0) return false;
    }
    if (this.frameSamples === 0) return false;
    this.frame.set(this.pcm.subarray(0, this.frameSamples));
    this.pcm.copyWithin(0, this.frameSamples, this.pcmSamples);
    this.pcmSamples -= this.frameSamples;
    return sound;
  }

  /** Lets the time of a tick pass for a sender whom nobody hears, without decoding. */
  discard(plannedMs: number): void {
    if (!this.buffer) return;
    let ms = this.bufferedMs();
    this.pcmSamples = 0;
    while (ms < TICK_MS) {
      const kind = this.buffer.take(plannedMs, ms);
      if (kind === 'silence') return;
      const ticks = kind === 'packet' ? this.ticksOf(this.buffer.packet.payload) : this.buffer.gapTicks;
      if (kind === 'packet') this.buffer.played(ticks);
      ms += (ticks * 1000) / this.clockRateHz;
      if (ticks === 0) return;
    }
    this.pcmSamples = Math.min(this.pcm.length, Math.round(((ms - TICK_MS) * this.sampleRateHz) / 1000));
    this.pcm.fill(0, 0, this.pcmSamples);
  }

  close(): void {
    this.decoder?.close();
    this.decoder = null;
    this.buffer = null;
  }

  private begin(clockRateHz: number): void {
    this.clockRateHz = clockRateHz;
    this.buffer = new JitterBuffer({
      clockRateHz,
      minDelayMs: MIN_DELAY_MS,
      maxDelayMs: MAX_DELAY_MS,
      tickMs: TICK_MS,
    });
  }

  private bufferedMs(): number {
    return this.sampleRateHz === 0 ? 0 : (this.pcmSamples * 1000) / this.sampleRateHz;
  }

  private decode(): void {
    const buffer = this.buffer!;
    const { payload, payloadType } = buffer.packet;
    const codec = this.codecOf[payloadType];
    if (!codec) return buffer.played(0);
    if (codec !== this.codec) this.use(codec);
    const samples = this.decoder!.decode(payload, this.pcm, this.pcmSamples);
    this.counts.decodes++;
    buffer.played((samples * this.clockRateHz) / this.sampleRateHz);
    this.pcmSamples += this.adjusted(samples);
  }

  /** Shortens or lengthens the packet just decoded, as the jitter buffer wants its delay to change. */
  private adjusted(samples: number): number {
    const { adjustment, adjustmentTicks } = this.buffer!;
    if (adjustment === 'none' || samples === 0) return samples;
    const most = Math.round((adjustmentTicks * this.sampleRateHz) / this.clockRateHz);
    const pcm = this.pcm.subarray(this.pcmSamples);
    return adjustment === 'shorten'
      ? shorten(pcm, samples, this.sampleRateHz, most)
      : lengthen(pcm, samples, this.sampleRateHz, most);
  }

  private conceal(): void {
    const samples = Math.round((this.buffer!.gapTicks * this.sampleRateHz) / this.clockRateHz);
    const room = this.pcm.length - this.pcmSamples;
    this.decoder?.conceal(Math.min(samples, room), this.pcm, this.pcmSamples);
    this.pcmSamples += Math.min(samples, room);
  }

  private fillUp(samples: number): void {
    if (samples <= 0) return;
    this.pcm.fill(0, this.pcmSamples, this.pcmSamples + samples);
    this.pcmSamples += samples;
  }

  private ticksOf(payload: Uint8Array): number {
    if (!this.decoder) return this.buffer!.packet.durationTicks;
    return (this.decoder.samplesIn(payload) * this.clockRateHz) / this.sampleRateHz;
  }

  private use(name: AudioCodecName): void {
    this.decoder?.close();
    this.decoder = audioCodec(name).createDecoder();
    this.codec = name;
    if (this.decoder.sampleRateHz === this.sampleRateHz) return;
    this.sampleRateHz = this.decoder.sampleRateHz;
    this.frameSamples = (this.sampleRateHz * TICK_MS) / 1000;
    this.frame = new Int16Array(this.frameSamples);
    this.pcm = new Int16Array((this.sampleRateHz * (LONGEST_PACKET_MS + 2 * TICK_MS)) / 1000);
    this.pcmSamples = 0;
  }
}
