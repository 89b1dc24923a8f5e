import { describe, expect, it } from 'vitest';
import type { AudioEncoder } from '../../mixer/codec/codec.ts';
import { audioCodec } from '../../mixer/codec/registry.ts';
import { LegReceiver } from '../../mixer/leg-receiver.ts';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { RTP_HEADER_LENGTH, RtpPacket, writeRtpHeader } from '../../mixer/rtp/rtp-packet.ts';
import { levelDb } from '../audio/signals.ts';
import { SimulatedRoom } from './simulated-room.ts';

const TYPES = { PCMU: 0, G722: 9, opus: 96 } as const;

/** A tone as packets of changing length and codec, one after the other, into a leg; 20 ms of sound a tick. */
function receive(parts: readonly { codec: keyof typeof TYPES; ptimeMs: number; seconds: number }[]) {
  const receiver = new LegReceiver({ decodes: 0 });
  receiver.configure(
    (Object.keys(TYPES) as (keyof typeof TYPES)[]).map((codec) => {
      return { codec, payloadType: TYPES[codec], clockRateHz: audioCodec(codec).rtpClockRateHz, parameters: {} };
    }),
  );
  const due: { atMs: number; packet: RtpPacket }[] = [];
  let atMs = 0;
  let sequence = 65_000;
  const options = { complexity: 0, bitrateBps: 32_000, inbandFec: false, dtx: false, expectedLossPercent: 0 };
  const encoders = new Map<AudioCodecName, AudioEncoder>();
  for (const { codec, ptimeMs, seconds } of parts) {
    const { rtpClockRateHz, sampleRateHz, createEncoder } = audioCodec(codec);
    const encoder = encoders.get(codec) ?? createEncoder(options);
    encoders.set(codec, encoder);
    const samples = (sampleRateHz * ptimeMs) / 1000;
    for (const endMs = atMs + 1000 * seconds; atMs < endMs; atMs += ptimeMs) {
      const pcm = Int16Array.from({ length: samples }, (_, i) => {
        return 8000 * Math.sin(2 * Math.PI * 440 * (atMs / 1000 + i / sampleRateHz));
      });
      const bytes = new Uint8Array(1500);
      const length = encoder.encode(pcm, 0, samples, bytes, RTP_HEADER_LENGTH);
      const timestamp = Math.round((atMs * rtpClockRateHz) / 1000) >>> 0;
      writeRtpHeader(bytes, TYPES[codec], false, sequence++ & 0xffff, timestamp, 1);
      const packet = new RtpPacket();
      packet.parse(bytes, RTP_HEADER_LENGTH + length);
      // Sent when its last sample was there.
      due.push({ atMs: atMs + ptimeMs, packet });
    }
  }
  for (const encoder of encoders.values()) encoder.close();
  const levels: number[] = [];
  const delaysMs: number[] = [];
  for (let nowMs = 7, next = 0; nowMs < atMs; nowMs += 20) {
    for (; next < due.length && due[next]!.atMs <= nowMs; next++) {
      receiver.put(due[next]!.packet, due[next]!.atMs);
    }
    receiver.pull(nowMs, 'everything');
    levels.push(levelDb(receiver.frame));
    delaysMs.push(receiver.delayMs);
  }
  const concealedMs = ((receiver.counters?.concealedTicks ?? 0) * 1000) / receiver.clockRateHz;
  receiver.close();
  // Ticks in which the tone is 3 dB down or more, after the first second.
  return { missing: levels.slice(50).filter((level) => level < -18.2).length, delaysMs, concealedMs };
}

describe('in the middle of a stream', () => {
  it.each(['PCMU', 'G722', 'opus'] as const)(
    'the length of %s packets may change without a gap in the tone',
    (codec) => {
      // To 10 ms and back, libopus changes its mode too, and has a gap of its own.
      const lengths = (codec === 'opus' ? [20, 60, 20, 40, 20] : [20, 60, 10, 40, 20]).map((ptimeMs) => ({
        codec,
        ptimeMs,
        seconds: 6,
      }));
      const { missing, delaysMs, concealedMs } = receive(lengths);
      // Of the concealment; Opus takes a packet more to find its level again.
      expect(missing).toBeLessThanOrEqual(codec === 'opus' ? 7 : 4);
      // Only longer packets, which come later, make a gap: of as much as they are longer.
      expect(concealedMs).toBeLessThanOrEqual(80);
      expect(Math.max(...delaysMs.slice(250))).toBeLessThan(110);
      expect(delaysMs.at(-1)).toBeLessThan(45);
    },
  );

  it('the codec may change, and its rate', () => {
    const parts = (['PCMU', 'G722', 'PCMU'] as const).map((codec) => ({ codec, ptimeMs: 20, seconds: 3 }));
    const { missing, concealedMs } = receive(parts);
    expect(missing).toBeLessThanOrEqual(4);
    expect(concealedMs).toBe(0);
  });
});

describe('a phone', () => {
  it('that changes its SSRC is heard again after two packets, at the delay of before', () => {
    const room = new SimulatedRoom();
    const phone = room.join('phone', { codec: 'PCMU', toneHz: 500 });
    const listener = room.join('listener', { codec: 'L16/8000' });
    room.run(2000);
    const before = phone.leg.statistics().bufferDelayMs;
    phone.ssrc++;
    room.run(1000);
    const { pcm } = listener.heard(2000);
    let missing = 0;
    for (let at = 0; at + 160 <= pcm.length; at += 160) if (levelDb(pcm, at, at + 160) < -23) missing++;
    expect(missing).toBeLessThanOrEqual(4);
    expect(Math.abs(phone.leg.statistics().bufferDelayMs - before)).toBeLessThan(5);
  });

  it('that changes its SSRC is understood when it presses a key, wherever its timestamps begin', () => {
    const room = new SimulatedRoom();
    const phone = room.join('phone', { codec: 'PCMU', toneHz: 500 });
    const press = (event: number, timestamp: number): void => {
      for (let packet = 0; packet < 3; packet++) phone.sendKey(event, timestamp, true, 800);
      room.run(200);
    };
    room.run(500);
    press(1, 50_000);
    phone.ssrc++;
    room.run(500);
    // As of somebody in between who hands on the streams of two phones in turn.
    press(2, 50_000);
    phone.ssrc++;
    room.run(500);
    press(3, 42_000);
    expect(room.events.flatMap((event) => (event.event === 'legKey' ? [event.key] : []))).toEqual(['1', '2', '3']);
  });

  it('of G.722 is sent 160 steps of the clock for 320 samples (RFC 3551 §4.5.2)', () => {
    const room = new SimulatedRoom();
    const phone = room.join('phone', { codec: 'G722' });
    room.run(500);
    const { sent } = phone;
    for (let i = 1; i < sent.length; i++) expect((sent[i]!.timestamp - sent[i - 1]!.timestamp) >>> 0).toBe(160);
    expect(sent.at(-1)!.payload).toHaveLength(160);
    expect(audioCodec('G722').createDecoder().samplesIn(sent.at(-1)!.payload)).toBe(320);
  });
});
