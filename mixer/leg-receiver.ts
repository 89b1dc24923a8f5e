import { ReceivedComfortNoise } from './audio/received-comfort-noise.ts';
import { levelSaysSilence, NO_AUDIO_LEVEL, SilenceClaims } from './audio/silence-claims.ts';
import type { AudioDecoder } from './codec/codec.ts';
import { audioCodec } from './codec/registry.ts';
import { LegLosses } from './leg-losses.ts';
import type { AudioCodecName, AudioFormat, AudioLevelExtension } from './protocol.ts';
import { TICK_MS } from './room-clock.ts';
import { JitterBuffer } from './rtp/jitter-buffer.ts';
import type { RtpPacket } from './rtp/rtp-packet.ts';
import { lengthen, shorten } from './rtp/time-stretch.ts';
import { UndecodedPackets } from './undecoded-packets.ts';

const MIN_DELAY_MS = 0;
const MAX_DELAY_MS = 400;
/** 120 ms of Opus, the longest packet there is (RFC 6716 §2.1.4), beside what was left of the tick before. */
const LONGEST_PACKET_MS = 120;

/** Comfort noise beside G.711 has this payload type without saying (RFC 3551 §6), and some send it without asking. */
const COMFORT_NOISE_TYPE = 13;
const COMFORT_NOISE_RATE_HZ = 8000;

/**
 * What of a sender is wanted: `everything`; `voice` and so nothing that says of itself that it is silence; or `nothing`,
 * from one whom nobody may hear.
 */
export type Attention = 'everything' | 'voice' | 'nothing';

/** RTP packets in, 20 ms of PCM a tick out: jitter buffer, decoder, and what lies between packet length and tick. */
export class LegReceiver {
  /** 20 ms of the last `pull`, at `sampleRateHz`; owned here. */
  frame = new Int16Array(0);
  sampleRateHz = 0;
  codec: AudioCodecName | null = null;
  /** The RTP clock of what is received. */
  clockRateHz = 0;
  private readonly counts: { decodes: number };
  private readonly createDecoder: (codec: AudioCodecName) => AudioDecoder;
  /** By payload type. */
  private readonly codecOf: (AudioCodecName | null)[] = new Array(128).fill(null);
  private readonly clockOf = new Int32Array(128);
  private buffer: JitterBuffer | null = null;
  private decoder: AudioDecoder | null = null;
  /** Decoded and not yet taken. */
  private pcm = new Int16Array(0);
  private pcmSamples = 0;
  /** What is left in `pcm` is no sound. */
  private pcmIsSilent = true;
  /** `frame` is all zeros; to be set to false by who writes into it. */
  frameIsSilent = true;
  private frameSamples = 0;
  readonly losses = new LegLosses();
  private readonly undecoded = new UndecodedPackets();
  private readonly claims = new SilenceClaims();
  /** Where packets tell their level (RFC 6464); null: they do not. */
  private audioLevel: AudioLevelExtension | null = null;
  /** What the sender's pauses sound like, where it says so; `pauses` from such a packet to the next of audio. */
  private comfortNoise: ReceivedComfortNoise | null = null;
  private pauses = false;

  constructor(
    counts: { decodes: number },
    createDecoder = (codec: AudioCodecName): AudioDecoder => audioCodec(codec).createDecoder(),
  ) {
    this.counts = counts;
    this.createDecoder = createDecoder;
  }

  get counters(): JitterBuffer['counters'] | null {
    return this.buffer?.counters ?? null;
  }

  get delayMs(): number {
    return this.buffer?.delayMs ?? 0;
  }

  get maxDelayMs(): number {
    return MAX_DELAY_MS;
  }

  /** The usual length of the sender's packets. */
  get packetMs(): number {
    return this.buffer ? (this.buffer.packet.durationTicks * 1000) / this.clockRateHz : 0;
  }

  /** What may come from now on, after an offer and answer. */
  configure(formats: readonly AudioFormat[], audioLevel: AudioLevelExtension | null = null): void {
    this.audioLevel = audioLevel;
    this.codecOf.fill(null);
    this.clockOf.fill(0);
    for (const { payloadType, codec } of formats) {
      this.codecOf[payloadType] = codec;
      this.clockOf[payloadType] = audioCodec(codec).rtpClockRateHz;
      if (audioCodec(codec).sampleRateHz === COMFORT_NOISE_RATE_HZ) {
        this.clockOf[COMFORT_NOISE_TYPE] = COMFORT_NOISE_RATE_HZ;
      }
    }
  }

