import { randomInt } from 'node:crypto';
import type { Socket } from 'node:dgram';
import { bindUdp, freePort, LOOPBACK } from './free-ports.ts';
import { decodeG711, encodeG711, type G711Law } from './g711-reference.ts';
import type { Hearing } from './hearing.ts';
import type { Voice } from './tone-levels.ts';
import { sine } from './wav-file.ts';

const RATE_HZ = 8_000;
const PTIME_MS = 20;
const PACKET_SAMPLES = (RATE_HZ * PTIME_MS) / 1_000;
const HEADER_BYTES = 12;
const PAYLOAD_TYPE: Record<G711Law, number> = { PCMU: 0, PCMA: 8 };
/** A jump of the timestamp beyond this is a new stream, whatever its SSRC says. */
const NEW_STREAM_SAMPLES = 10 * RATE_HZ;

interface Arrival {
  timeMs: number;
  /** Where its first sample stands in what was heard. */
  offset: number;
  ssrc: number;
  sequenceNumber: number;
  payload: Buffer;
}

export interface Origin {
  address: string;
  port: number;
}

/**
 * A media endpoint of our own: sends a tone as RTP and keeps what it gets with the time of each packet.
 *
 * The clock is the test's own, and packets are stamped when the socket hands them over: an edge in what it hears is
 * known to the packet, ±20 ms, with no jitter buffer in between.
 */
export class RtpEndpoint {
  readonly voice: Voice;
  readonly law: G711Law;
  readonly port: number;
  readonly #socket: Socket;
  readonly #packet = Buffer.alloc(HEADER_BYTES + PACKET_SAMPLES);
  readonly #tone: Buffer;
  readonly #silence: Buffer;
  #tonePosition = 0;
  #sequenceNumber = randomInt(0x8000);
  #timestamp = randomInt(0x7fffffff);
  #timer: NodeJS.Timeout | null = null;
  #nextSendMs = 0;
  #silent = false;
  #arrivals: Arrival[] = [];
  #lastTimestamp = 0;
  /** The last packet's origin. */
  origin: Origin | null = null;

  static async open(voice: Voice, law: G711Law): Promise<RtpEndpoint> {
    for (let attempt = 0; attempt < 10; attempt++) {
      const socket = await bindUdp(await freePort());
      if (socket) return new RtpEndpoint(voice, law, socket);
    }
    throw new Error('no port for media');
  }

  private constructor(voice: Voice, law: G711Law, socket: Socket) {
    this.voice = voice;
    this.law = law;
    this.#socket = socket;
    this.port = socket.address().port;
    // One second: any whole frequency comes round in it, so that the loop has no seam.
    this.#tone = encodeG711(law, sine(voice.frequencyHz, voice.levelDbfs, 1, RATE_HZ).samples);
    this.#silence = encodeG711(law, new Float32Array(PACKET_SAMPLES));
    this.#packet[0] = 0x80;
    this.#packet[1] = PAYLOAD_TYPE[law];
    this.#packet.writeUInt32BE(randomInt(0x7fffffff), 8);
    socket.on('message', (packet, remote) => {
      this.origin = { address: remote.address, port: remote.port };
      this.#received(packet);
    });
  }

  /** A session description with this endpoint as its only stream; `attributes` are further lines of the media. */
  sdp(attributes: readonly string[] = ['a=sendrecv']): string {
    const payloadType = PAYLOAD_TYPE[this.law];
    return [
      'v=0',
      `o=tone 1 1 IN IP4 ${LOOPBACK}`,
      's=-',
      `c=IN IP4 ${LOOPBACK}`,
      't=0 0',
      `m=audio ${this.port} RTP/AVP ${payloadType}`,
      `a=rtpmap:${payloadType} ${this.law}/${RATE_HZ}`,
      'a=ptime:20',
      ...attributes,
      '',
    ].join('\r\n');
  }

  sendTo(remotePort: number, address = LOOPBACK): void {
    this.stopSending();
    this.#nextSendMs = performance.now();
    const tick = (): void => {
      const now = performance.now();
      while (this.#nextSendMs <= now) {
        this.#sendPacket(remotePort, address);
        this.#nextSendMs += PTIME_MS;
      }
      this.#timer = setTimeout(tick, Math.max(0, this.#nextSendMs - performance.now()));
    };
    tick();
  }

  /** Waits for the far end's first packet and sends to where it came from: for when another program does the SIP. */
  async sendToWhoSends(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!this.origin) {
      if (performance.now() > deadline) throw new Error(`no packet came within ${timeoutMs} ms`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.sendTo(this.origin.port, this.origin.address);
  }

  stopSending(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Goes on sending packets, with silence in them. */
  set silent(silent: boolean) {
    this.#silent = silent;
  }

  /** Times at which packets came, in order. */
  arrivalTimesMs(): number[] {
    return this.#arrivals.map((arrival) => arrival.timeMs);
  }

  hearing(): Hearing {
    const arrivals = this.#arrivals;
    const length = arrivals.reduce((most, { offset, payload }) => Math.max(most, offset + payload.length), 0);
    const samples = new Float32Array(length);
    for (const { offset, payload } of arrivals) decodeG711(this.law, payload, samples, offset);
    return { pcm: { sampleRateHz: RATE_HZ, samples }, sampleAt: (timeMs) => sampleAt(arrivals, timeMs) };
  }

  close(): void {
    this.stopSending();
    this.#socket.close();
  }

  #sendPacket(remotePort: number, address: string): void {
    const packet = this.#packet;
    packet.writeUInt16BE(this.#sequenceNumber, 2);
    packet.writeUInt32BE(this.#timestamp, 4);
    if (this.#silent) this.#silence.copy(packet, HEADER_BYTES);
    else this.#tone.copy(packet, HEADER_BYTES, this.#tonePosition, this.#tonePosition + PACKET_SAMPLES);
    this.#tonePosition = (this.#tonePosition + PACKET_SAMPLES) % this.#tone.length;
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + PACKET_SAMPLES) >>> 0;
    // A copy: the socket may send it later than now.
    this.#socket.send(Buffer.from(packet), remotePort, address);
  }

  #received(packet: Buffer): void {
    const timeMs = performance.now();
    if (packet.length <= HEADER_BYTES || (packet[1]! & 0x7f) !== PAYLOAD_TYPE[this.law]) return;
    const payload = packet.subarray(HEADER_BYTES + 4 * (packet[0]! & 0x0f));
    const timestamp = packet.readUInt32BE(4);
    const ssrc = packet.readUInt32BE(8);
    const last = this.#arrivals.at(-1);
    let offset = 0;
    if (last) {
      const step = (timestamp - this.#lastTimestamp) | 0;
      const sameStream = ssrc === last.ssrc && Math.abs(step) < NEW_STREAM_SAMPLES;
      offset = last.offset + (sameStream ? step : Math.round(((timeMs - last.timeMs) * RATE_HZ) / 1_000));
      if (offset < 0) return;
    }
    this.#lastTimestamp = timestamp;
    this.#arrivals.push({ timeMs, offset, ssrc, sequenceNumber: packet.readUInt16BE(2), payload });
  }
}

function sampleAt(arrivals: readonly Arrival[], timeMs: number): number {
  let before: Arrival | null = null;
  for (const arrival of arrivals) {
    if (arrival.timeMs > timeMs) break;
    before = arrival;
  }
  if (!before) return 0;
  return before.offset + Math.round(((timeMs - before.timeMs) * RATE_HZ) / 1_000);
}
