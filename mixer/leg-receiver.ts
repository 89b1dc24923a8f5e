import { ReceivedComfortNoise } from './audio/received-comfort-noise.ts';
import { levelSaysSilence, NO_AUDIO_LEVEL, SilenceClaims } from './audio/silence-claims.ts';
import type { AudioDecoder } from './codec/codec.ts';
import { audioCodec } from './codec/registry.ts';
import { LegLosses } from './leg-losses.ts';
import type { AudioCodecName, AudioFormat, AudioLevelExtension } from './protocol.ts';
import type { PlayedPackets } from './recording/played-packets.ts';
import { TICK_MS } from './room-clock.ts';
import { JitterBuffer } from './rtp/jitter-buffer.ts';
import type { RtpPacket } from './rtp/rtp-packet.ts';
import { lengthen, shorten } from './rtp/time-stretch.ts';
import type { SoundDelay } from './sound-delay.ts';
import { UndecodedPackets } from './undecoded-packets.ts';

const MIN_DELAY_MS = 0;
const MAX_DELAY_MS = 400;
/** 120 ms of Opus, the longest packet there is (RFC 6716 §2.1.4), beside what was left of the tick before. */
const LONGEST_PACKET_MS = 120;

/** Comfort noise beside G.711 has this payload type without saying (RFC 3551 §6), and some send it without asking. */
const COMFORT_NOISE_TYPE = 13;
const COMFORT_NOISE_RATE_HZ = 8000;

/** Of a decoder's history, to see whether there is sound at all. */
const CHECK_HISTORY = 0.5;

const NO_PCM = new Int16Array(0);

/** By sampling rate: what a `pull` decodes. One for all legs, which are pulled one after the other. */
const WORK = new Map<number, Int16Array<ArrayBuffer>>();

function workAt(sampleRateHz: number): Int16Array<ArrayBuffer> {
  let work = WORK.get(sampleRateHz);
  if (!work) {
    work = new Int16Array((sampleRateHz * (LONGEST_PACKET_MS + 2 * TICK_MS)) / 1000);
    WORK.set(sampleRateHz, work);
  }
  return work;
}

/** What may come. */
interface Receivable {
  readonly payloadType: number;
  /** Null: comfort noise. */
  readonly codec: AudioCodecName | null;
  readonly clockRateHz: number;
}

/**
 * What of a sender is wanted: `everything`; `voice` and so nothing that says of itself that it is silence; or `nothing`,
 * from one whom nobody may hear.
 */
export type Attention = 'everything' | 'voice' | 'nothing';

/** RTP packets in, 20 ms of PCM a tick out: jitter buffer, decoder, and what lies between packet length and tick. */
export class LegReceiver {
  /** 20 ms of the last `pull`, at `sampleRateHz`; owned here. */
  frame = NO_PCM;
  sampleRateHz = 0;
  codec: AudioCodecName | null = null;
  /** The RTP clock of what is received. */
  clockRateHz = 0;
  private readonly counts: { decodes: number };
  private readonly createDecoder: (codec: AudioCodecName) => AudioDecoder;
  /** Few: looked through for each packet. */
  private readonly receivable: Receivable[] = [];
  private buffer: JitterBuffer | null = null;
  private leastDelayMs = MIN_DELAY_MS;
  private decoder: AudioDecoder | null = null;
  /** Decoded and not yet taken: during a `pull`; and from one to the next. */
  private pcm = NO_PCM;
  private left = NO_PCM;
  private pcmSamples = 0;
  /** What is left in `pcm` is no sound. */
  private pcmIsSilent = true;
  /** `frame` is all zeros; to be set to false by who writes into it. */
  frameIsSilent = true;
  private frameSamples = 0;
  readonly losses = new LegLosses();
  /** Where the audio packets of a `pull` are noted; null: nobody wants to know. */
  played: PlayedPackets | null = null;
  /** Who follows how late the sound is; null: nobody wants to know. */
  soundDelay: SoundDelay | null = null;
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

  /** What comes waits at least so long before it is heard. */
  set minDelayMs(minDelayMs: number) {
    this.leastDelayMs = Math.max(MIN_DELAY_MS, minDelayMs);
    if (this.buffer !== null) this.buffer.minDelayMs = this.leastDelayMs;
  }

  get counters(): JitterBuffer['counters'] | null {
    return this.buffer?.counters ?? null;
  }

  get delayMs(): number {
    return this.buffer?.delayMs ?? 0;
  }

  get targetDelayMs(): number {
    return this.buffer?.targetDelayMs ?? 0;
  }

