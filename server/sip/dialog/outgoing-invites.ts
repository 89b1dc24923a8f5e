import { credentialsOf, type DigestClient } from '../auth/digest-client.ts';
import { createRequest } from '../message/create-message.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { type NameAddress, parseNameAddress } from '../message/name-address.ts';
import { reasonPhrase } from '../message/reason-phrases.ts';
import { createUri, type SipUri, writeUri } from '../message/uri.ts';
import type { Flow } from '../transport/flow.ts';
import type { SdpText } from './call.ts';
import type { CallContext } from './call-context.ts';
import type { ClientInvite } from './client-invite.ts';
import { FinalResponses } from './final-responses.ts';
import type { SessionId } from './session-id.ts';
import { requestSessionTimer } from './session-interval.ts';
import { TargetHunt } from './target-hunt.ts';
import { Targets } from './targets.ts';
import type { PeerContact } from './ways.ts';

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

/** An INVITE of a call, and who answers challenges there. */
export interface SentInvite {
  readonly invite: ClientInvite;
  readonly digest: DigestClient | null;
}

export interface OutgoingInvitesUser {
  progressed(response: SipResponse, sent: SentInvite): void;
  accepted(response: SipResponse, sent: SentInvite): void;
  /** The INVITE came to nothing; those who rang for it do so no more. */
  abandoned(invite: ClientInvite): void;
  /** Nobody is left to ask. */
  failed(status: number, reason: string): void;
}

/** Where an INVITE goes, and what of it differs from the others of the call. */
export interface InviteTo {
  readonly flow: Flow;
  readonly target: SipUri;
  readonly contact: PeerContact | undefined;
  readonly cseq: number;
  readonly digest: DigestClient | null;
  /** The same for another flow, which was not sent: its credentials are for this one. */
  readonly instead?: SipRequest | undefined;
}

/** More than these places are never asked for one call. */
const MAX_BRANCHES = 32;

/**
 * The INVITEs of one call of ours. They differ in branch and place only, as those of a proxy that forks do: so a phone
 * that is reached in two ways rings once (RFC 3261 §8.2.2.2).
 */
export class OutgoingInvites {
  readonly context: CallContext;
  readonly user: OutgoingInvitesUser;
  readonly targets: Targets;
  readonly finals = new FinalResponses();
  readonly callId: string;
  /** Of session timers, in seconds; one who asks for more asks for all. */
  minimumS: number;

  private readonly invitee: Invitee;
  private readonly sessionId: SessionId;
  private readonly from: NameAddress;
  private readonly to: NameAddress;
  private readonly hunt: TargetHunt;
  private cseq = 0;
  private branches = 0;
  private over = false;

  constructor(invitee: Invitee, sessionId: SessionId, context: CallContext, user: OutgoingInvitesUser) {
    const { target, from } = invitee;
    this.invitee = invitee;
    this.sessionId = sessionId;
    this.context = context;
    this.user = user;
    this.targets = new Targets(target);
    this.callId = context.random.token() + context.random.token();
    this.from = { ...from, parameters: new Map([['tag', context.local.newTag()]]) };
    this.to = parseNameAddress(`<${writeUri({ ...target, headers: new Map() })}>`)!;
    this.minimumS = context.sessionTimer.minimumS;
    this.hunt = new TargetHunt(this, [target], () => this.concluded());
  }

  start(): void {
    // Later, so that nothing is told of a call before its maker has it.
    this.context.timers.set(0, () => this.hunt.start());
  }

  /** CANCEL to all but those who have answered; nothing is told of the others any more, but their answers (RFC 3261 §16.7). */
  cancel(fields: ReadonlyArray<readonly [string, string]>): void {
    this.over = true;
    this.hunt.cancel(fields);
  }

  /** Who says so speaks for all (RFC 3261 §21.6, §16.7 step 5). */
  declined(status: number, reason: string): void {
    this.finals.add(status, reason);
    if (this.over) return;
    this.cancel([]);
    this.user.failed(status, reason);
  }

  nextCseq(): number {
    return ++this.cseq;
  }

  /** Whether one more place may be asked. */
  takeBranch(): boolean {
    return ++this.branches <= MAX_BRANCHES;
  }

  /** The first hop to a target. */
  hopTo(target: SipUri): SipUri {
    return this.invitee.routes?.[0]?.uri ?? target;
  }

  /** For one branch: each has challenges of its own. */
  newDigest(): DigestClient | null {
    return this.invitee.digest?.another() ?? null;
  }

  create({ flow, target, contact, cseq, digest, instead }: InviteTo): SipRequest {
    const { invitee, context } = this;
    const { local } = context;
    const request = createRequest({
      method: 'INVITE',
      requestUri: writeUri(createUri({ ...(contact?.uri ?? target), headers: new Map() })),
      via: local.newVia(flow),
      from: this.from,
      to: this.to,
      callId: this.callId,
      cseqNumber: cseq,
      routes: (contact?.routes ?? invitee.routes ?? []).map(({ uriText }) => `<${uriText}>`),
      headers: [
        ['Contact', local.contact(invitee.contactUser, flow, target.scheme)],
        ...local.sessionCapabilities,
        ...requestSessionTimer(context.sessionTimer, null, this.minimumS),
        this.sessionId.field,
        ...(invitee.headers ?? []),
      ],
      body: invitee.offer,
      contentType: 'application/sdp',
    });
    const credentials = instead === undefined ? digest?.credentials(request) : credentialsOf(instead);
    for (const [name, value] of credentials ?? []) request.headers.add(name, value);
    return request;
  }

  private concluded(): void {
    if (this.over) return;
    this.over = true;
    const { status, reason } = this.finals.told;
    this.user.failed(status, reason === '' ? reasonPhrase(status) : reason);
  }
}
