import type { DigestClient } from '../auth/digest-client.ts';
import { createRequest, type RequestParts } from '../message/create-message.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { type NameAddress, parseNameAddress } from '../message/name-address.ts';
import { reasonPhrase } from '../message/reason-phrases.ts';
import { createUri, type SipUri, writeUri } from '../message/uri.ts';
import { writeMessage } from '../message/write-message.ts';
import type { Flow } from '../transport/flow.ts';
import type { SdpText } from './call.ts';
import type { CallContext } from './call-context.ts';
import { ClientInvite } from './client-invite.ts';
import type { SessionId } from './session-id.ts';
import { minimumOf, requestSessionTimer } from './session-interval.ts';
import { Targets } from './targets.ts';
import type { Way } from './ways.ts';

/** Refusals that ask for another try at the same place: challenges, and intervals that are too small. */
const MAX_TRIES_AT_ONE_PLACE = 5;

/** For so long another place is preferred to one that could not be reached. */
const UNREACHABLE_S = 60;
const MAX_RETRY_AFTER_S = 3600;

/** Whom we call, and as whom. */
export interface Invitee {
  readonly target: SipUri;
  /** Name and URI that we call as; without a tag. */
  readonly from: NameAddress;
  readonly contactUser: string | null;
  readonly offer: SdpText;
  /** Who answers challenges; null or left out: nobody. */
  readonly digest?: DigestClient | null;
  /** Proxies that it must go by, in order. */
  readonly routes?: readonly NameAddress[];
  /** Further fields of the INVITE. */
  readonly headers?: ReadonlyArray<readonly [string, string]>;
}

export interface OutgoingInvitesUser {
  progressed(response: SipResponse, invite: ClientInvite): void;
  accepted(response: SipResponse, invite: ClientInvite): void;
  /** The INVITE at one place came to nothing; those who rang for it do so no more. */
  abandoned(): void;
  /** Nobody is left to ask. */
  failed(status: number, reason: string): void;
}

/**
 * The INVITEs of one call of ours, one after the other: to the places where a target can be reached (RFC 3263 §4.3), with
 * answers to challenges (RFC 3261 §22.2), and to the targets that redirects name (RFC 3261 §8.1.3.4).
 */
export class OutgoingInvites {
  private readonly invitee: Invitee;
  private readonly sessionId: SessionId;
  private readonly context: CallContext;
  private readonly user: OutgoingInvitesUser;
  private readonly targets: Targets;
  private readonly callId: string;
  private readonly from: NameAddress;
  private readonly to: NameAddress;
  private cseq = 0;
  private minimumS: number;
  private target: SipUri;
  private ways: readonly Way[] = [];
  private way: Way | null = null;
  private invite: ClientInvite | null = null;
  private triesHere = 0;
  private cancelled = false;
  /** What the last one said, should there be nobody left. */
  private lastStatus = 404;
  private lastReason = '';

  constructor(invitee: Invitee, sessionId: SessionId, context: CallContext, user: OutgoingInvitesUser) {
    const { target, from } = invitee;
    this.invitee = invitee;
    this.sessionId = sessionId;
    this.context = context;
    this.user = user;
    this.target = target;
    this.targets = new Targets(target);
    this.callId = context.random.token() + context.random.token();
    this.from = { ...from, parameters: new Map([['tag', context.local.newTag()]]) };
    this.to = parseNameAddress(`<${writeUri({ ...target, headers: new Map() })}>`)!;
    this.minimumS = context.sessionTimer.minimumS;
  }

  start(): void {
    // Later, so that nothing is told of a call before its maker has it.
    this.context.timers.set(0, () => this.nextTarget());
  }

  cancel(fields: ReadonlyArray<readonly [string, string]>): void {
    this.cancelled = true;
    this.invite?.cancel(fields);
  }

  private nextTarget(): void {
    if (this.cancelled) return;
    const target = this.targets.next();
    if (target === null) {
      this.user.failed(this.lastStatus, this.lastReason === '' ? reasonPhrase(this.lastStatus) : this.lastReason);
      return;
    }
    this.target = target;
    const hop = this.invitee.routes?.[0]?.uri ?? target;
    this.context.ways.find(hop, (ways, status) => {
      this.ways = ways;
      if (status !== undefined) {
        this.lastStatus = status;
        this.lastReason = '';
      }
      this.nextWay();
    });
  }

