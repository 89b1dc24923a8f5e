import type { Socket } from 'node:dgram';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { LOOPBACK } from '../e2e/clients/free-ports.ts';
import type { DurationHistogram } from './histogram.ts';
import { CODEC_SHAPES, type LoadCodec, type PayloadLoop } from './load-signal.ts';

const HEADER_BYTES = 12;
/** Packets that may wait in the kernel's or libuv's hands before their buffer is used again. */
const SEND_BUFFERS = 8;
const LARGEST_PAYLOAD_BYTES = 1_275;

/** What one measurement counts over all callers. */
export interface MediaCounts {
  sent: number;
  received: number;
  /** Sequence numbers that never came, or not in order. */
  lost: number;
}

export interface ObservedPacket {
  timeMs: number;
  sequenceNumber: number;
  payload: Buffer;
}

export interface SentMarker {
  room: number;
  /** Its seat. */
  talker: number;
  timeMs: number;
}

/** Where a caller sits, and what it sends. */
export interface CallerRole {
  /** Counted over all rooms. */
  index: number;
  room: number;
  seat: number;
  talks: boolean;
  codec: LoadCodec;
  loop: PayloadLoop;
}

/** The media of one caller: its own socket, packets made ahead, and counters that are shared by all. */
export class MediaCaller {
  readonly port: number;
  readonly role: CallerRole;
  readonly #socket: Socket;
  readonly #loop: PayloadLoop;
  readonly #counts: MediaCounts;
  readonly #gaps: DurationHistogram;
  readonly #timestampStep: number;
  readonly #buffers: Buffer[];
  #position: number;
  #sequenceNumber = 0;
  #timestamp = 0;
  #lastArrivalMs = 0;
  #expectedSequenceNumber = -1;
  /** Set for a listener whose stream is to be looked at after the run. */
  observed: ObservedPacket[] | null = null;
  /** Where a talker's markers are noted, while a measurement runs. */
  sentMarkers: SentMarker[] | null = null;

  static async open(role: CallerRole, counts: MediaCounts, gaps: DurationHistogram): Promise<MediaCaller> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 18 });
    socket.bind(0, LOOPBACK);
    await once(socket, 'listening');
    return new MediaCaller(socket, role, counts, gaps);
  }

  private constructor(socket: Socket, role: CallerRole, counts: MediaCounts, gaps: DurationHistogram) {
    const { index, codec, loop } = role;
    const { payloadType, timestampStep } = CODEC_SHAPES[codec];
    this.#socket = socket;
    this.port = socket.address().port;
    this.role = role;
    this.#loop = loop;
    this.#counts = counts;
    this.#gaps = gaps;
    this.#timestampStep = timestampStep;
    // Callers begin at different places of the loop; those with markers together, so that these take turns.
    this.#position = loop.marked.includes(true) ? 0 : (index * 7) % loop.payloads.length;
    this.#buffers = Array.from({ length: SEND_BUFFERS }, () => {
      const packet = Buffer.alloc(HEADER_BYTES + LARGEST_PAYLOAD_BYTES);
      packet[0] = 0x80;
      packet[1] = payloadType;
      packet.writeUInt32BE(0x10_00_00_00 + index, 8);
      return packet;
    });
    socket.on('message', (packet) => this.#received(packet));
  }

  /** From now on packets go there and come from nowhere else; a connected socket saves a look-up for each packet. */
  async connect(remotePort: number): Promise<void> {
    this.#socket.connect(remotePort, LOOPBACK);
    await once(this.#socket, 'connect');
    this.#socket.on('error', () => {});
  }

  send(): void {
    const payload = this.#loop.payloads[this.#position]!;
    const packet = this.#buffers[this.#sequenceNumber % SEND_BUFFERS]!;
    packet.writeUInt16BE(this.#sequenceNumber, 2);
    packet.writeUInt32BE(this.#timestamp, 4);
    payload.copy(packet, HEADER_BYTES);
    if (this.sentMarkers && this.#loop.marked[this.#position]) {
      this.sentMarkers.push({ room: this.role.room, talker: this.role.seat, timeMs: performance.now() });
    }
    this.#socket.send(packet, 0, HEADER_BYTES + payload.length);
    this.#counts.sent++;
    this.#position = (this.#position + 1) % this.#loop.payloads.length;
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    this.#timestamp = (this.#timestamp + this.#timestampStep) >>> 0;
  }

  /** Gaps and losses are counted from the next packet on. */
  restartCounting(): void {
    this.#lastArrivalMs = 0;
    this.#expectedSequenceNumber = -1;
    if (this.observed) this.observed = [];
  }

  close(): void {
    this.#socket.close();
  }

  #received(packet: Buffer): void {
    if (packet.length <= HEADER_BYTES || packet[0]! >> 6 !== 2) return;
    const now = performance.now();
    const sequenceNumber = packet.readUInt16BE(2);
    this.#counts.received++;
    if (this.#lastArrivalMs !== 0) this.#gaps.add(now - this.#lastArrivalMs);
    this.#lastArrivalMs = now;
    if (this.#expectedSequenceNumber !== -1) {
      const missing = (sequenceNumber - this.#expectedSequenceNumber) & 0xffff;
      if (missing < 0x8000) this.#counts.lost += missing;
    }
    this.#expectedSequenceNumber = (sequenceNumber + 1) & 0xffff;
    this.observed?.push({ timeMs: now, sequenceNumber, payload: packet.subarray(HEADER_BYTES) });
  }
}
