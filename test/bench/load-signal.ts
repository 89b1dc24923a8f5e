import OpusScript from 'opusscript';
import { encodeG711 } from '../e2e/clients/g711-reference.ts';
import { seededRandom } from '../e2e/clients/lossy-relay.ts';

/** What the callers of the load generator send, encoded before the run. */

export type LoadCodec = 'PCMU' | 'opus';

export const PTIME_MS = 20;
/** Length of the loop that a talker sends. */
const LOOP_PACKETS = 150;
/** A talker sends a marker every so many packets; the talkers take turns. */
const MARKER_PERIOD_PACKETS = 15;
/** Above all that the speech holds, and 500 Hz from each other. */
export const MARKER_FREQUENCIES_HZ = [2_200, 2_700, 3_200] as const;
export const MAX_TALKERS = MARKER_FREQUENCIES_HZ.length;

const MARKER_AMPLITUDE = 0.35;
const SPEECH_AMPLITUDE = 0.1;
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

/** Harmonics of a voice up to 1200 Hz with syllables of 4 Hz that never quite stop, and markers. */
export function talkerLoop(codec: LoadCodec, talker: number): PayloadLoop {
  const { sampleRateHz } = CODEC_SHAPES[codec];
  const packetSamples = (sampleRateHz * PTIME_MS) / 1_000;
  const samples = new Float32Array(LOOP_PACKETS * packetSamples);
  const pitchHz = 100 + 20 * talker;
  for (let index = 0; index < samples.length; index++) {
    const time = index / sampleRateHz;
    const syllable = 0.6 + 0.4 * Math.sin(2 * Math.PI * (4 + talker / 3) * time);
    let voice = 0;
    for (let harmonic = 1; harmonic * pitchHz <= 1_200; harmonic++) {
      voice += Math.sin(2 * Math.PI * pitchHz * harmonic * time) / Math.sqrt(harmonic);
    }
    samples[index] = (SPEECH_AMPLITUDE * syllable * voice) / 3;
  }
  const marked: boolean[] = [];
  for (let packet = 0; packet < LOOP_PACKETS; packet++) {
    const turn = packet % MARKER_PERIOD_PACKETS === 5 * talker;
    marked.push(turn);
    if (turn) addMarker(samples, packet * packetSamples, packetSamples, talker, sampleRateHz);
  }
  return { payloads: encode(codec, samples, packetSamples), marked };
}

/** A burst that fills exactly one packet, swelling and fading, so that its middle is the packet's middle. */
function addMarker(samples: Float32Array, start: number, length: number, talker: number, sampleRateHz: number): void {
  for (let index = 0; index < length; index++) {
    const envelope = 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 0.5)) / length);
    const phase = (2 * Math.PI * MARKER_FREQUENCIES_HZ[talker]! * index) / sampleRateHz;
    samples[start + index] = samples[start + index]! + MARKER_AMPLITUDE * envelope * Math.sin(phase);
  }
}

/** A quiet room with nobody speaking. */
export function listenerLoop(codec: LoadCodec): PayloadLoop {
  const { sampleRateHz } = CODEC_SHAPES[codec];
  const packetSamples = (sampleRateHz * PTIME_MS) / 1_000;
  const samples = new Float32Array(LOOP_PACKETS * packetSamples);
  const random = seededRandom(1);
  for (let index = 0; index < samples.length; index++) samples[index] = (random() - 0.5) * 2 * ROOM_NOISE_AMPLITUDE;
  return { payloads: encode(codec, samples, packetSamples), marked: new Array<boolean>(LOOP_PACKETS).fill(false) };
}

function encode(codec: LoadCodec, samples: Float32Array, packetSamples: number): Buffer[] {
  const payloads: Buffer[] = [];
  if (codec === 'PCMU') {
    for (let start = 0; start < samples.length; start += packetSamples) {
      payloads.push(encodeG711('PCMU', samples.subarray(start, start + packetSamples)));
    }
    return payloads;
  }
  const encoder = new OpusScript(48_000, 1, OpusScript.Application.VOIP);
  encoder.setBitrate(32_000);
  const pcm = Buffer.alloc(packetSamples * 2);
  for (let start = 0; start < samples.length; start += packetSamples) {
    for (let index = 0; index < packetSamples; index++) {
      pcm.writeInt16LE(Math.round(Math.max(-1, Math.min(1, samples[start + index]!)) * 32_767), 2 * index);
    }
    payloads.push(Buffer.from(encoder.encode(pcm, packetSamples)));
  }
  encoder.delete();
  return payloads;
}
