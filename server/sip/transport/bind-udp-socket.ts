import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/** A UDP socket that looks no names up. Rejects when the port is taken, or the address is not ours. */
export async function bindUdpSocket(address: string, port: number): Promise<Socket> {
  const socket = createSocket({
    type: isIPv6(address) ? 'udp6' : 'udp4',
    // Addresses only are sent to, so nothing is ever looked up; Node's own look-up would cost a thread for each datagram.
    lookup: (host, _options, found) => found(null, host, host.includes(':') ? 6 : 4),
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, address, () => {
      socket.removeAllListeners('error');
      resolve();
    });
  });
  return socket;
}
