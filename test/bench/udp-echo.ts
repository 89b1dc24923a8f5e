import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { LOOPBACK } from '../e2e/clients/free-ports.ts';

/** The floor: a process that does nothing but send each packet back, one socket a caller. Its argument: how many. */

const ports: number[] = [];
for (let index = 0; index < Number(process.argv[2]); index++) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 18 });
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  // Who hangs up first leaves the other with refused packets.
  socket.on('error', () => {});
  let connected = false;
  socket.on('message', (packet, remote) => {
    // Connected at the first packet, as a server that knows where its caller is would be.
    if (connected) return socket.send(packet);
    connected = true;
    socket.connect(remote.port, remote.address);
  });
  ports.push(socket.address().port);
}
process.send?.(ports);
process.on('disconnect', () => process.exit());
