import { randomInt } from 'node:crypto';
import { decodeG711, encodeG711 } from '../g711-reference.ts';
import type { Hearing } from '../hearing.ts';
import type { Voice } from '../tone-levels.ts';
import { type Pcm, sine } from '../wav-file.ts';
import type { MediaClock } from './media-clock.ts';
import { type MediaSocket, readRtp, writeRtp } from './media-socket.ts';
import { type RtcpReport, readRtcp, wallClockMs, writeSenderReport } from './rtcp.ts';

/** A tone that changes to another frequency and back, a second each; in step with the pictures' counter. */
export interface PatternVoice extends Voice {
  otherFrequencyHz: number;
}

const RATE_HZ = 8_000;
const PTIME_MS = 20;
const PACKET_SAMPLES = (RATE_HZ * PTIME_MS) / 1_000;
const PAYLOAD_TYPE = 0;
export const PATTERN_MS = 2_000;
/** Of the window that is slid over a change of the tone. */
const WINDOW_SAMPLES = 160;

interface Received {
  timestamp: number;
  timeMs: number;
  payload: Buffer;
}

/** A PCMU stream: sends the pattern, keeps what comes, and says when in the far end's time each change was heard. */
export class ToneStream {
  readonly ssrc = randomInt(0x7fffffff);
  /** Milliseconds by which packets leave late, which their RTP timestamps do not show. */
  delayMs = 0;
  readonly #socket: MediaSocket;
  readonly #cname: string;
  readonly #pattern: Buffer;
  readonly #firstTimestamp = randomInt(0x7fffffff);
  readonly #received: Received[] = [];
  #sequenceNumber = randomInt(0x8000);
  #packets = 0;
  #reports: { wallMs: number; rtpTimestamp: number }[] = [];
  #stop: (() => void)[] = [];

  constructor(socket: MediaSocket, voice: PatternVoice, cname: string) {
    this.#socket = socket;
    this.#cname = cname;
    this.#pattern = encodeG711('PCMU', patternOf(voice, PATTERN_MS / 1_000).samples);
    socket.onRtp = (packet, timeMs) => this.#put(packet, timeMs);
    socket.onRtcp = (packet) => {
      for (const report of readRtcp(packet)) this.#heard(report);
    };
  }

  start(clock: MediaClock): void {
    this.stop();
    const passed = performance.now() - clock.startedMs;
    const first = Math.max(0, Math.ceil(passed / PTIME_MS));
    // A packet can leave when its last sample is there.
    const delayMs = (first + 1) * PTIME_MS + this.delayMs;
    this.#stop = [
      clock.every(PTIME_MS, delayMs, (index) => this.#send(first + index)),
      clock.every(1_000, 100 + Math.max(0, passed), () => this.#report(clock)),
    ];
  }

  stop(): void {
    for (const stop of this.#stop.splice(0)) stop();
  }

  /** Times of `performance.now()` at which packets came. */
  arrivalTimesMs(): number[] {
    return this.#received.map(({ timeMs }) => timeMs);
  }

  /** Packets that never came, by the timestamps of those that did. */
  missingPackets(): number {
    const steps = this.#received.slice(1).map(({ timestamp }, index) => timestamp - this.#received[index]!.timestamp);
    return steps.reduce((missing, step) => missing + Math.max(0, (step | 0) / PACKET_SAMPLES - 1), 0);
  }

  hearing(): Hearing {
    const { samples, first } = this.#samples();
    return {
      pcm: { sampleRateHz: RATE_HZ, samples },
      sampleAt: (timeMs) => {
        const before = this.#received.findLast((packet) => packet.timeMs <= timeMs);
        if (!before) return 0;
        return ((before.timestamp - first) | 0) + Math.round(((timeMs - before.timeMs) * RATE_HZ) / 1_000);
      },
    };
  }

  /** Wall clock times of the far end, in milliseconds, at which a voice began a turn of its pattern, as heard here. */
  patternStarts(voice: PatternVoice): number[] {
    const { samples, first } = this.#samples();
    return patternStarts(samples, voice).map((at) => this.#wallMs((first + at) >>> 0));
  }

  #samples(): { samples: Float32Array; first: number } {
    const first = this.#received[0]?.timestamp ?? 0;
    const last = this.#received.at(-1)?.timestamp ?? first;
    const samples = new Float32Array(Math.max(0, ((last - first) | 0) + PACKET_SAMPLES));
    for (const { timestamp, payload } of this.#received) {
      const offset = (timestamp - first) | 0;
      if (offset >= 0 && offset + payload.length <= samples.length) decodeG711('PCMU', payload, samples, offset);
    }
    return { samples, first };
  }

  #wallMs(rtpTimestamp: number): number {
    const distance = (report: { rtpTimestamp: number }) => Math.abs((rtpTimestamp - report.rtpTimestamp) | 0);
    const [nearest] = [...this.#reports].sort((one, other) => distance(one) - distance(other));
    if (!nearest) throw new Error('no sender report for the sound');
    return nearest.wallMs + (1_000 * ((rtpTimestamp - nearest.rtpTimestamp) | 0)) / RATE_HZ;
  }

  #put(data: Buffer, timeMs: number): void {
    const packet = readRtp(data);
    if (packet?.payloadType !== PAYLOAD_TYPE) return;
    this.#received.push({ timestamp: packet.timestamp, timeMs, payload: Buffer.from(packet.payload) });
  }

  #heard(report: RtcpReport): void {
    if (report.type === 'SR') this.#reports.push(report);
  }

