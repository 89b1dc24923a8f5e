import type { Flow } from '../sip/transport/flow.ts';

/** The way to a phone's floor control: a TCP connection, or where its datagrams come from. */
export interface Path extends Pick<Flow, 'reliable' | 'remoteAddress' | 'remotePort' | 'send'> {
  /** Does nothing over UDP. */
  close(): void;
}
