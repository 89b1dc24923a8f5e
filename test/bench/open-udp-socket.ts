import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { LOOPBACK } from '../e2e/clients/free-ports.ts';

/** For a generator of many requests: holds a burst of answers, and looks no address up, as each is one already. */
export async function openUdpSocket(): Promise<Socket> {
  const socket = createSocket({
    type: 'udp4',
    recvBufferSize: 4 << 20,
    lookup: (host, _options, found) => found(null, host, 4),
  });
  // With such a look-up it is bound before `bind` returns.
  const listening = once(socket, 'listening');
  socket.bind(0, LOOPBACK);
  await listening;
  return socket;
}
