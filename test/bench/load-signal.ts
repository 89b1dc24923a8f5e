import OpusScript from 'opusscript';
import { audioCodec } from '../../mixer/codec/registry.ts';
import { encodeG711 } from '../e2e/clients/g711-reference.ts';
import { seededRandom } from '../e2e/clients/lossy-relay.ts';

/** What the callers of the load generator send, encoded before the run. */

export type LoadCodec = 'PCMU' | 'G722' | 'opus';

export const PTIME_MS = 20;
/** Length of the loop that a talker sends. */
const LOOP_PACKETS = 150;
/** A talker sends a marker every so many packets; the talkers take turns. */
const MARKER_PERIOD_PACKETS = 15;
/** By seat; above all that the speech holds, and 500 Hz from each other. */
export const MARKER_FREQUENCIES_HZ = [2_200, 2_700, 3_200] as const;
/** So many talkers of a room send markers. */
export const MARKED_TALKERS = MARKER_FREQUENCIES_HZ.length;
/** Different voices of those who talk without markers. */
const OTHER_VOICES = 4;

const MARKER_AMPLITUDE = 0.35;
const SPEECH_AMPLITUDE = 0.1;
/** Where more talk than can be heard, those with markers are to be among the loudest. */
const OTHER_SPEECH_AMPLITUDE = 0.04;
const ROOM_NOISE_AMPLITUDE = 0.0003;

export interface CodecShape {
  sampleRateHz: number;
  payloadType: number;
  /** RTP clock steps in a packet. */
  timestampStep: number;
  rtpmap: string;
  fmtp: string | null;
}

export const CODEC_SHAPES: Record<LoadCodec, CodecShape> = {
  PCMU: { sampleRateHz: 8_000, payloadType: 0, timestampStep: 160, rtpmap: 'PCMU/8000', fmtp: null },
  // Its RTP clock is 8000 Hz all the same (RFC 3551 §4.5.2).
  G722: { sampleRateHz: 16_000, payloadType: 9, timestampStep: 160, rtpmap: 'G722/8000', fmtp: null },
  opus: {
    sampleRateHz: 48_000,
    payloadType: 96,
    timestampStep: 960,
    rtpmap: 'opus/48000/2',
    fmtp: 'useinbandfec=0;stereo=0',
  },
};

export interface PayloadLoop {
  payloads: Buffer[];
  /** Which of them hold a marker. */
  marked: boolean[];
}

/** What the callers of one run send: each loop is made once, however many send it. */
export class PayloadLoops {
  readonly #loops = new Map<string, PayloadLoop>();

  /** Of the caller in this seat. */
  of(codec: LoadCodec, seat: number, talks: boolean): PayloadLoop {
    if (!talks) return this.#once(`${codec} listens`, () => listenerLoop(codec));
    if (seat < MARKED_TALKERS) return this.#once(`${codec} marked ${seat}`, () => talkerLoop(codec, seat));
    const voice = MARKED_TALKERS + (seat % OTHER_VOICES);
    return this.#once(`${codec} voice ${voice}`, () => unmarkedLoop(codec, voice));
  }

  #once(key: string, make: () => PayloadLoop): PayloadLoop {
    const made = this.#loops.get(key) ?? make();
    this.#loops.set(key, made);
    return made;
  }
}

/** A voice with markers. */
export function talkerLoop(codec: LoadCodec, seat: number): PayloadLoop {
  const samples = voice(codec, seat, SPEECH_AMPLITUDE);
  const packetSamples = samplesPerPacket(codec);
  const marked: boolean[] = [];
  for (let packet = 0; packet < LOOP_PACKETS; packet++) {
    const turn = packet % MARKER_PERIOD_PACKETS === 5 * seat;
    marked.push(turn);
    if (turn) addMarker(samples, packet * packetSamples, packetSamples, seat, CODEC_SHAPES[codec].sampleRateHz);
  }
  return { payloads: encodeLoop(codec, samples), marked };
}

function unmarkedLoop(codec: LoadCodec, number: number): PayloadLoop {
  return { payloads: encodeLoop(codec, voice(codec, number, OTHER_SPEECH_AMPLITUDE)), marked: unmarked() };
}

