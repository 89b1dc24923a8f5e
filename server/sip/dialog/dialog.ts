import { createRequest } from '../message/create-message.ts';
import { splitList } from '../message/header-value.ts';
import type { Headers } from '../message/headers.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { type NameAddress, parseNameAddress, writeNameAddress } from '../message/name-address.ts';
import { type SipUri, writeUri } from '../message/uri.ts';
import type { Via } from '../message/via.ts';

/** By which a dialog is found; absent tags, of RFC 2543 peers, count as '' (RFC 3261 §12.1.1). */
export function dialogId(callId: string, localTag: string, remoteTag: string): string {
  return `${callId} ${localTag} ${remoteTag}`;
}

export interface DialogRequestParts {
  headers?: ReadonlyArray<readonly [string, string]>;
  body?: string;
  contentType?: string;
  /** Of the INVITE that an ACK acknowledges; other requests get the next number. */
  cseqNumber?: number;
}

interface DialogParts {
  readonly callId: string;
  readonly local: NameAddress;
  readonly remote: NameAddress;
  readonly routeSet: readonly NameAddress[];
  readonly remoteTarget: NameAddress;
  readonly localSequence: number;
  readonly remoteSequence: number | null;
}

/** The state that two user agents keep of their dialog (RFC 3261 §12). */
export class Dialog {
  readonly callId: string;
  /** Our URI and tag. */
  readonly local: NameAddress;
  /** The peer's. */
  readonly remote: NameAddress;
  private routes: readonly NameAddress[];
  private target: NameAddress;
  private localSequence: number;
  private remoteSequence: number | null;

  private constructor(parts: DialogParts) {
    this.callId = parts.callId;
    this.local = parts.local;
    this.remote = parts.remote;
    this.routes = parts.routeSet;
    this.target = parts.remoteTarget;
    this.localSequence = parts.localSequence;
    this.remoteSequence = parts.remoteSequence;
  }

  /**
   * As the server of the INVITE (RFC 3261 §12.1.1); null when its Contact is missing. RFC 2543 asked for none: callers of
   * its time, who have no tag, are reached by their From (RFC 2543 §6.13).
   */
  static ofServer(invite: SipRequest, localTag: string): Dialog | null {
    const remoteTarget = contactOf(invite.headers) ?? (invite.from.parameters.has('tag') ? null : invite.from);
    if (remoteTarget === null) return null;
    return new Dialog({
      callId: invite.callId,
      local: { ...invite.to, parameters: new Map([...invite.to.parameters, ['tag', localTag]]) },
      remote: invite.from,
      routeSet: recordRoutesOf(invite.headers),
      remoteTarget,
      localSequence: 0,
      remoteSequence: invite.cseq.number,
    });
  }

  /** As the client of the INVITE, from a response with a To tag (RFC 3261 §12.1.2); null when its Contact is missing. */
  static ofClient(invite: SipRequest, response: SipResponse): Dialog | null {
    const remoteTarget = contactOf(response.headers);
    if (remoteTarget === null) return null;
    return new Dialog({
      callId: invite.callId,
      local: invite.from,
      remote: response.to,
      routeSet: recordRoutesOf(response.headers).reverse(),
      remoteTarget,
      localSequence: invite.cseq.number,
      remoteSequence: null,
    });
  }

  get id(): string {
    return dialogId(this.callId, tagOf(this.local), tagOf(this.remote));
  }

  get localTag(): string {
    return tagOf(this.local);
  }

  get routeSet(): readonly NameAddress[] {
    return this.routes;
  }

  /** Where the peer wants to get requests. */
  get remoteTarget(): NameAddress {
    return this.target;
  }

  /** Takes note of a request's CSeq; false when it is out of order and gets 500 (RFC 3261 §12.2.2). */
  takeInOrder(request: SipRequest): boolean {
    if (this.remoteSequence !== null && request.cseq.number < this.remoteSequence) return false;
    this.remoteSequence = request.cseq.number;
    return true;
  }

  /** The Contact of an accepted re-INVITE, or of the 2xx to one, is the new remote target (RFC 3261 §12.2). */
  refreshTarget(message: SipRequest | SipResponse): void {
    this.target = contactOf(message.headers) ?? this.target;
  }

  /** The 2xx to our INVITE has the final route set and target; CSeq numbers go on (RFC 3261 §13.2.2.4). */
  confirm(response: SipResponse): void {
    this.routes = recordRoutesOf(response.headers).reverse();
    this.refreshTarget(response);
  }

  /** A request within the dialog, by loose or strict routing as the first route wants it (RFC 3261 §12.2.1.1). */
  createRequest(method: string, via: Via, parts: DialogRequestParts = {}): SipRequest {
    const { cseqNumber, ...content } = parts;
    const [, ...rest] = this.routeSet;
    const strict = this.strictRoute !== null;
    return createRequest({
      method,
      requestUri: this.requestUri,
      via,
      from: this.local,
      to: this.remote,
      callId: this.callId,
      cseqNumber: cseqNumber ?? ++this.localSequence,
      routes: strict
        ? [...rest.map(writeNameAddress), `<${this.target.uriText}>`]
        : this.routeSet.map(writeNameAddress),
      ...content,
    });
  }

  /** Whether one of ours that was made before can go out as it is: none was made since, and the peer is where it was. */
  isDue({ cseq, requestUri }: SipRequest): boolean {
    return cseq.number === this.localSequence && requestUri === this.requestUri;
  }

  private get requestUri(): string {
    return asRequestUri(this.strictRoute ?? this.target);
  }

  private get strictRoute(): NameAddress | null {
    const [first] = this.routeSet;
    return first?.uri != null && !first.uri.parameters.has('lr') ? first : null;
  }
}

export function tagOf(address: NameAddress): string {
  return address.parameters.get('tag') ?? '';
}

function contactOf(headers: Headers): NameAddress | null {
  const [contact] = splitList(headers.get('contact') ?? '');
  return contact === undefined ? null : parseNameAddress(contact);
}

function recordRoutesOf(headers: Headers): NameAddress[] {
  const routes: NameAddress[] = [];
  for (const line of headers.all('record-route')) {
    for (const value of splitList(line)) {
      const route = parseNameAddress(value);
      if (route !== null) routes.push(route);
    }
  }
  return routes;
}

/** Without what a Request-URI must not have: headers and the `method` parameter (RFC 3261 §19.1.1). */
function asRequestUri({ uri, uriText }: NameAddress): string {
  if (uri === null || (uri.headers.size === 0 && !uri.parameters.has('method'))) return uriText;
  const parameters = new Map([...uri.parameters].filter(([name]) => name !== 'method'));
  const bare: SipUri = { ...uri, parameters, headers: new Map() };
  return writeUri(bare);
}
