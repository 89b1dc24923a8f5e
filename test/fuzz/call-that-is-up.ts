import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { type RunningServer, statusOf } from '../rfc/running-server.ts';

const SDP = [
  'v=0',
  'o=- 1 1 IN IP4 127.0.0.1',
  's=-',
  'c=IN IP4 127.0.0.1',
  't=0 0',
  'm=audio 40000 RTP/AVP 0',
  '',
].join('\r\n');

/** Somebody's call, which must not suffer from what others do. */
export class CallThatIsUp {
  private readonly server: RunningServer;
  private readonly socket: Socket;
  private readonly id = Math.random().toString(36).slice(2);
  private to = `<sip:demo@127.0.0.1>`;
  private cseq = 0;

  static async begin(server: RunningServer): Promise<CallThatIsUp> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const call = new CallThatIsUp(server, socket);
    const answer = await call.ask('INVITE', SDP);
    call.to = /^To: (.*)$/m.exec(answer)![1]!;
    call.send('ACK');
    return call;
  }

  private constructor(server: RunningServer, socket: Socket) {
    this.server = server;
    this.socket = socket;
  }

  /** Throws unless a request within it is answered with 200. */
  async goesOn(): Promise<void> {
    const answer = await this.ask('OPTIONS');
    if (statusOf(answer) !== 200) throw new Error(`The call was answered ${answer}`);
  }

  async end(): Promise<void> {
    const answer = await this.ask('BYE');
    this.socket.close();
    if (statusOf(answer) !== 200) throw new Error(`BYE was answered ${answer}`);
  }

  /** The final answer. */
  private ask(method: string, body = ''): Promise<string> {
    this.cseq++;
    const answered = new Promise<string>((resolve) => {
      const take = (bytes: Buffer): void => {
        const text = bytes.toString();
        if (statusOf(text) < 200 || !text.includes(`CSeq: ${this.cseq} ${method}\r\n`)) return;
        this.socket.off('message', take);
        resolve(text);
      };
      this.socket.on('message', take);
    });
    this.send(method, body);
    return answered;
  }

  private send(method: string, body = ''): void {
    const { address, port } = this.socket.address();
    const lines = [
      `${method} sip:demo@127.0.0.1 SIP/2.0`,
      `Via: SIP/2.0/UDP ${address}:${port};rport;branch=z9hG4bK-${this.id}-${this.cseq}-${method}`,
      `From: <sip:caller@127.0.0.1>;tag=${this.id}`,
      `To: ${this.to}`,
      `Call-ID: ${this.id}`,
      `CSeq: ${this.cseq} ${method}`,
      `Contact: <sip:caller@${address}:${port}>`,
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
    ];
    this.socket.send(`${lines.join('\r\n')}\r\n\r\n${body}`, this.server.sip.port, '127.0.0.1');
  }
}