  /** The RTP clock of this payload type; 0 when it was not negotiated. */
  clockRateOf(payloadType: number): number {
    return this.clockOf[payloadType]!;
  }

  put(packet: RtpPacket, payload: Uint8Array, nowMs: number): void {
    const clockRateHz = this.clockOf[packet.payloadType]!;
    if (clockRateHz === 0) return;
    // Comfort noise goes with G.711 only, which must have come before.
    if (packet.payloadType === COMFORT_NOISE_TYPE && clockRateHz !== this.clockRateHz) return;
    if (!this.buffer || clockRateHz !== this.clockRateHz) this.begin(clockRateHz);
    const { sequenceNumber, timestamp, payloadType, marker } = packet;
    const level = this.audioLevel === null ? NO_AUDIO_LEVEL : packet.extensionOctet(this.audioLevel.id);
    this.buffer!.put(sequenceNumber, timestamp, payloadType, marker, payload, nowMs, level);
  }

  /** A packet of the stream that is not audio: a key (RFC 4733). */
  skip(sequenceNumber: number, timestamp: number, nowMs: number): void {
    this.buffer?.skip(sequenceNumber, timestamp, nowMs);
  }

  /** Another source has taken over. */
  reset(): void {
    this.buffer?.reset();
    this.undecoded.clear();
    this.claims.reset();
    this.pauses = false;
    this.pcmSamples = 0;
  }

  /**
   * Fills `frame`. False when it holds no sound: nothing came from the sender, or what came was left undecoded because
   * `attention` did not ask for it.
   */
  pull(plannedMs: number, attention: Attention): boolean {
    if (!this.buffer) return false;
    this.claims.nothing();
    let sound = this.pcmSamples > 0 && !this.pcmIsSilent;
    while (this.pcmSamples < this.frameSamples || this.frameSamples === 0) {
      const kind = this.buffer.take(plannedMs, this.bufferedMs());
      if (kind === 'silence') {
        if (this.fillPause(this.frameSamples - this.pcmSamples, attention)) sound = true;
        break;
      }
      if (kind === 'packet') {
        const taken = this.packet(attention, plannedMs);
        if (taken === 'frame') return true;
        if (taken === 'silent frame') return false;
        if (taken === 'pcm') sound = true;
      } else if (this.conceal()) {
        sound = true;
      }
      if (this.frameSamples === 0) return false;
    }
    this.pcmIsSilent = !sound;
    this.frameIsSilent = false;
    this.frame.set(this.pcm.subarray(0, this.frameSamples));
    this.pcm.copyWithin(0, this.frameSamples, this.pcmSamples);
    this.pcmSamples -= this.frameSamples;
    return sound;
  }