  /** So much sooner what was last pulled was there already, and as a rule. */
  get spareMs(): number {
    return this.buffer?.spareMs ?? 0;
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
    this.receivable.length = 0;
    for (const { payloadType, codec } of formats) {
      this.receivable.push({ payloadType, codec, clockRateHz: audioCodec(codec).rtpClockRateHz });
    }
    const narrow = formats.some(({ codec }) => audioCodec(codec).sampleRateHz === COMFORT_NOISE_RATE_HZ);
    if (!narrow || this.receivableAs(COMFORT_NOISE_TYPE) !== null) return;
    this.receivable.push({ payloadType: COMFORT_NOISE_TYPE, codec: null, clockRateHz: COMFORT_NOISE_RATE_HZ });
  }

  /** The RTP clock of this payload type; 0 when it was not negotiated. */
  clockRateOf(payloadType: number): number {
    return this.receivableAs(payloadType)?.clockRateHz ?? 0;
  }

  private receivableAs(payloadType: number): Receivable | null {
    const { receivable } = this;
    for (let index = 0; index < receivable.length; index++) {
      if (receivable[index]!.payloadType === payloadType) return receivable[index]!;
    }
    return null;
  }

  /** Takes a copy of the packet's payload. */
  put(packet: RtpPacket, nowMs: number): void {
    const clockRateHz = this.clockRateOf(packet.payloadType);
    if (clockRateHz === 0) return;
    // Comfort noise goes with G.711 only, which must have come before.
    if (packet.payloadType === COMFORT_NOISE_TYPE && clockRateHz !== this.clockRateHz) return;
    if (!this.buffer || clockRateHz !== this.clockRateHz) this.begin(clockRateHz);
    const level = this.audioLevel === null ? NO_AUDIO_LEVEL : packet.extensionOctet(this.audioLevel.id);
    this.buffer!.put(packet, nowMs, level);
  }

  /** A packet of the stream that is not audio: a key (RFC 4733). */
  skip(sequenceNumber: number, timestamp: number, nowMs: number): void {
    this.buffer?.skip(sequenceNumber, timestamp, nowMs);
  }

  /** Another source has taken over. */
  reset(): void {
    this.buffer?.reset();
    this.soundDelay?.reset();
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
    if (this.played !== null) this.played.count = 0;
    if (!this.buffer) return false;
    this.claims.nothing();
    let sound = this.pcmSamples > 0 && !this.pcmIsSilent;
    if (this.pcmSamples > 0) this.pcm.set(this.left);
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
    this.takeFrame();
    return sound;
  }

  private takeFrame(): void {
    const { frame, pcm, frameSamples } = this;
    for (let i = 0; i < frameSamples; i++) frame[i] = pcm[i]!;
    this.pcmSamples -= frameSamples;
    const { pcmSamples } = this;
    if (pcmSamples > this.left.length) this.left = new Int16Array(frameSamples * Math.ceil(pcmSamples / frameSamples));
    for (let i = 0; i < pcmSamples; i++) this.left[i] = pcm[frameSamples + i]!;
  }

  /** What is pulled from now on is so much later than what was pulled until now. */
  heldUp(ms: number): void {
    this.buffer?.heldUp(ms);
  }

  /** There was sound in what `pull` gave. */
  sounded(plannedMs: number): void {
    this.claims.sounded(plannedMs);
  }

  /** There was none, though it was decoded, as only voice was asked for. */
  heardNothing(): void {
    this.decoder?.heardNothing?.();
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
      minDelayMs: this.leastDelayMs,
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
    const codec = this.receivableAs(payloadType)?.codec ?? null;
    if (codec === null) {
      buffer.played(0);
      if (payloadType === COMFORT_NOISE_TYPE) this.pause(payload);
      return 'silence';
    }
    this.pauses = false;
    if (codec !== this.codec) this.use(codec);
    if (this.soundDelay !== null) {
      const { timestamp, waitedMs } = buffer.packet;
      this.soundDelay.note(timestamp, this.clockRateHz, waitedMs, this.bufferedMs(), plannedMs);
    }
    if (this.played !== null && this.decoder!.samplesIn(payload) > 0) {
      this.played.add(codec, payload, buffer.packet.timestamp, this.bufferedMs());
    }
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
    this.undecoded.add(payload, this.decoder!.historyPackets);
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
    const decoder = this.decoder!;
    const silent = decoder.saysSilence(payload) || levelSaysSilence(level, this.audioLevel?.vad ?? false);
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
    const share = this.claims.checking ? CHECK_HISTORY : 1;
    this.counts.decodes += this.undecoded.decode(this.decoder!, this.pcm, this.pcmSamples, share);
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
    this.pcm = workAt(this.sampleRateHz);
    this.left = NO_PCM;
    this.pcmSamples = 0;
  }
}
