import { randomInt } from 'node:crypto';
import type { Socket } from 'node:dgram';
import { RtpPacket } from '../../mixer/rtp/rtp-packet.ts';
import { CODEC_SHAPES } from '../bench/load-signal.ts';
import { openUdpSocket } from '../bench/open-udp-socket.ts';
import { LOOPBACK } from '../e2e/clients/free-ports.ts';
import { type OutgoingCall, SipCaller } from '../e2e/clients/sip-caller.ts';
import { audioPort } from '../e2e/clients/sip-text.ts';
import { type CodedVoice, codedPackets, PACKET_MS, STEP_MS } from './coded-sound.ts';
import type { HeardPacket } from './heard-sound.ts';

/** The caller's packets from one to before the other were sent in one call. */
export interface SpokenSpan {
  fromPacket: number;
  toPacket: number;
}

const HEADER_BYTES = 12;
/** A packet that was sent so late may have come too late for the mix, through no fault of the server. */
const LATE_MS = 25;

/** One who says coded sound as long as the call is up. Packet n is the nth since the clock began, whoever sends it. */
export class CodedCaller {
  readonly voice: CodedVoice;
  readonly spans: SpokenSpan[] = [];
  /** Of who hears in PCMU; of the others it is not kept. */
  readonly heard: HeardPacket[] = [];
  readonly #packets: readonly Buffer[];
  readonly #socket: Socket;
  #sip: SipCaller | null = null;
  #call: OutgoingCall | null = null;
  #span: SpokenSpan | null = null;
  #remotePort = 0;
  #sequenceNumber = randomInt(0x8000);
  #ssrc = 0;

  static async open(voice: CodedVoice): Promise<CodedCaller> {
    return new CodedCaller(voice, await openUdpSocket());
  }

  private constructor(voice: CodedVoice, socket: Socket) {
    this.voice = voice;
    this.#packets = codedPackets(voice);
    this.#socket = socket;
    socket.on('error', () => undefined);
  }

  /** From now on, what comes is kept, with when it came. */
  listen(nowMs: () => number): void {
    if (this.voice.codec !== 'PCMU') return;
    const packet = new RtpPacket();
    this.#socket.on('message', (bytes) => {
      if (!packet.parse(bytes, bytes.length) || packet.payloadType !== CODEC_SHAPES.PCMU.payloadType) return;
      const { ssrc, timestamp, payloadOffset, payloadLength } = packet;
      const payload = Uint8Array.from(bytes.subarray(payloadOffset, payloadOffset + payloadLength));
      this.heard.push({ atMs: nowMs(), ssrc, timestamp, payload });
    });
  }

  /** @param packet the first that is sent when the call is up */
  async dial(serverPort: number, uri: string, nextPacket: () => number): Promise<void> {
    this.#sip = await SipCaller.open({ serverPort, user: this.voice.name });
    this.#call = this.#sip.call(uri);
    const answer = await this.#call.invite(this.#offer());
    if (answer.status !== 200) throw new Error(`${uri} answered ${answer.status} ${answer.reason}`);
    this.#remotePort = audioPort(answer.body);
    this.#ssrc = randomInt(0x7fffffff);
    const fromPacket = nextPacket();
    this.#span = { fromPacket, toPacket: fromPacket };
    this.spans.push(this.#span);
  }

  /** As the clock has come to it. */
  send(packet: number): void {
    if (this.#span === null) return;
    const { payloadType, timestampStep } = CODEC_SHAPES[this.voice.codec];
    const payload = this.#packets[packet % this.#packets.length]!;
    const bytes = Buffer.alloc(HEADER_BYTES + payload.length);
    bytes[0] = 0x80;
    bytes[1] = payloadType;
    bytes.writeUInt16BE(this.#sequenceNumber, 2);
    bytes.writeUInt32BE((packet * timestampStep) >>> 0, 4);
    bytes.writeUInt32BE(this.#ssrc, 8);
    payload.copy(bytes, HEADER_BYTES);
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    this.#socket.send(bytes, this.#remotePort, LOOPBACK);
    this.#span.toPacket = packet + 1;
  }

  async hangUp(): Promise<void> {
    this.#span = null;
    const status = (await this.#call?.bye())?.status ?? 200;
    this.drop();
    if (status !== 200) throw new Error(`BYE was answered ${status}`);
  }

  /** There is nobody any more to hang up on. */
  drop(): void {
    this.#span = null;
    this.#call = null;
    this.#sip?.close();
    this.#sip = null;
  }

  close(): void {
    this.drop();
    this.#socket.close();
  }

  #offer(): string {
    const { payloadType, rtpmap, fmtp } = CODEC_SHAPES[this.voice.codec];
    return [
      ...['v=0', `o=coded 1 1 IN IP4 ${LOOPBACK}`, 's=-', `c=IN IP4 ${LOOPBACK}`, 't=0 0'],
      `m=audio ${this.#socket.address().port} RTP/AVP ${payloadType}`,
      `a=rtpmap:${payloadType} ${rtpmap}`,
      ...(fmtp ? [`a=fmtp:${payloadType} ${fmtp}`] : []),
      ...['a=ptime:20', 'a=sendrecv', ''],
    ].join('\r\n');
  }
}

/** Lets all callers send each 20 ms, and notes when it was itself late. Times are milliseconds since it began. */
export class CallersClock {
  readonly late: { fromMs: number; toMs: number }[] = [];
  /** When each packet was really sent. */
  readonly #sentMs: number[] = [];
  /** Of `Date.now()`. */
  readonly beganAt: number;
  readonly #originMs: number;
  readonly #callers: readonly CodedCaller[];
  #next = 0;
  #timer: NodeJS.Timeout;

  constructor(callers: readonly CodedCaller[]) {
    this.#callers = callers;
    this.#originMs = performance.now();
    this.beganAt = Date.now();
    for (const caller of callers) caller.listen(() => this.nowMs);
    this.#timer = setTimeout(this.#tick, 0);
  }

  get nowMs(): number {
    return performance.now() - this.#originMs;
  }

  readonly nextPacket = (): number => this.#next;

  /** When a quarter second really began to be said, however late the packet was in which it begins. */
  saidMs(number: number): number {
    const packet = Math.floor((number * STEP_MS) / PACKET_MS);
    return (this.#sentMs[packet] ?? packet * PACKET_MS) + number * STEP_MS - packet * PACKET_MS;
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  readonly #tick = (): void => {
    for (;;) {
      const dueMs = this.#next * PACKET_MS;
      const { nowMs } = this;
      if (nowMs < dueMs) break;
      if (nowMs - dueMs > LATE_MS) this.#noteLate(dueMs, nowMs);
      this.#sentMs.push(nowMs);
      for (const caller of this.#callers) caller.send(this.#next);
      this.#next++;
    }
    this.#timer = setTimeout(this.#tick, Math.max(1, this.#next * PACKET_MS - this.nowMs));
  };

  #noteLate(fromMs: number, toMs: number): void {
    const last = this.late.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = toMs;
    else this.late.push({ fromMs, toMs });
  }
}
