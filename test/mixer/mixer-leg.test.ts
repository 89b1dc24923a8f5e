import { expect, it, vi } from 'vitest';
import type { AudioCodec, EncoderOptions } from '../../mixer/codec/codec.ts';
import { audioCodec } from '../../mixer/codec/registry.ts';
import { Mixer } from '../../mixer/mixer.ts';
import type { PacketSlot } from '../../mixer/net/packet-buffers.ts';
import type { PacketHandler } from '../../mixer/net/udp-socket.ts';
import type {
  AudioFormat,
  AudioMedia,
  FromMixer,
  LegControl,
  LegStatistics,
  MixerMethod,
  MixerParams,
  MixerResult,
  MixerSettings,
  SrtpSuite,
} from '../../mixer/protocol.ts';
import { emptyReportBlock, writeReceiverReport } from '../../mixer/rtp/rtcp-packet.ts';
import { readUint32, writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';
import { speech } from '../speech/speech.ts';
import { PLAIN_CONTROL } from './simulated-room.ts';

/** The sockets of the leg, and the encoders that were made. */
const world = vi.hoisted(() => ({
  rtp: null as PacketHandler | null,
  rtcp: null as PacketHandler | null,
  ssrc: 0,
  /** Of each pair of sockets. */
  socketErrors: 0,
  encoders: [] as EncoderOptions[],
}));

vi.mock('../../mixer/net/media-sockets.ts', () => ({
  MediaSockets: {
    open: async (_address: string, rtpPort: number, rtp: PacketHandler, rtcp: PacketHandler) => {
      Object.assign(world, { rtp, rtcp });
      const none = (): void => undefined;
      const sendRtp = ({ bytes }: PacketSlot): void => {
        world.ssrc = readUint32(bytes, 8);
      };
      return {
        ...{ rtpPort, rtcpPort: rtpPort + 1, errors: world.socketErrors, sendRtp, sendRtcp: none, receiveRtp: none },
        ...{ receiveRtcp: none, connectRtp: none, openRtp: none, close: none },
      };
    },
  },
}));

vi.mock('../../mixer/codec/registry.ts', async (original) => {
  const real = await original<{ audioCodec: (name: string) => AudioCodec }>();
  return {
    audioCodec: (name: string): AudioCodec => {
      const codec = real.audioCodec(name);
      const createEncoder = (options: EncoderOptions): ReturnType<AudioCodec['createEncoder']> => {
        world.encoders.push(options);
        return codec.createEncoder(options);
      };
      return { ...codec, createEncoder };
    },
  };
});

const settings: MixerSettings = {
  ...{ bindAddress: '127.0.0.1', rtpPortMin: 20000, rtpPortMax: 20099, portQuarantineMs: 0 },
  ...{ silenceTimeoutMs: 60_000, opusComplexity: 5, maxTalkers: 4, automaticGain: 'off', comfortNoiseDb: -65 },
};
const PCMU: AudioFormat = { codec: 'PCMU', payloadType: 0, clockRateHz: 8000, parameters: {} };
const OPUS: AudioFormat = { codec: 'opus', payloadType: 96, clockRateHz: 48000, parameters: { useinbandfec: '1' } };

/** A mixer in virtual time with one leg. */
class OneLeg {
  nowMs = 0;
  private readonly mixer: Mixer;
  private readonly replies = new Map<number, (message: FromMixer) => void>();
  private readonly format: AudioFormat;
  private readonly payloads: Uint8Array[];
  private sequence = 0;

  /** @param payloads what it sends, over and over; an empty one is lost */
  constructor(format: AudioFormat, payloads: Uint8Array[], load = 0) {
    this.format = format;
    this.payloads = payloads;
    this.mixer = new Mixer(settings, {
      send: (message) => {
        if (message.type === 'event' && message.event === 'packetFault') throw new Error(message.reason);
        if (message.type === 'reply' || message.type === 'error') this.replies.get(message.id)?.(message);
      },
      now: () => this.nowMs,
      wallClock: () => this.nowMs,
      machineNow: () => 1e6 + this.nowMs,
      utilization: () => load,
      wake: () => undefined,
    });
  }

  request<M extends MixerMethod>(method: M, params: MixerParams<M>): Promise<MixerResult<M>> {
    return new Promise((resolve, reject) => {
      const id = this.replies.size;
      this.replies.set(id, (message) => {
        if (message.type === 'reply') resolve(message.result as MixerResult<M>);
        else reject(message);
      });
      this.mixer.request(id, method, params);
    });
  }

  async open(changed: Partial<LegControl> = {}, described: Partial<AudioMedia> = {}): Promise<void> {
    const { format } = this;
    const media: AudioMedia = {
      ...{ remote: { address: '127.0.0.1', rtpPort: 4000, rtcpPort: 4001 }, rtcpMux: false, direction: 'sendrecv' },
      ...{ send: format, sendPtimeMs: 20, receive: [format], receiveTelephoneEvent: null },
      ...described,
    };
    await this.request('openRoom', { room: 'demo' });
    const control = { ...PLAIN_CONTROL, ...changed };
    await this.request('openLeg', { room: 'demo', leg: 'caller', cname: 'caller', control, media });
  }

  run(ms: number): void {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs; this.nowMs++) {
      this.mixer.run(this.nowMs);
      if (this.nowMs % 20 === 3) this.talk();
    }
  }

  /** The phone says that so much of what it was sent got lost, 0 to 1. */
  reportLoss(lossShare: number): void {
    const bytes = new Uint8Array(32);
    const block = { ...emptyReportBlock(), ssrc: world.ssrc, fractionLost: Math.round(lossShare * 256) };
    writeReceiverReport(bytes, 0, 1, block);
    world.rtcp!(bytes, bytes.length, '127.0.0.1', 4001, this.nowMs);
  }

  private talk(): void {
    const { payloadType, clockRateHz } = this.format;
    const payload = this.payloads[this.sequence++ % this.payloads.length]!;
    if (payload.length === 0) return;
    const packet = new Uint8Array(12 + payload.length);
    writeRtpHeader(packet, payloadType, false, this.sequence, (this.sequence * clockRateHz) / 50, 1);
    packet.set(payload, 12);
    world.rtp!(packet, packet.length, '127.0.0.1', 4000, this.nowMs);
  }
}

