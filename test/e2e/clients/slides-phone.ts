import { NodeTimers } from '../../../server/node-timers.ts';
import { FloorClient } from '../../bfcp/floor-client.ts';
import { type FloorWire, openFloorTcp, openFloorUdp, waitForFloorTcp } from './floor-connection.ts';
import { LOOPBACK } from './free-ports.ts';
import { type OutgoingCall, SipCaller } from './sip-caller.ts';
import { codedSource } from './video/coded-source.ts';
import { MediaClock } from './video/media-clock.ts';
import { MediaSocket } from './video/media-socket.ts';
import { VideoSender } from './video/video-sender.ts';

/** `none`: it sends slides without asking anybody. `waiting`: over TCP, and the server is to connect. */
export type FloorTransport = 'UDP' | 'TCP' | 'waiting' | 'none';

export interface SlidesPhoneOptions {
  user: string;
  serverPort: number;
  floor: FloorTransport;
  /** 0–7: the colour of its slides. */
  sender: number;
}

/** What an answer says of floor control. */
export interface AnsweredFloor {
  port: number;
  conferenceId: number;
  userId: number;
  floorId: number;
  lines: string[];
}

const PAYLOAD_TYPE = 97;

/** A phone of a meeting room, made of our own SIP, RTP and floor control: it has a second stream for slides. */
export class SlidesPhone {
  readonly sip: SipCaller;
  readonly options: SlidesPhoneOptions;
  call: OutgoingCall | null = null;
  floor: FloorClient | null = null;
  answered: AnsweredFloor | null = null;
  private readonly sound: MediaSocket;
  private readonly slides: MediaSocket;
  private wire: FloorWire | null = null;
  private sender: VideoSender | null = null;

  static async start(options: SlidesPhoneOptions): Promise<SlidesPhone> {
    const { serverPort, user } = options;
    const sip = await SipCaller.open({ serverPort, user });
    return new SlidesPhone(options, sip, await MediaSocket.open(), await MediaSocket.open());
  }

  private constructor(options: SlidesPhoneOptions, sip: SipCaller, sound: MediaSocket, slides: MediaSocket) {
    this.options = options;
    this.sip = sip;
    this.sound = sound;
    this.slides = slides;
  }

  async dial(uri: string): Promise<void> {
    const serverPort = (): number => this.answered!.port;
    const received = (bytes: Uint8Array): void => this.floor?.received(bytes);
    const { floor } = this.options;
    if (floor === 'UDP') this.wire = await openFloorUdp(serverPort, received);
    if (floor === 'TCP') this.wire = openFloorTcp(serverPort, received);
    if (floor === 'waiting') this.wire = await waitForFloorTcp(received);
    this.call = this.sip.call(uri);
    const answer = await this.call.invite(this.offer());
    if (answer.status !== 200) throw new Error(`${uri} answered ${answer.status} ${answer.reason}`);
    const port = /^m=video (\d+)/m.exec(answer.body)?.[1];
    this.slides.connect(Number(port), Number(port) + 1);
    this.answered = answeredFloor(answer.body);
    if (this.wire === null || this.answered === null) return;
    const { wire } = this;
    const reliable = floor !== 'UDP';
    const timers = new NodeTimers();
    this.floor = new FloorClient({ ...this.answered, reliable, timers, send: (bytes) => wire.send(bytes) });
  }

  /** Begins to send slides, and goes on. */
  async show(): Promise<void> {
    const source = await codedSource({ sender: this.options.sender, codec: 'VP8' });
    const format = { payloadType: PAYLOAD_TYPE, rtxPayloadType: null };
    this.sender = new VideoSender(this.slides, source, format, `${this.options.user}@test`);
    this.sender.start(new MediaClock(performance.now()));
  }

  showNothing(): void {
    this.sender?.stop();
    this.sender = null;
  }

  async hangUp(): Promise<void> {
    this.showNothing();
    await this.call?.bye();
  }

  stop(): void {
    this.showNothing();
    this.wire?.close();
    this.sound.close();
    this.slides.close();
    this.sip.close();
  }

  private offer(): string {
    const { floor } = this.options;
    const transport = floor === 'UDP' ? 'UDP' : 'TCP';
    const setup = { UDP: [], TCP: ['a=setup:active', 'a=connection:new'], none: [] };
    const waiting = ['a=setup:passive', 'a=connection:new'];
    const application = [
      `m=application ${this.wire?.port ?? 0} ${transport}/BFCP *`,
      'a=floorctrl:c-only',
      ...(floor === 'waiting' ? waiting : setup[floor]),
    ];
    return [
      'v=0',
      `o=room 7 1 IN IP4 ${LOOPBACK}`,
      's=-',
      `c=IN IP4 ${LOOPBACK}`,
      't=0 0',
      `m=audio ${this.sound.port} RTP/AVP 0`,
      'a=rtpmap:0 PCMU/8000',
      ...(this.wire === null ? [] : application),
      `m=video ${this.slides.port} RTP/AVP ${PAYLOAD_TYPE}`,
      `a=rtpmap:${PAYLOAD_TYPE} VP8/90000`,
      'a=content:slides',
      'a=label:12',
      '',
    ].join('\r\n');
  }
}

/** Null: there is none, or it was refused. */
export function answeredFloor(sdp: string): AnsweredFloor | null {
  const section = sdp.split(/^(?=m=)/m).find((part) => part.startsWith('m=application '));
  const lines = section?.trim().split(/\r?\n/) ?? [];
  const port = Number(lines[0]?.split(' ')[1] ?? 0);
  if (port === 0) return null;
  const number = (name: string): number => {
    const line = lines.find((text) => text.startsWith(`a=${name}:`));
    return Number.parseInt(line?.slice(name.length + 3) ?? '', 10);
  };
  return { port, conferenceId: number('confid'), userId: number('userid'), floorId: number('floorid'), lines };
}
