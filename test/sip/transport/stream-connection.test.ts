import { Duplex } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ParseError } from '../../../server/sip/message/parse-error.ts';
import { CONNECTION_LIMITS, StreamConnection } from '../../../server/sip/transport/stream-connection.ts';
import { VirtualTimers } from '../../sim/virtual-timers.ts';

const MESSAGE = 'OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP x\r\nCall-ID: c\r\nContent-Length: 0\r\n\r\n';

/** A socket without a network: what is written to it is kept, and taken or not as the test likes. */
class FakeSocket extends Duplex {
  connecting = false;
  localAddress = '198.51.100.1';
  localPort = 5060;
  written = '';
  stuck = false;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString();
    if (!this.stuck) done();
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }
}

let timers: VirtualTimers;
let socket: FakeSocket;
let messages: string[];
let malformed: ParseError[];
let failures: string[];

function connection(): StreamConnection {
  return new StreamConnection(
    'tcp',
    socket,
    { address: '::ffff:192.0.2.1', port: 40_000 },
    {
      timers,
      limits: CONNECTION_LIMITS,
      events: {
        message: (bytes) => messages.push(Buffer.from(bytes).toString()),
        sent: () => {},
        malformed: (error) => malformed.push(error),
        failed: (_flow, reason) => failures.push(reason.message),
      },
    },
  );
}

/** Streams hand on what they have in later turns of the event loop. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function receive(text: string): Promise<void> {
  socket.push(text);
  await settle();
}

async function pass(ms: number): Promise<void> {
  timers.advance(ms);
  await settle();
}

beforeEach(() => {
  timers = new VirtualTimers();
  socket = new FakeSocket();
  messages = [];
  malformed = [];
  failures = [];
});

describe('a connection', () => {
  it('hands on messages, answers pings, and says where it goes', async () => {
    const flow = connection();
    expect(flow).toMatchObject({
      open: true,
      reliable: true,
      remoteAddress: '192.0.2.1',
      remotePort: 40_000,
      localPort: 5060,
    });
    await receive(MESSAGE.slice(0, 9));
    await receive(`${MESSAGE.slice(9)}\r\n\r\n${MESSAGE}`);
    expect(messages).toEqual([MESSAGE, MESSAGE]);
    expect(socket.written).toBe('\r\n');
  });

  it('is closed after something that cannot be framed', async () => {
    const flow = connection();
    await receive(`${MESSAGE}${MESSAGE.replace('Content-Length: 0\r\n', '')}${MESSAGE}`);
    expect(messages).toHaveLength(1);
    expect(malformed.map(({ code }) => code)).toEqual(['missing-content-length']);
    expect(flow.open).toBe(false);
    // The other side has a second to take what was sent before it.
    await pass(1_000);
    expect(failures).toHaveLength(1);
  });

  it('is cut off when a message is not complete in time, however much drips in', async () => {
    const flow = connection();
    await receive('OPTIONS');
    for (let second = 0; second < 14; second++) {
      await receive('x');
      await pass(1_000);
    }
    expect(flow.open).toBe(true);
    await pass(1_000);
    expect(flow.open).toBe(false);
    expect(failures).toEqual(['A message was not complete in time']);
  });

  it('has that time anew for each message', async () => {
    const flow = connection();
    await receive(MESSAGE.slice(0, 9));
    await pass(14_000);
    await receive(MESSAGE.slice(9) + MESSAGE.slice(0, 9));
    await pass(14_000);
    expect(flow.open).toBe(true);
    await receive(MESSAGE.slice(9));
    await pass(50_000);
    expect(flow.open).toBe(true);
    expect(messages).toHaveLength(2);
  });

  it('is closed when nobody says anything on it for a minute, or after the first message for an hour', async () => {
    const quiet = connection();
    await pass(60_000);
    expect(quiet.open).toBe(false);

    socket = new FakeSocket();
    const used = connection();
    await receive(MESSAGE);
    await pass(3_000_000);
    expect(used.open).toBe(true);
    await receive('\r\n\r\n');
    await pass(3_599_000);
    expect(used.open).toBe(true);
    await pass(1_000);
    expect(used.open).toBe(false);
  });

  it('is dropped when the other side does not take what we send', async () => {
    const flow = connection();
    socket.stuck = true;
    const kilobyte = Buffer.alloc(1024, 'x');
    for (let sent = 0; sent < 1024; sent++) flow.send(kilobyte);
    await settle();
    expect(flow.open).toBe(true);
    flow.send(kilobyte);
    await settle();
    expect(flow.open).toBe(false);
    expect(failures).toEqual(['The other side does not take what is sent']);
    flow.send(kilobyte);
  });

  it('that breaks is reported once, and leaves no timer', async () => {
    const flow = connection();
    await receive('OPTIONS');
    socket.destroy(new Error('reset'));
    await settle();
    expect(failures).toEqual(['reset']);
    expect(flow.open).toBe(false);
    expect(timers.pending).toBe(0);
  });

  it('that we open can be sent over at once, and fails when it does not stand in five seconds', async () => {
    socket.connecting = true;
    const flow = connection();
    const connected = flow.connected.then(
      () => 'connected',
      () => 'failed',
    );
    expect(flow.open).toBe(true);
    await pass(5_000);
    expect(await connected).toBe('failed');
    expect(failures).toEqual(['The connection was not made in time']);
    expect(timers.pending).toBe(0);
  });
});