it('a leg that is closed says what it said before, how it was heard included', async () => {
  const loud = new Uint8Array(160).fill(0x55);
  const lost = new Uint8Array(0);
  const leg = new OneLeg(PCMU, [...new Array<Uint8Array>(18).fill(loud), lost, lost]);
  await leg.open();
  leg.run(2000);
  const before: LegStatistics = await leg.request('legStatistics', { leg: 'caller' });
  expect(before.concealedFrames).toBeGreaterThan(4);
  expect(before.bufferDelayMs).toBeGreaterThan(0);
  expect(before.quality!.bufferDelayMs).toBeGreaterThan(0);
  expect(before.quality!.received.gapMs + before.quality!.received.burstMs).toBeGreaterThan(0);
  expect(await leg.request('closeLeg', { leg: 'caller' })).toEqual(before);
});

it('one who hears a mix of their own is encoded for with little effort on a busy mixer, also when loss changes the encoder', async () => {
  const encoder = audioCodec('opus').createEncoder({
    ...{ complexity: 5, bitrateBps: 32_000, inbandFec: false, dtx: false, expectedLossPercent: 0 },
  });
  const pcm = speech('low', 48_000);
  const payloads = Array.from({ length: 50 }, (_, k) => {
    const out = new Uint8Array(1500);
    return out.subarray(0, encoder.encode(pcm, k * 960, 960, out, 0));
  });
  encoder.close();
  const leg = new OneLeg(OPUS, payloads, 0.3);
  // What they hear is nobody else's, as it is for talkers.
  await leg.open({ volumeDb: 3 });
  leg.run(5000);
  const before = world.encoders.length;
  leg.reportLoss(0.05);
  leg.run(200);
  const made = world.encoders.slice(before);
  expect(made.map(({ expectedLossPercent }) => expectedLossPercent)).toContain(10);
  expect(made.map(({ complexityLimit }) => complexityLimit?.complexity)).toContain(1);
});

it('two requests with one id open one leg; the other is refused, and holds no ports', async () => {
  const leg = new OneLeg(PCMU, []);
  await leg.request('openRoom', { room: 'demo' });
  const open = () => leg.request('openLeg', { room: 'demo', leg: 'caller', cname: 'caller', control: PLAIN_CONTROL });
  const outcomes = await Promise.allSettled([open(), open()]);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  expect(outcomes[1]).toMatchObject({ reason: { code: 'already-exists' } });
  expect(await leg.request('statistics', {})).toMatchObject({ legs: 1, portsInUse: 2 });
  await leg.request('closeLeg', { leg: 'caller' });
  expect(await leg.request('statistics', {})).toMatchObject({ legs: 0, portsInUse: 0 });
  await open();
});

it('a leg whose media cannot be had is not left behind', async () => {
  const leg = new OneLeg(PCMU, []);
  const crypto = { suite: 'none' as SrtpSuite, sendKey: '', receiveKey: '', receiveMki: null };
  await expect(leg.open({}, { crypto })).rejects.toMatchObject({ type: 'error' });
  expect(await leg.request('statistics', {})).toMatchObject({ rooms: 1, legs: 0, portsInUse: 0 });
});

it('what the sockets could not send is counted, also of legs that are gone', async () => {
  world.socketErrors = 3;
  const leg = new OneLeg(PCMU, []);
  await leg.open();
  expect(await leg.request('statistics', {})).toMatchObject({ legs: 1, socketErrors: 3 });
  await leg.request('closeLeg', { leg: 'caller' });
  expect(await leg.request('statistics', {})).toMatchObject({ legs: 0, socketErrors: 3 });
  world.socketErrors = 0;
});
