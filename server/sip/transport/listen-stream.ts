import type { AddressInfo, Server } from 'node:net';

/** The peers that may wait while we are busy; the kernel may allow fewer. */
const BACKLOG = 1024;

/** Gives what the server is bound to; rejects when the port is taken, or the address is not ours. */
export async function listenStream(server: Server, address: string, port: number): Promise<AddressInfo> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: address, backlog: BACKLOG }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  // Accepting failed (no more file descriptors): the caller sees it, and we go on.
  server.on('error', () => {});
  return server.address() as AddressInfo;
}

/** For sockets that we open: names are resolved by RFC 3263 before a transport sees them. */
export function refuseNames(
  host: string,
  _options: unknown,
  found: (error: Error, address: string, family: number) => void,
): void {
  found(new Error(`${host} is not an address`), '', 0);
}