  /** There was sound in what `pull` gave. */
  sounded(plannedMs: number): void {
    this.claims.sounded(plannedMs);
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

  /** Takes the packet at hand. Mostly it is just what the tick needs, and goes where the tick looks. */
  private packet(attention: Attention, plannedMs: number): 'frame' | 'silent frame' | 'pcm' | 'silence' {
    const buffer = this.buffer!;
    const { payload, payloadType } = buffer.packet;
    const codec = this.codecOf[payloadType];
    if (!codec) {
      buffer.played(0);
      if (payloadType === COMFORT_NOISE_TYPE) this.pause(payload);
      return 'silence';
    }
    this.pauses = false;
    if (codec !== this.codec) this.use(codec);
    const hasCopy = this.decoder!.repairsPrevious(payload);
    buffer.lookAheadMs = this.losses.received(hasCopy, this.packetMs, buffer.counters.pauses);
    const fits = this.pcmSamples === 0 && this.decoder!.samplesIn(payload) === this.frameSamples;
    if (attention !== 'everything' && this.mayRest(attention, payload, plannedMs)) return this.rest(payload, fits);
    if (fits && buffer.adjustment === 'none') return this.decodeFrame(payload);
    this.decode(payload);
    return 'pcm';
  }

  private rest(payload: Uint8Array, fits: boolean): 'silent frame' | 'silence' {
    const samples = Math.min(this.decoder!.samplesIn(payload), this.pcm.length - this.pcmSamples);
    const { adjustment, adjustmentTicks } = this.buffer!;
    this.undecoded.add(payload);
    this.buffer!.played((samples * this.clockRateHz) / this.sampleRateHz);
    if (fits && adjustment === 'none') {
      if (!this.frameIsSilent) this.frame.fill(0);
      this.frameIsSilent = true;
      return 'silent frame';
    }
    // Nobody hears how long a silence is.
    const change = Math.round((adjustmentTicks * this.sampleRateHz) / this.clockRateHz);
    const room = this.pcm.length - this.pcmSamples;
    if (adjustment === 'shorten') this.fillUp(samples - change);
    else this.fillUp(Math.min(samples + (adjustment === 'lengthen' ? change : 0), room));
    return 'silence';
  }

  private mayRest(attention: Attention, payload: Uint8Array, plannedMs: number): boolean {
    if (attention === 'nothing') return true;
    const level = this.buffer!.packet.audioLevel;
    const silent = this.decoder!.saysSilence(payload) || levelSaysSilence(level, this.audioLevel?.vad ?? false);
    return this.claims.mayRest(silent, this.undecoded.count, plannedMs);
  }

  private decodeFrame(payload: Uint8Array): 'frame' | 'silence' {
    this.catchUp();
    this.frameIsSilent = false;
    const samples = this.decoder!.decode(payload, this.frame, 0);
    this.counts.decodes++;
    this.buffer!.played((samples * this.clockRateHz) / this.sampleRateHz);
    return samples > 0 ? 'frame' : 'silence';
  }

  private decode(payload: Uint8Array): void {
    this.catchUp();
    const samples = this.decoder!.decode(payload, this.pcm, this.pcmSamples);
    this.counts.decodes++;
    this.buffer!.played((samples * this.clockRateHz) / this.sampleRateHz);
    this.pcmSamples += this.adjusted(samples);
  }

  /** Gives the decoder the history that it missed. */
  private catchUp(): void {
    if (this.undecoded.count === 0) return;
    this.counts.decodes += this.undecoded.decode(this.decoder!, this.pcm, this.pcmSamples);
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

  /** Makes up for a missing packet; false where that is silence. */
  private conceal(): boolean {
    const samples = Math.round((this.buffer!.gapTicks * this.sampleRateHz) / this.clockRateHz);
    const wanted = Math.min(samples, this.pcm.length - this.pcmSamples);
    this.losses.missing();
    if (this.undecoded.count > 0 || !this.decoder) {
      this.fillUp(wanted);
      return false;
    }
    this.decoder.conceal(wanted, this.pcm, this.pcmSamples, this.buffer!.following);
    this.pcmSamples += wanted;
    return true;
  }

  private pause(payload: Uint8Array): void {
    this.buffer!.expectPause();
    this.comfortNoise ??= new ReceivedComfortNoise();
    this.comfortNoise.update(payload);
    this.pauses = true;
  }

  /** With noise after the last word, as long as that is still listened to; true when it is more than silence. */
  private fillPause(samples: number, attention: Attention): boolean {
    if (!this.pauses || samples <= 0 || attention !== 'everything') {
      this.fillUp(samples);
      return false;
    }
    this.comfortNoise!.fill(this.pcm, this.pcmSamples, samples);
    this.pcmSamples += samples;
    return true;
  }

  private fillUp(samples: number): void {
    if (samples <= 0) return;
    this.pcm.fill(0, this.pcmSamples, this.pcmSamples + samples);
    this.pcmSamples += samples;
  }

  private use(name: AudioCodecName): void {
    this.decoder?.close();
    this.decoder = this.createDecoder(name);
    this.codec = name;
    this.undecoded.clear();
    if (this.decoder.sampleRateHz === this.sampleRateHz) return;
    this.sampleRateHz = this.decoder.sampleRateHz;
    this.frameSamples = (this.sampleRateHz * TICK_MS) / 1000;
    this.frame = new Int16Array(this.frameSamples);
    this.pcm = new Int16Array((this.sampleRateHz * (LONGEST_PACKET_MS + 2 * TICK_MS)) / 1000);
    this.pcmSamples = 0;
  }
}
