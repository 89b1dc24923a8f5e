import { expect, it, vi } from 'vitest';
import type { AudioCodec, EncoderOptions } from '../../mixer/codec/codec.ts';
import { audioCodec } from '../../mixer/codec/registry.ts';
import { Mixer } from '../../mixer/mixer.ts';
import type { PacketSlot } from '../../mixer/net/packet-buffers.ts';
import type { PacketHandler } from '../../mixer/net/udp-socket.ts';
import type { AudioMedia, FromMixer, MixerMethod, MixerParams, MixerSettings } from '../../mixer/protocol.ts';
import { RtpPacket, writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';
import { mayLoad } from '../../server/focus/admission.ts';
import { goertzelHannLevelDb } from '../audio/goertzel.ts';

/** What a leg of the mixer under test sends and gets, in place of its sockets. */
interface Wire {
  deliver: PacketHandler;
  sent: { timestamp: number; payload: Uint8Array; atMs: number }[];
}

const world = vi.hoisted(() => ({ nowMs: 0, workMs: 0, wires: [] as Wire[] }));

vi.mock('../../mixer/net/media-sockets.ts', () => ({
  MediaSockets: {
    open: async (_address: string, rtpPort: number, rtp: PacketHandler) => {
      const wire: Wire = { deliver: rtp, sent: [] };
      world.wires.push(wire);
      const none = (): void => undefined;
      const sendRtp = ({ bytes }: PacketSlot, length: number): void => {
        const packet = new RtpPacket();
        packet.parse(bytes, length);
        const { timestamp, payloadOffset } = packet;
        wire.sent.push({ timestamp, payload: bytes.slice(payloadOffset, length), atMs: world.nowMs + world.workMs });
      };
      return {
        ...{ rtpPort, rtcpPort: rtpPort + 1, errors: 0, sendRtp, sendRtcp: none, receiveRtp: none },
        ...{ receiveRtcp: none, connectRtp: none, openRtp: none, close: none },
      };
    },
  },
}));

/** A machine twenty times slower than one on which an Opus frame takes 0.12 ms at complexity 0 and 0.23 ms at 5. */
function encodeMs({ complexity, complexityLimit }: EncoderOptions): number {
  return 20 * (0.12 + 0.022 * Math.min(complexity, complexityLimit?.complexity ?? complexity));
}

vi.mock('../../mixer/codec/registry.ts', async (original) => {
  const real = await original<{ audioCodec: (name: string) => AudioCodec }>();
  return {
    audioCodec: (name: string): AudioCodec => {
      const codec = real.audioCodec(name);
      const createEncoder = (options: EncoderOptions): ReturnType<AudioCodec['createEncoder']> => {
        const encoder = codec.createEncoder(options);
        const encode = encoder.encode.bind(encoder);
        encoder.encode = (...frame) => {
          world.workMs += encodeMs(options);
          return encode(...frame);
        };
        return encoder;
      };
      return { ...codec, createEncoder };
    },
  };
});

const MAX_LOAD = 0.7;
const settings: MixerSettings = {
  ...{ bindAddress: '127.0.0.1', rtpPortMin: 20000, rtpPortMax: 20999, portQuarantineMs: 0 },
  ...{ silenceTimeoutMs: 60_000, opusComplexity: 5, maxTalkers: 100, automaticGain: 'off', comfortNoiseDb: -65 },
};

class BusyMachine {
  load = 0;
  private readonly mixer: Mixer;
  private readonly replies = new Map<number, (message: FromMixer) => void>();
  private lastId = 0;
  private busyMs = 0;
  private measuredMs = 0;
  private nextPacketMs = 3;
  private readonly tones: { packets: Uint8Array[]; next: number }[] = [];

  constructor() {
    this.mixer = new Mixer(settings, {
      send: (message) => {
        if (message.type === 'event' && message.event === 'load') this.load = message.load;
        if (message.type === 'reply' || message.type === 'error') this.replies.get(message.id)?.(message);
      },
      now: () => world.nowMs + world.workMs,
      wallClock: () => 1.7e12 + world.nowMs,
      machineNow: () => 1e6 + world.nowMs + world.workMs,
      utilization: () => this.utilization(),
      wake: () => undefined,
    });
  }

  async request<M extends MixerMethod>(method: M, params: MixerParams<M>): Promise<FromMixer> {
    const id = ++this.lastId;
    return await new Promise((resolve) => {
      this.replies.set(id, resolve);
      this.mixer.request(id, method, params);
    });
  }

  /** One more who calls and talks without a pause. */
  async join(toneHz: number): Promise<void> {
    const format = { codec: 'opus', payloadType: 96, clockRateHz: 48000, parameters: {} } as const;
    const media: AudioMedia = {
      ...{ remote: { address: '127.0.0.1', rtpPort: 4000, rtcpPort: 4001 }, rtcpMux: false, direction: 'sendrecv' },
      ...{ send: format, sendPtimeMs: 20, receive: [{ ...format }] },
      receiveTelephoneEvent: { payloadType: 101, clockRateHz: 48000 },
    };
    const control = { muted: false, deaf: false, gainDb: 0, volumeDb: 0, apart: false, speaksTo: null, recorded: true };
    const leg = `leg${this.tones.length}`;
    const opened = await this.request('openLeg', { room: 'demo', leg, cname: leg, control, media });
    expect(opened.type).toBe('reply');
    this.tones.push({ packets: tone(toneHz), next: 0 });
  }

  run(ms: number): void {
    for (const untilMs = world.nowMs + ms; world.nowMs < untilMs; world.nowMs++) {
      for (; this.nextPacketMs <= world.nowMs; this.nextPacketMs += 20) this.talk();
      this.mixer.run(world.nowMs);
      this.busyMs += world.workMs;
      // What was computed took its time.
      world.nowMs += Math.floor(world.workMs);
      world.workMs = 0;
    }
  }

  private talk(): void {
    for (const [index, { packets, next }] of this.tones.entries()) {
      const packet = packets[next % packets.length]!.slice();
      writeRtpHeader(packet, 96, false, next & 0xffff, (next * 960) >>> 0, index + 1);
      world.wires[index]!.deliver(packet, packet.length, '127.0.0.1', 4000, this.nextPacketMs);
      this.tones[index]!.next++;
    }
  }

  private utilization(): number {
    const share = this.busyMs / (world.nowMs - this.measuredMs);
    this.busyMs = 0;
    this.measuredMs = world.nowMs;
    return share;
  }
}

/** A second of a tone, over and over, as packets with room for their headers. */
function tone(toneHz: number): Uint8Array[] {
  const options = { complexity: 0, bitrateBps: 32_000, inbandFec: false, dtx: false, expectedLossPercent: 0 };
  const encoder = audioCodec('opus').createEncoder(options);
  const pcm = Int16Array.from({ length: 960 }, () => 0);
  const packets: Uint8Array[] = [];
  for (let start = 0; start < 48_000; start += 960) {
    for (let i = 0; i < 960; i++) pcm[i] = 1000 * Math.sin((2 * Math.PI * toneHz * (start + i)) / 48_000);
    const packet = new Uint8Array(1500);
    packets.push(packet.subarray(0, 12 + encoder.encode(pcm, 0, 960, packet, 12)));
  }
  encoder.close();
  world.workMs = 0;
  return packets;
}

function levelDbOf(wire: Wire, toneHz: number, fromMs: number, untilMs = Number.POSITIVE_INFINITY): number {
  const decoder = audioCodec('opus').createDecoder();
  const out = new Int16Array(5760);
  const heard: number[] = [];
  for (const { payload, atMs } of wire.sent) {
    const samples = decoder.decode(payload, out, 0);
    if (atMs >= fromMs && atMs < untilMs) heard.push(...out.subarray(0, samples));
  }
  decoder.close();
  return goertzelHannLevelDb(Int16Array.from(heard), 0, heard.length, toneHz, 48_000);
}

it('a mixer that fills up encodes with less effort first, then gets no more calls, and those it has stay clean', {
  timeout: 90_000,
}, async () => {
  const machine = new BusyMachine();
  await machine.request('openRoom', { room: 'demo' });
  const complexities: number[] = [];
  let calls = 0;
  let refusal = null;
  while (refusal === null && calls < 30) {
    await machine.join(300 + 100 * calls++);
    machine.run(2000);
    const reply = await machine.request('statistics', {});
    complexities.push(reply.type === 'reply' && 'opusComplexity' in reply.result ? reply.result.opusComplexity : -1);
    refusal = mayLoad(machine.load, MAX_LOAD);
  }
  expect(refusal).toMatchObject({ status: 503, headers: [['Retry-After', expect.stringMatching(/^[1-9]\d*$/)]] });
  expect(complexities[0]).toBe(5);
  expect(complexities.at(-1)).toBe(0);
  // With the effort of the beginning it would have been full at four.
  expect(calls).toBeGreaterThan(5);

  const fullMs = world.nowMs;
  machine.run(10_000);
  expect(machine.load).toBeGreaterThan(0.6);
  expect(machine.load).toBeLessThan(0.95);
  for (const { sent } of world.wires) {
    const late = sent.filter(({ atMs }) => atMs >= fullMs);
    expect(late.length).toBeGreaterThan(498);
    for (let i = 1; i < late.length; i++) {
      expect((late[i]!.timestamp - late[i - 1]!.timestamp) >>> 0).toBe(960);
      expect(late[i]!.atMs - late[i - 1]!.atMs).toBeLessThan(40);
    }
  }
  // 1000 of 32768 as a sine is −33.3 dBov, of which two codings at the least effort leave a little less; all the time.
  const listener = world.wires[4]!;
  for (const toneHz of [300, 400, 500, 600]) {
    const before = levelDbOf(listener, toneHz, fullMs - 2000, fullMs);
    expect(before).toBeGreaterThan(-37);
    for (let fromMs = fullMs; fromMs < fullMs + 9000; fromMs += 1000) {
      expect(Math.abs(levelDbOf(listener, toneHz, fromMs, fromMs + 1000) - before), `${toneHz} Hz`).toBeLessThan(2.5);
    }
  }
  // Their own.
  expect(levelDbOf(listener, 700, fullMs)).toBeLessThan(-60);
});
