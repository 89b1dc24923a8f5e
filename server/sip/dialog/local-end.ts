import { createResponse, type ResponseParts } from '../message/create-message.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { createUri, writeUri } from '../message/uri.ts';
import { createVia, MAGIC_COOKIE, type Via, withViaParameters } from '../message/via.ts';
import { ownAddressFor } from '../transport/addresses.ts';
import type { Flow, TransportProtocol } from '../transport/flow.ts';
import { INFO_TYPES } from './info.ts';
import type { RandomSource } from './random-source.ts';

/** The methods that we answer by ourselves; those of the application come on top, and all others are refused. */
export const OWN_METHODS = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'OPTIONS',
  'PRACK',
  'UPDATE',
  'INFO',
  'REFER',
  'NOTIFY',
  'SUBSCRIBE',
] as const;
/**
 * The extensions that we have (RFC 3262, RFC 4028, RFC 3891, RFC 3911, RFC 4488); a request for any of them is understood.
 * `norefersub` stands for Refer-Sub in a REFER.
 */
export const OPTION_TAGS = ['100rel', 'timer', 'replaces', 'join', 'norefersub'] as const;
export const SERVER = 'Parley';

const SUPPORTED = ['Supported', OPTION_TAGS.join(', ')] as const;

export interface LocalEndOptions {
  /** What peers reach us by: an address or a name; or one for each family of addresses. */
  readonly publicAddress: string | readonly string[];
  /** What we listen on, by protocol; the ports of protocols that we do not speak are left out. */
  readonly ports: Partial<Record<TransportProtocol, number>>;
  readonly random: RandomSource;
  /** Methods that the application answers. */
  readonly methods?: readonly string[];
  /** Event packages of the application. */
  readonly events?: readonly string[];
  /** Whether our calls are those of a conference focus, as our Contacts say then (RFC 4579 §4.1, RFC 3840 §10). */
  readonly isFocus?: boolean;
}

/** In URIs; a WebSocket is `ws` with TLS too (RFC 7118 §5.2). */
const TRANSPORT_PARAMETER = { udp: null, tcp: 'tcp', tls: 'tls', ws: 'ws', wss: 'ws' } as const;

const ALIAS: ReadonlyMap<string, string> = new Map([['alias', '']]);

/** How we name ourselves in messages. */
export class LocalEnd {
  /** For Allow. */
  readonly methods: readonly string[];
  private readonly options: LocalEndOptions;

  constructor(options: LocalEndOptions) {
    this.options = options;
    this.methods = [...new Set([...OWN_METHODS, ...(options.methods ?? [])])];
  }

  get allow(): string {
    return this.methods.join(', ');
  }

  /** What we can do, as the answer to OPTIONS says it (RFC 3261 §11.2). */
  get capabilities(): ReadonlyArray<readonly [string, string]> {
    return [
      ['Allow', this.allow],
      ['Accept', `application/sdp, ${INFO_TYPES}, message/sipfrag`],
      ['Accept-Encoding', 'identity'],
      SUPPORTED,
      this.allowEvents,
    ];
  }

  /** What can be subscribed to (RFC 6665 §8.2.2): what comes of a REFER, and what the application has. */
  get allowEvents(): readonly [string, string] {
    return ['Allow-Events', [...(this.options.events ?? []), 'refer'].join(', ')];
  }

  /** What the peer of a call needs to know of us, in INVITE and the 2xx to it. */
  get sessionCapabilities(): ReadonlyArray<readonly [string, string]> {
    return [['Allow', this.allow], SUPPORTED, this.allowEvents];
  }

  newTag(): string {
    return this.options.random.token();
  }

  /**
   * A Via with a new branch, for a request over this flow. Over TLS it allows the peer, who has seen our certificate, to
   * send its own requests over the connection too (RFC 5923 §8.1).
   */
  newVia(flow: Flow): Via {
    const branch = `${MAGIC_COOKIE}${this.options.random.token()}`;
    const via = createVia(flow.protocol.toUpperCase(), this.hostFor(flow), this.portOf(flow), branch);
    return flow.protocol === 'tls' ? withViaParameters(via, ALIAS) : via;
  }

  /**
   * `<sip:room@host:port;transport=tcp>;isfocus`: where a peer of this flow can reach us; with sips for those who called so
   * (RFC 3261 §12.1.1), which says TLS by itself (RFC 5630 §3.1.4).
   */
  contact(user: string | null, flow: Flow, scheme: 'sip' | 'sips' = 'sip'): string {
    return `<${this.uri(user, flow, scheme)}>${this.options.isFocus ? ';isfocus' : ''}`;
  }

  /** `<sip:host:port;transport=tcp;lr>`: a Route value by which a peer of this flow gets to us (RFC 3608 §6.3). */
  route(flow: Flow): string {
    return `<${this.uri(null, flow, 'sip')};lr>`;
  }

  private uri(user: string | null, flow: Flow, scheme: 'sip' | 'sips'): string {
    const transport = TRANSPORT_PARAMETER[flow.protocol];
    const named = transport !== null && !(scheme === 'sips' && transport === 'tls');
    const parameters = new Map(named ? [['transport', transport]] : []);
    return writeUri(createUri({ scheme, user, host: this.hostFor(flow), port: this.portOf(flow), parameters }));
  }

  /** A response with our Server field; `toTag` is put on To where that has no tag yet, null puts none (for 100). */
  createResponse(request: SipRequest, status: number, toTag: string | null, parts: ResponseParts = {}): SipResponse {
    const headers = [...(parts.headers ?? []), ['Server', SERVER] as const];
    return createResponse(request, status, { ...parts, headers, ...(toTag === null ? {} : { toTag }) });
  }

  private hostFor(flow: Flow): string {
    const { publicAddress } = this.options;
    return typeof publicAddress === 'string' ? publicAddress : ownAddressFor(publicAddress, flow.remoteAddress);
  }

  private portOf(flow: Flow): number {
    return this.options.ports[flow.protocol] ?? flow.localPort;
  }
}