/** Harmonics up to 1200 Hz with syllables of 4 Hz that never quite stop. */
function voice(codec: LoadCodec, number: number, amplitude: number): Float32Array {
  const { sampleRateHz } = CODEC_SHAPES[codec];
  const samples = new Float32Array(LOOP_PACKETS * samplesPerPacket(codec));
  const pitchHz = 100 + 20 * number;
  for (let index = 0; index < samples.length; index++) {
    const time = index / sampleRateHz;
    const syllable = 0.6 + 0.4 * Math.sin(2 * Math.PI * (4 + number / 3) * time);
    let sum = 0;
    for (let harmonic = 1; harmonic * pitchHz <= 1_200; harmonic++) {
      sum += Math.sin(2 * Math.PI * pitchHz * harmonic * time) / Math.sqrt(harmonic);
    }
    samples[index] = (amplitude * syllable * sum) / 3;
  }
  return samples;
}

/** A burst that fills exactly one packet, swelling and fading, so that its middle is the packet's middle. */
function addMarker(samples: Float32Array, start: number, length: number, seat: number, sampleRateHz: number): void {
  for (let index = 0; index < length; index++) {
    const envelope = 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 0.5)) / length);
    const phase = (2 * Math.PI * MARKER_FREQUENCIES_HZ[seat]! * index) / sampleRateHz;
    samples[start + index] = samples[start + index]! + MARKER_AMPLITUDE * envelope * Math.sin(phase);
  }
}

/** A quiet room with nobody speaking. */
function listenerLoop(codec: LoadCodec): PayloadLoop {
  const samples = new Float32Array(LOOP_PACKETS * samplesPerPacket(codec));
  const random = seededRandom(1);
  for (let index = 0; index < samples.length; index++) samples[index] = (random() - 0.5) * 2 * ROOM_NOISE_AMPLITUDE;
  return { payloads: encodeLoop(codec, samples), marked: unmarked() };
}

const unmarked = (): boolean[] => new Array<boolean>(LOOP_PACKETS).fill(false);

export const samplesPerPacket = (codec: LoadCodec): number => (CODEC_SHAPES[codec].sampleRateHz * PTIME_MS) / 1_000;

/** What the second time round gives, so that the loop's end and its beginning fit each other: else there is a click. */
export function encodeLoop(codec: LoadCodec, samples: Float32Array, what: 'speech' | 'music' = 'speech'): Buffer[] {
  const encoder = packetEncoder(codec, what);
  const payloads: Buffer[] = [];
  const step = samplesPerPacket(codec);
  for (let start = 0; start < 2 * samples.length; start += step) {
    const at = start % samples.length;
    const payload = encoder.encode(samples.subarray(at, at + step));
    if (start >= samples.length) payloads.push(payload);
  }
  encoder.close();
  return payloads;
}

/** For Opus libopus itself, as phones have it; G.722 is the mixer's own, whose tests hold it to a reference bit by bit. */
function packetEncoder(
  codec: LoadCodec,
  what: 'speech' | 'music',
): { encode(packet: Float32Array): Buffer; close(): void } {
  if (codec === 'PCMU') return { encode: (packet) => encodeG711('PCMU', packet), close: () => {} };
  if (codec === 'opus') {
    const { VOIP, RESTRICTED_LOWDELAY } = OpusScript.Application;
    // For tones, only CELT: SILK takes them for noise now and then.
    const encoder = new OpusScript(48_000, 1, what === 'speech' ? VOIP : RESTRICTED_LOWDELAY);
    encoder.setBitrate(what === 'speech' ? 32_000 : 64_000);
    return {
      encode: (packet) => Buffer.from(encoder.encode(Buffer.from(pcm16(packet).buffer), packet.length)),
      close: () => encoder.delete(),
    };
  }
  const encoder = audioCodec(codec).createEncoder({
    complexity: 0,
    bitrateBps: 64_000,
    inbandFec: false,
    dtx: false,
    expectedLossPercent: 0,
  });
  return {
    encode: (packet) => {
      const payload = Buffer.alloc(packet.length);
      return payload.subarray(0, encoder.encode(pcm16(packet), 0, packet.length, payload, 0));
    },
    close: () => encoder.close(),
  };
}

function pcm16(samples: Float32Array): Int16Array<ArrayBuffer> {
  return Int16Array.from(samples, (sample) => Math.round(Math.max(-1, Math.min(1, sample)) * 32_767));
}