  /** The next place for the same target; when there is none left, the next target. */
  private nextWay(): void {
    if (this.cancelled) return;
    const [way, ...others] = this.ways;
    this.ways = others;
    if (way === undefined) return this.nextTarget();
    this.triesHere = 0;
    this.way = way;
    way.open(0, (flow) => {
      // How long the request is depends on the flow, and the flow on how long it is.
      if (flow === null || flow.reliable) this.opened(flow);
      else way.open(writeMessage(this.create(flow)).length, (fitting) => this.opened(fitting));
    });
  }

  private opened(flow: Flow | null): void {
    if (this.cancelled) return;
    if (flow === null) this.unreachable(503);
    else this.send(flow);
  }

  private send(flow: Flow): void {
    this.triesHere++;
    this.cseq++;
    const invite: ClientInvite = new ClientInvite(this.context, {
      progressed: (response) => this.user.progressed(response, invite),
      accepted: (response) => this.user.accepted(response, invite),
      refused: (response) => this.refused(response, flow),
      failed: (failure) => this.unreachable(failure === 'timeout' ? 408 : 503),
    });
    this.invite = invite;
    const request = this.create(flow);
    invite.sending(request, flow);
    invite.sent(this.context.transactions.send(request, flow, invite));
  }

  private refused(response: SipResponse, flow: Flow): void {
    const { status, reason } = response;
    const { digest } = this.invitee;
    this.user.abandoned();
    this.lastStatus = status;
    this.lastReason = reason;
    if (this.cancelled) return;
    const again = this.triesHere < MAX_TRIES_AT_ONE_PLACE;
    const challenged = status === 401 || status === 407;
    if (challenged && again && digest?.challenged(response) === 'retry') return this.send(flow);
    if (!challenged) digest?.answered(response);
    if (status === 422 && again && minimumOf(response.headers) > this.minimumS) {
      this.minimumS = minimumOf(response.headers);
      return this.send(flow);
    }
    if (status === 503) {
      this.way?.unavailable(retryAfterOf(response));
      return this.nextWay();
    }
    if (status < 400) this.targets.redirect(response);
    // Whoever says so speaks for all (RFC 3261 §21.6).
    if (status >= 600) this.user.failed(status, reason);
    // Another phone of the same user may take it (RFC 3261 §16.7 step 5).
    else if (this.way?.contact !== undefined) this.nextWay();
    else this.nextTarget();
  }

  /** Nobody answered, or the way broke: there may be another one (RFC 3263 §4.3). */
  private unreachable(status: 408 | 503): void {
    this.user.abandoned();
    this.lastStatus = status;
    this.lastReason = '';
    this.way?.unavailable(UNREACHABLE_S);
    this.nextWay();
  }

  private create(flow: Flow): SipRequest {
    const { invitee, context, target } = this;
    const { local } = context;
    const contact = this.way?.contact;
    const uri = createUri({ ...(contact?.uri ?? target), headers: new Map() });
    const routes = (contact?.routes ?? invitee.routes ?? []).map(({ uriText }) => `<${uriText}>`);
    const parts: RequestParts = {
      method: 'INVITE',
      requestUri: writeUri(uri),
      via: local.newVia(flow),
      from: this.from,
      to: this.to,
      callId: this.callId,
      cseqNumber: this.cseq,
      routes,
      headers: [
        ['Contact', local.contact(invitee.contactUser, flow, target.scheme)],
        ...local.sessionCapabilities,
        ...requestSessionTimer(context.sessionTimer, null, this.minimumS),
        this.sessionId.field,
        ...(invitee.headers ?? []),
      ],
      body: invitee.offer,
      contentType: 'application/sdp',
    };
    const request = createRequest(parts);
    for (const [name, value] of invitee.digest?.credentials(request) ?? []) request.headers.add(name, value);
    return request;
  }
}

/** Of a 503; 0 without the field. */
function retryAfterOf(response: SipResponse): number {
  const seconds = /^\s*(\d{1,9})/.exec(response.headers.get('retry-after') ?? '')?.[1];
  return Math.min(Number(seconds ?? 0), MAX_RETRY_AFTER_S);
}
