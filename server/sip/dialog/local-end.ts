import { createResponse, type ResponseParts } from '../message/create-message.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { createUri, writeUri } from '../message/uri.ts';
import { createVia, MAGIC_COOKIE, type Via } from '../message/via.ts';
import type { Flow, TransportProtocol } from '../transport/flow.ts';
import type { RandomSource } from './random-source.ts';

/** The methods that we answer; all others get 405. */
export const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS';
export const SERVER = 'Parley';

export interface LocalEndOptions {
  /** What peers reach us by: an address or a name. */
  readonly publicAddress: string;
  /** What we listen on, by protocol; the ports of protocols that we do not speak are left out. */
  readonly ports: Partial<Record<TransportProtocol, number>>;
  readonly random: RandomSource;
}

/** What we can do, as the answer to OPTIONS says it (RFC 3261 §11.2). */
export const CAPABILITIES: ReadonlyArray<readonly [string, string]> = [
  ['Allow', ALLOW],
  ['Accept', 'application/sdp'],
  ['Accept-Encoding', 'identity'],
  // No extension is supported yet; an empty field says so (RFC 3261 §20.37).
  ['Supported', ''],
];

/** How we name ourselves in messages. */
export class LocalEnd {
  private readonly options: LocalEndOptions;

  constructor(options: LocalEndOptions) {
    this.options = options;
  }

  newTag(): string {
    return this.options.random.token();
  }

  /** A Via with a new branch, for a request over this flow. */
  newVia(flow: Flow): Via {
    const branch = `${MAGIC_COOKIE}${this.options.random.token()}`;
    return createVia(flow.protocol.toUpperCase(), this.options.publicAddress, this.portOf(flow), branch);
  }

  /** `<sip:room@host:port;transport=tcp>`: where a peer of this flow can reach us. */
  contact(user: string | null, flow: Flow): string {
    const parameters = new Map(flow.protocol === 'udp' ? [] : [['transport', flow.protocol]]);
    const uri = createUri({ user, host: this.options.publicAddress, port: this.portOf(flow), parameters });
    return `<${writeUri(uri)}>`;
  }

  /** A response with our Server field; `toTag` is put on To where that has no tag yet, null puts none (for 100). */
  createResponse(request: SipRequest, status: number, toTag: string | null, parts: ResponseParts = {}): SipResponse {
    const headers = [...(parts.headers ?? []), ['Server', SERVER] as const];
    return createResponse(request, status, { ...parts, headers, ...(toTag === null ? {} : { toTag }) });
  }

  private portOf(flow: Flow): number {
    return this.options.ports[flow.protocol] ?? flow.localPort;
  }
}
