import type { AudioEncoder } from '../../mixer/codec/codec.ts';
import { audioCodec } from '../../mixer/codec/registry.ts';
import { Leg } from '../../mixer/leg.ts';
import type { MediaSockets } from '../../mixer/net/media-sockets.ts';
import { PacketBuffers, type PacketSlot } from '../../mixer/net/packet-buffers.ts';
import type {
  AudioCodecName,
  AudioFormat,
  AudioMedia,
  LegControl,
  MixerEvent,
  MixerSettings,
} from '../../mixer/protocol.ts';
import { Room } from '../../mixer/room.ts';
import { RoomClock } from '../../mixer/room-clock.ts';
import { RtpPacket, writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';
import { goertzelHannLevelDb } from '../audio/goertzel.ts';

const PAYLOAD_TYPES: Record<AudioCodecName, number> = {
  PCMU: 0,
  PCMA: 8,
  G722: 9,
  opus: 111,
  'L16/8000': 112,
  'L16/16000': 113,
  'L16/48000': 114,
};
const PCMU: AudioFormat = { codec: 'PCMU', payloadType: 0, clockRateHz: 8000, parameters: {} };
const KEY_PAYLOAD_TYPE = 101;
const COMFORT_NOISE_PAYLOAD_TYPE = 13;

/** One who is in the room like all others. */
export const PLAIN_CONTROL: LegControl = {
  muted: false,
  deaf: false,
  gainDb: 0,
  volumeDb: 0,
  apart: false,
  speaksTo: null,
  recorded: true,
};

const settings: MixerSettings = {
  bindAddress: '127.0.0.1',
  rtpPortMin: 20000,
  rtpPortMax: 20099,
  portQuarantineMs: 0,
  silenceTimeoutMs: 1000,
  opusComplexity: 5,
  maxTalkers: 4,
  automaticGain: 'gentle',
  comfortNoiseDb: -65,
};

export interface Sent {
  sequenceNumber: number;
  timestamp: number;
  marker: boolean;
  payloadType: number;
  ssrc: number;
  payload: Uint8Array;
  atMs: number;
}

export interface PhoneOptions {
  codec: AudioCodecName;
  toneHz?: number;
  /** Of what it sends, and asks us to send. */
  ptimeMs?: number;
  levelDb?: number;
  /** Sent in place of a tone, once, at the codec's sampling rate; or what each sample is, by its number. */
  sound?: Int16Array | ((sample: number) => number);
  /** Sent over and over in place of what it would encode: a packet for each `ptimeMs`. */
  packets?: readonly Uint8Array[];
  /** How much its clock is too fast, parts per million. */
  clockPpm?: number;
  /** When in the 20 ms its packets come. */
  phaseMs?: number;
  /** False: the phone negotiates no telephone events. */
  telephoneEvents?: boolean;
  /** Our silence may be comfort noise. */
  comfortNoise?: boolean;
  /** It negotiated G.711 too, and so comfort noise may come from it. */
  receivesComfortNoise?: boolean;
  /** Tells the level of its packets (RFC 6464), in an extension of this identifier; from 15 on in the two-byte form. */
  audioLevelId?: number;
  /** Of its Opus; from some 100000 on it is CELT. */
  bitrateBps?: number;
  /** What it asks for in `a=fmtp`. */
  parameters?: Record<string, string>;
}

/** A phone in virtual time: sends a tone as RTP into its leg, and decodes what the leg sends back. */
export class SimulatedPhone {
  readonly leg: Leg;
  readonly sent: Sent[] = [];
  readonly rtcp: Uint8Array[] = [];
  /** When the leg looked at its socket of RTP. */
  readonly readsMs: number[] = [];
  onRead: () => void = () => undefined;
  /** In the socket, until the leg takes them. */
  private arrived: { packet: Uint8Array; atMs: number }[] = [];
  /** How long a packet is under way, milliseconds. */
  delays: () => number = () => 0;
  private underWay: { packet: Uint8Array; atMs: number }[] = [];
  /** Which packets do not reach the leg. */
  loses: (sequenceNumber: number) => boolean = () => false;
  toneHz: number;
  sending = true;
  /** What it says of the level of a frame, dBov; the truth by default. */
  saysLevelDb: (levelDb: number) => number = (levelDb) => levelDb;
  ssrc = 0x1000 + Math.floor(Math.random() * 1e6);
  readonly address = '127.0.0.1';
  port = 4000;
  private readonly now: () => number;
  private readonly options: Required<Omit<PhoneOptions, 'sound' | 'packets'>>;
  private readonly sound: PhoneOptions['sound'] | null;
  private readonly packets: readonly Uint8Array[] | null;
  private packetsTaken = 0;
  private readonly encoder: AudioEncoder;
  private readonly packet = new RtpPacket();
  private sequenceNumber = 65530;
  private samplesMade = 0;
  private nextMs: number;

  constructor(room: SimulatedRoom, id: string, options: PhoneOptions, control: LegControl) {
    this.options = {
      toneHz: 0,
      ptimeMs: 20,
      levelDb: -20,
      telephoneEvents: true,
      comfortNoise: false,
      receivesComfortNoise: false,
      audioLevelId: 0,
      bitrateBps: 32_000,
      parameters: {},
      clockPpm: 0,
      phaseMs: 0,
      ...options,
    };
    this.nextMs = this.options.phaseMs;
    this.sound = options.sound ?? null;
    this.packets = options.packets ?? null;
    this.toneHz = this.options.toneHz;
    const codec = audioCodec(this.options.codec);
    this.encoder = codec.createEncoder({
      complexity: 5,
      bitrateBps: this.options.bitrateBps,
      inbandFec: false,
      dtx: false,
      expectedLossPercent: 0,
    });
    this.now = () => room.nowMs;
    this.leg = new Leg({
      id,
      cname: id,
      control,
      room: room.room,
      settings: room.settings,
      buffers: room.buffers,
      counts: room.counts,
      now: () => room.nowMs,
      wallClock: () => 1.7e12 + room.nowMs,
      event: (event) => room.events.push(event),
    });
    this.leg.open(this.sockets(room));
    this.leg.update(this.media('sendrecv'));
    room.room.add(this.leg);
  }

  get nowMs(): number {
    return this.now();
  }

  media(direction: AudioMedia['direction']): AudioMedia {
    const { codec, ptimeMs, telephoneEvents, comfortNoise, receivesComfortNoise, audioLevelId } = this.options;
    const format = {
      codec,
      payloadType: PAYLOAD_TYPES[codec],
      clockRateHz: audioCodec(codec).rtpClockRateHz,
      parameters: this.options.parameters,
    };
    const keys = telephoneEvents ? { payloadType: KEY_PAYLOAD_TYPE, clockRateHz: format.clockRateHz } : null;
    return {
      remote: { address: this.address, rtpPort: this.port, rtcpPort: this.port + 1 },
      rtcpMux: false,
      direction,
      send: format,
      sendPtimeMs: ptimeMs,
      receive: receivesComfortNoise ? [format, PCMU] : [format],
      receiveTelephoneEvent: keys,
      sendComfortNoise: comfortNoise ? COMFORT_NOISE_PAYLOAD_TYPE : null,
      receiveAudioLevel: audioLevelId > 0 ? { id: audioLevelId, vad: true } : null,
    };
  }

  /** Sends what is due at `nowMs`. */
  run(nowMs: number): void {
    const { ptimeMs, codec, levelDb, clockPpm } = this.options;
    if (this.underWay.length > 0) this.arrive();
    for (; this.nextMs <= nowMs; this.nextMs += ptimeMs / (1 + clockPpm / 1e6)) {
      const rateHz = audioCodec(codec).sampleRateHz;
      const samples = (rateHz * ptimeMs) / 1000;
      if (this.packets !== null) {
        this.sendPayload(this.packets[this.packetsTaken++ % this.packets.length]!, rateHz);
        this.samplesMade += samples;
        continue;
      }
      const pcm = new Int16Array(samples);
      const amplitude = this.toneHz === 0 ? 0 : 32767 * 10 ** (levelDb / 20) * Math.SQRT2;
      for (let index = 0; index < samples; index++) {
        pcm[index] = Math.round(
          amplitude * Math.sin((2 * Math.PI * this.toneHz * (this.samplesMade + index)) / rateHz),
        );
        if (this.sound) pcm[index] = sampleOf(this.sound, this.samplesMade + index);
      }
      if (this.sending) this.sendAudio(pcm, samples, rateHz);
      this.samplesMade += samples;
    }
  }

  sendKey(event: number, timestamp: number, end: boolean, durationTicks: number): void {
    this.sendPacket(
      KEY_PAYLOAD_TYPE,
      timestamp,
      new Uint8Array([event, end ? 0x8a : 0x0a, durationTicks >> 8, durationTicks & 255]),
    );
  }

  /** A comfort noise packet (RFC 3389) in place of the audio that would be next. */
  sendComfortNoise(levelDb: number): void {
    const { sampleRateHz } = audioCodec(this.options.codec);
    this.sendPacket(COMFORT_NOISE_PAYLOAD_TYPE, this.timestampAt(sampleRateHz), Uint8Array.of(-levelDb));
  }

  /** All that it was sent from `fromMs` on, decoded. */
  heard(fromMs: number, untilMs = Number.POSITIVE_INFINITY): { pcm: Int16Array; rateHz: number } {
    const codec = audioCodec(this.options.codec);
    const decoder = codec.createDecoder();
    const pieces: number[] = [];
    const out = new Int16Array(5760);
    for (const { payload, payloadType, atMs } of this.sent) {
      if (payloadType === COMFORT_NOISE_PAYLOAD_TYPE) continue;
      const samples = decoder.decode(payload, out, 0);
      if (atMs >= fromMs && atMs < untilMs) for (let index = 0; index < samples; index++) pieces.push(out[index]!);
    }
    decoder.close();
    return { pcm: Int16Array.from(pieces), rateHz: codec.sampleRateHz };
  }

  levelDb(toneHz: number, fromMs: number, untilMs?: number): number {
    const { pcm, rateHz } = this.heard(fromMs, untilMs);
    return goertzelHannLevelDb(pcm, 0, pcm.length, toneHz, rateHz);
  }

  private sendAudio(pcm: Int16Array, samples: number, rateHz: number): void {
    const { codec } = this.options;
    const payload = new Uint8Array(1500);
    const length = this.encoder.encode(pcm, 0, samples, payload, 0);
    const timestamp = this.timestampAt(rateHz);
    const { audioLevelId } = this.options;
    const extension = audioLevelId > 0 ? levelExtension(audioLevelId, this.saysLevelDb(levelOf(pcm))) : NO_EXTENSION;
    this.sendPacket(PAYLOAD_TYPES[codec], timestamp, payload.subarray(0, length), extension);
  }

  private sendPayload(payload: Uint8Array, rateHz: number): void {
    const { codec } = this.options;
    if (this.sending) this.sendPacket(PAYLOAD_TYPES[codec], this.timestampAt(rateHz), payload);
  }

  private timestampAt(rateHz: number): number {
    return (4_294_960_000 + (this.samplesMade * audioCodec(this.options.codec).rtpClockRateHz) / rateHz) >>> 0;
  }

  private sendPacket(
    payloadType: number,
    timestamp: number,
    payload: Uint8Array,
    extension: Uint8Array = NO_EXTENSION,
  ): void {
    const packet = new Uint8Array(12 + extension.length + payload.length);
    writeRtpHeader(packet, payloadType, false, this.sequenceNumber, timestamp, this.ssrc);
    if (extension.length > 0) packet[0]! |= 0x10;
    packet.set(extension, 12);
    packet.set(payload, 12 + extension.length);
    const isLost = this.loses(this.sequenceNumber);
    this.sequenceNumber = (this.sequenceNumber + 1) & 0xffff;
    if (!isLost) this.underWay.push({ packet, atMs: this.now() + this.delays() });
    this.arrive();
  }

  private arrive(): void {
    const nowMs = this.now();
    for (const sent of this.underWay) if (sent.atMs <= nowMs) this.arrived.push(sent);
    this.underWay = this.underWay.filter(({ atMs }) => atMs > nowMs);
  }

  private takeArrived(): void {
    const { arrived } = this;
    this.arrived = [];
    this.readsMs.push(this.now());
    this.onRead();
    for (const { packet, atMs } of arrived) {
      this.leg.receivedRtp(packet, packet.length, this.address, this.port, atMs);
    }
  }

  private sockets(room: SimulatedRoom): MediaSockets {
    const taken = ({ bytes: slot }: PacketSlot, length: number): void => {
      const bytes = slot.subarray(0, length);
      if (!this.packet.parse(bytes, bytes.length)) throw new Error('the leg sent something that is not RTP');
      const { sequenceNumber, timestamp, marker, payloadType, ssrc, payloadOffset, payloadLength } = this.packet;
      const payload = bytes.slice(payloadOffset, payloadOffset + payloadLength);
      this.sent.push({ sequenceNumber, timestamp, marker, payloadType, ssrc, payload, atMs: room.nowMs });
    };
    return {
      rtpPort: 20000,
      rtcpPort: 20001,
      errors: 0,
      sendRtp: taken,
      sendRtcp: ({ bytes }: PacketSlot, length: number) => void this.rtcp.push(bytes.slice(0, length)),
      receiveRtp: () => this.takeArrived(),
      receiveRtcp: () => undefined,
      connectRtp: () => undefined,
      openRtp: () => undefined,
      close: () => undefined,
    } as unknown as MediaSockets;
  }
}

function sampleOf(sound: NonNullable<PhoneOptions['sound']>, sample: number): number {
  return typeof sound === 'function' ? sound(sample) : (sound[sample] ?? 0);
}

const NO_EXTENSION = new Uint8Array(0);

function levelOf(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return 10 * Math.log10(sum / pcm.length / 32768 ** 2 + 1e-13);
}

/** A header extension (RFC 8285) of one element: the level, with the V bit for what is above −50 dBov (RFC 6464). */
function levelExtension(id: number, levelDb: number): Uint8Array {
  const octet = Math.min(127, Math.max(0, Math.round(-levelDb))) | (levelDb > -50 ? 0x80 : 0);
  return id < 15
    ? Uint8Array.of(0xbe, 0xde, 0, 1, id << 4, octet, 0, 0)
    : Uint8Array.of(0x10, 0, 0, 1, id, 1, octet, 0);
}

/** A room with its clock in virtual time. */
export class SimulatedRoom {
  nowMs = 0;
  readonly events: MixerEvent[] = [];
  readonly counts = { encodes: 0, encodesUnshared: 0, decodes: 0 };
  readonly settings: MixerSettings;
  readonly room: Room;
  readonly buffers = new PacketBuffers(64);
  private readonly phones: SimulatedPhone[] = [];
  private readonly phaseMs: number;
  private ticks: number;
  private readonly clock: RoomClock | null;
  private clockDueMs = 0;

  /** @param clock when its ticks are, in the 20 ms, and the number of the first; or who says so */
  constructor(
    changed: Partial<MixerSettings> = {},
    clock: { phaseMs: number; firstTick: number } | RoomClock = { phaseMs: 7, firstTick: 0 },
  ) {
    this.settings = { ...settings, ...changed };
    const given = clock instanceof RoomClock;
    this.phaseMs = given ? -1 : clock.phaseMs;
    this.ticks = given ? 0 : clock.firstTick;
    this.room = new Room('demo', this.counts, this.settings);
    this.clock = given ? clock : null;
    this.clock?.add(this.room, this.nowMs);
  }

  join(id: string, options: PhoneOptions, control: Partial<LegControl> = {}): SimulatedPhone {
    const phone = new SimulatedPhone(this, id, options, { ...PLAIN_CONTROL, ...control });
    this.phones.push(phone);
    return phone;
  }

  /** A machine was too busy to do them. */
  skipTicks(count: number): void {
    this.ticks += count;
  }

  run(ms: number): void {
    const untilMs = this.nowMs + ms;
    while (this.nowMs < untilMs) {
      this.nowMs++;
      for (const phone of this.phones) phone.run(this.nowMs);
      if (this.clock !== null && this.nowMs >= this.clockDueMs) this.clockDueMs = this.clock.run(this.nowMs)!;
      if (this.nowMs % 20 === this.phaseMs) this.room.tick(this.nowMs, this.ticks++);
    }
  }
}
