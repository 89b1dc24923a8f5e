import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { LOOPBACK } from './free-ports.ts';
import { header, readMessage } from './sip-text.ts';

/** An address that answers every INVITE with the same status, and CANCEL as it must be; nothing else. */
export class RefusingPhone {
  readonly uri: string;
  /** The methods of what came, in order; what came again, as this process was slow to answer, is no other. */
  readonly methods: string[] = [];
  readonly #socket: Socket;
  readonly #status: string;
  readonly #taken = new Set<string>();
  #invite = '';

  /** @param status such as `486 Busy Here`; a provisional one leaves it ringing. */
  static async open(status: string): Promise<RefusingPhone> {
    const socket = createSocket('udp4');
    socket.bind(0, LOOPBACK);
    await once(socket, 'listening');
    return new RefusingPhone(socket, status);
  }

  private constructor(socket: Socket, status: string) {
    this.#socket = socket;
    this.#status = status;
    this.uri = `sip:nobody@${LOOPBACK}:${socket.address().port}`;
    socket.on('message', (bytes, { port }) => this.#received(bytes.toString(), port));
  }

  close(): void {
    this.#socket.close();
  }

  #received(text: string, port: number): void {
    const [method = ''] = text.split(' ', 1);
    if (!this.#taken.has(text)) this.methods.push(method);
    this.#taken.add(text);
    if (method === 'INVITE') {
      this.#invite = text;
      this.#answer(text, this.#status, port);
    } else if (method === 'CANCEL') {
      this.#answer(text, '200 OK', port);
      this.#answer(this.#invite, '487 Request Terminated', port);
    }
  }

  #answer(text: string, status: string, port: number): void {
    const request = readMessage(text);
    const copied = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${header(request, name)}`);
    const lines = [`SIP/2.0 ${status}`, ...copied, `To: ${header(request, 'to')};tag=refusing`, 'Content-Length: 0'];
    this.#socket.send(`${lines.join('\r\n')}\r\n\r\n`, port, LOOPBACK);
  }
}
