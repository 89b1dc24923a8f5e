import { describe, expect, it } from 'vitest';
import type { AudioDecoder } from '../../mixer/codec/codec.ts';
import { createOpusEncoder } from '../../mixer/codec/opus.ts';
import { createOpusDecoder } from '../../mixer/codec/opus-decoder.ts';
import { opusPacketSaysSilence } from '../../mixer/codec/opus-packet.ts';
import { UndecodedPackets } from '../../mixer/undecoded-packets.ts';
import { speech } from '../speech/speech.ts';
import { SimulatedRoom } from './simulated-room.ts';

const FRAME = 960;
const options = { complexity: 5, bitrateBps: 24_000, inbandFec: true, dtx: false, expectedLossPercent: 5 };

function levelDb(pcm: Int16Array): number {
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  return 10 * Math.log10(sum / pcm.length / 32768 ** 2 + 1e-13);
}

/** Speech with a second of silence before and after, as Opus packets. */
function packets(voice: 'low' | 'high'): Uint8Array[] {
  const encoder = createOpusEncoder(48000, options);
  const spoken = speech(voice, 48000);
  const made: Uint8Array[] = [];
  const payload = new Uint8Array(1500);
  const frame = new Int16Array(FRAME);
  for (let start = -48 * FRAME; start + FRAME <= spoken.length + 48 * FRAME; start += FRAME) {
    for (let index = 0; index < FRAME; index++) frame[index] = spoken[start + index] ?? 0;
    made.push(payload.slice(0, encoder.encode(frame, 0, FRAME, payload, 0)));
  }
  encoder.close();
  return made;
}

function decode(decoder: AudioDecoder, payload: Uint8Array): Int16Array {
  const pcm = new Int16Array(FRAME);
  decoder.decode(payload, pcm, 0);
  return pcm;
}

describe('the voice flag of an Opus packet (RFC 6716 §4.2.3)', () => {
  it.each(['low', 'high'] as const)('agrees with the level of the frame, nearly always (%s voice)', (voice) => {
    const decoder = createOpusDecoder(48000);
    let wrong = 0;
    let silent = 0;
    const all = packets(voice);
    for (const payload of all) {
      const said = opusPacketSaysSilence(payload);
      if (said) silent++;
      // What is loud must not be called silence; that silence is decoded for nothing does not matter as much.
      if (said && levelDb(decode(decoder, payload)) > -40) wrong++;
      else if (!said) decode(decoder, payload);
    }
    decoder.close();
    expect(silent).toBeGreaterThan(80);
    expect(wrong / all.length).toBeLessThan(0.03);
  });

  it('is found in packets of 10, 20, 40 and 60 ms and of two frames', () => {
    // TOC: configuration << 3 | stereo << 2 | code; SILK wide band 10, 20, 40 and 60 ms are 8 to 11.
    const packet = (configuration: number, code: number, ...octets: number[]) =>
      Uint8Array.of((configuration << 3) | code, ...octets);
    expect(opusPacketSaysSilence(packet(8, 0, 0x7f, 1, 2))).toBe(true);
    expect(opusPacketSaysSilence(packet(8, 0, 0x80, 1, 2))).toBe(false);
    expect(opusPacketSaysSilence(packet(9, 0, 0x7f, 1, 2))).toBe(true);
    expect(opusPacketSaysSilence(packet(10, 0, 0x40, 1, 2))).toBe(false);
    expect(opusPacketSaysSilence(packet(10, 0, 0x3f, 1, 2))).toBe(true);
    expect(opusPacketSaysSilence(packet(11, 0, 0x20, 1, 2))).toBe(false);
    expect(opusPacketSaysSilence(packet(11, 0, 0x1f, 1, 2))).toBe(true);
    expect(opusPacketSaysSilence(packet(9, 1, 0x00, 1, 0x80, 2))).toBe(false);
    expect(opusPacketSaysSilence(packet(9, 1, 0x00, 1, 0x00, 2))).toBe(true);
  });

  it('is not looked for where there is none: CELT, and frames of unknown place', () => {
    expect(opusPacketSaysSilence(Uint8Array.of(0xf8, 0, 0, 0))).toBe(false);
    expect(opusPacketSaysSilence(Uint8Array.of((9 << 3) | 2, 2, 0, 0, 0))).toBe(false);
    expect(opusPacketSaysSilence(Uint8Array.of((9 << 3) | 3, 2, 0, 0, 0))).toBe(false);
  });

  it('is silence when there is nothing in the packet (DTX)', () => {
    expect(opusPacketSaysSilence(Uint8Array.of(9 << 3))).toBe(true);
  });
});

describe('packets that were not decoded', () => {
  it.each(['low', 'high'] as const)(
    'leave the first syllable intact: within 1 dB of one who heard all (%s voice)',
    (voice) => {
      const attentive = createOpusDecoder(48000);
      const resting = createOpusDecoder(48000);
      const undecoded = new UndecodedPackets();
      let begun = false;
      let compared = 0;
      for (const payload of packets(voice)) {
        const reference = decode(attentive, payload);
        if (!begun && opusPacketSaysSilence(payload)) {
          undecoded.add(payload, resting.historyPackets);
          expect(levelDb(reference)).toBeLessThan(-40);
          continue;
        }
        if (!begun) undecoded.decode(resting, new Int16Array(FRAME), 0);
        begun = true;
        const heard = decode(resting, payload);
        if (levelDb(reference) > -45) {
          expect(Math.abs(levelDb(heard) - levelDb(reference))).toBeLessThan(1);
          if (++compared === 25) break;
        }
      }
      expect(compared).toBe(25);
      attentive.close();
      resting.close();
    },
  );
});

describe('a room of Opus callers', () => {
  it('decodes those who talk, and of the silent ones a packet in some seconds', () => {
    const room = new SimulatedRoom();
    room.join('talker', { codec: 'opus', toneHz: 500 });
    for (let index = 0; index < 10; index++) room.join(`silent${index}`, { codec: 'opus' });
    room.run(1000);
    const before = room.counts.decodes;
    room.run(5000);
    const decodes = room.counts.decodes - before;
    // 250 of the talker; of each silent one 2 or 3 to check, each with 4 of history.
    expect(decodes).toBeLessThan(250 + 10 * 3 * 6);
    expect(decodes).toBeGreaterThan(249);
  });

  it('hears one who begins after a long silence', () => {
    const room = new SimulatedRoom();
    const late = room.join('late', { codec: 'opus' });
    const other = room.join('other', { codec: 'PCMU' });
    room.run(3000);
    late.toneHz = 700;
    room.run(1000);
    expect(Math.abs(other.levelDb(700, 3200) + 20)).toBeLessThan(1.5);
  });
});