  #send(index: number): void {
    const offset = (index * PACKET_SAMPLES) % this.#pattern.length;
    const timestamp = this.#firstTimestamp + index * PACKET_SAMPLES;
    const sequenceNumber = this.#sequenceNumber++ & 0xffff;
    const header = { payloadType: PAYLOAD_TYPE, marker: false, sequenceNumber, timestamp, ssrc: this.ssrc };
    this.#packets++;
    this.#socket.sendRtp(writeRtp(header, this.#pattern.subarray(offset, offset + PACKET_SAMPLES)));
  }

  #report(clock: MediaClock): void {
    const now = performance.now();
    const rtpTimestamp = this.#firstTimestamp + Math.round(((now - clock.startedMs) * RATE_HZ) / 1_000);
    const counts = { packets: this.#packets, octets: this.#packets * PACKET_SAMPLES };
    const report = { ssrc: this.ssrc, cname: this.#cname, wallMs: wallClockMs(now), rtpTimestamp, ...counts };
    this.#socket.sendRtcp(writeSenderReport(report));
  }
}

/** What a voice says in so many seconds. */
export function patternOf({ frequencyHz, otherFrequencyHz, levelDbfs }: PatternVoice, seconds: number): Pcm {
  const turns = [frequencyHz, otherFrequencyHz].map((hz) => sine(hz, levelDbfs, PATTERN_MS / 2_000, RATE_HZ).samples);
  const samples = new Float32Array(seconds * RATE_HZ);
  for (let at = 0, turn = 0; at < samples.length; at += turns[0]!.length) {
    samples.set(turns[turn++ % 2]!.subarray(0, samples.length - at), at);
  }
  return { sampleRateHz: RATE_HZ, samples };
}

/** At which samples (8 kHz) a voice began a turn of its pattern. */
export function patternStarts(samples: Float32Array, voice: PatternVoice): number[] {
  const starts: number[] = [];
  const least = 10 ** (voice.levelDbfs / 10) / 20;
  let wasOther = false;
  let crossing: number | null = null;
  for (let at = 0; at + WINDOW_SAMPLES < samples.length; at += 4) {
    const window = samples.subarray(at, at + WINDOW_SAMPLES);
    const difference = power(window, voice.frequencyHz) - power(window, voice.otherFrequencyHz);
    if (difference < 0) crossing = null;
    // Both are alike when the change is in the middle of the window.
    else crossing ??= at + WINDOW_SAMPLES / 2;
    if (difference < -least) wasOther = true;
    if (difference > least) {
      if (wasOther && crossing !== null) starts.push(crossing);
      wasOther = false;
    }
  }
  return starts;
}

/** Of one frequency, by Goertzel's algorithm under a Hann window; that of a sine at full scale is 1. */
function power(samples: Float32Array, frequencyHz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequencyHz) / RATE_HZ);
  let before = 0;
  let beforeThat = 0;
  for (let index = 0; index < samples.length; index++) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / samples.length);
    const now = samples[index]! * window + coefficient * before - beforeThat;
    beforeThat = before;
    before = now;
  }
  const sum = before * before + beforeThat * beforeThat - coefficient * before * beforeThat;
  return sum / (samples.length / 4) ** 2;
}
