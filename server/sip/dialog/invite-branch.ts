import type { DigestClient } from '../auth/digest-client.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { SipUri } from '../message/uri.ts';
import { writeMessage } from '../message/write-message.ts';
import { type Flow, MAX_UDP_REQUEST_BYTES } from '../transport/flow.ts';
import { ClientInvite } from './client-invite.ts';
import type { OutgoingInvites } from './outgoing-invites.ts';
import { minimumOf } from './session-interval.ts';
import { TargetHunt } from './target-hunt.ts';
import type { Way } from './ways.ts';

/** Refusals that ask for another try at the same place: challenges, and intervals that are too small. */
const MAX_TRIES_AT_ONE_PLACE = 5;

/** For so long another place is preferred to one that could not be reached. */
const UNREACHABLE_S = 60;
const MAX_RETRY_AFTER_S = 3600;

/**
 * One branch of a call of ours (RFC 3261 §16.6): its INVITE goes to one place after the other until one answers
 * (RFC 3263 §4.3), again with answers to challenges (RFC 3261 §22.2), and to where it is redirected (RFC 3261 §8.1.3.4).
 */
export class InviteBranch {
  private readonly invites: OutgoingInvites;
  private readonly target: SipUri;
  private readonly ways: Way[];
  private readonly ended: (branch: InviteBranch) => void;
  private readonly digest: DigestClient | null;
  private cseq: number;
  private way: Way | null = null;
  private invite: ClientInvite | null = null;
  private redirected: TargetHunt | null = null;
  private triesHere = 0;
  private cancelled = false;
  private over = false;

  /** `ended` is called once, unless somebody answers. The first INVITE has that CSeq. */
  constructor(
    invites: OutgoingInvites,
    target: SipUri,
    ways: readonly Way[],
    cseq: number,
    ended: (branch: InviteBranch) => void,
  ) {
    this.invites = invites;
    this.target = target;
    this.ways = [...ways];
    this.cseq = cseq;
    this.ended = ended;
    this.digest = invites.newDigest();
  }

  start(): void {
    this.nextWay();
  }

  /** Does nothing where somebody has answered. */
  cancel(fields: ReadonlyArray<readonly [string, string]>): void {
    if (this.over) return;
    this.cancelled = true;
    this.redirected?.cancel(fields);
    if (this.invite === null) this.end();
    else this.invite.cancel(fields);
  }

  /** The next place for the same target. */
  private nextWay(): void {
    const way = this.ways.shift();
    if (way === undefined || this.cancelled) return this.end();
    this.triesHere = 0;
    this.way = way;
    way.open(0, (flow) => {
      // How long the request is depends on the flow, and the flow on how long it is.
      if (flow === null || flow.reliable) return this.opened(flow);
      const measured = this.create(flow);
      way.open(writeMessage(measured).length, (fitting) => this.opened(fitting, measured));
    });
  }

  /** `measured` is the INVITE for the flow that was opened before, to find out how long it is. */
  private opened(flow: Flow | null, measured?: SipRequest): void {
    if (this.cancelled) return this.end();
    if (flow === null) this.unreachable(503);
    else this.send(flow, this.create(flow, measured));
  }

  private send(flow: Flow, request: SipRequest): void {
    this.triesHere++;
    const { context, user } = this.invites;
    const { digest } = this;
    const invite: ClientInvite = new ClientInvite(context, {
      progressed: (response) => user.progressed(response, { invite, digest }),
      accepted: (response) => user.accepted(response, { invite, digest }),
      refused: (response) => this.refused(response, invite),
      failed: (failure) => {
        this.closed(invite);
        this.unreachable(failure === 'timeout' ? 408 : 503);
      },
    });
    this.invite = invite;
    invite.sending(request, flow);
    invite.sent(context.transactions.send(request, flow, invite));
  }

  /** Credentials may have made it too long for UDP (RFC 3261 §18.1.1). */
  private sendAgain(flow: Flow): void {
    this.cseq = this.invites.nextCseq();
    const request = this.create(flow);
    const bytes = flow.reliable ? 0 : writeMessage(request).length;
    if (bytes <= MAX_UDP_REQUEST_BYTES) this.send(flow, request);
    else this.way?.open(bytes, (fitting) => this.opened(fitting, request));
  }

  private refused(response: SipResponse, invite: ClientInvite): void {
    const { status, reason } = response;
    const { digest, invites } = this;
    this.closed(invite);
    const again = this.triesHere < MAX_TRIES_AT_ONE_PLACE && !this.cancelled;
    const challenged = status === 401 || status === 407;
    if (challenged && again && digest?.challenged(response) === 'retry') return this.sendAgain(invite.flow);
    if (!challenged) digest?.answered(response);
    if (status === 422 && again && minimumOf(response.headers) > minimumOf(invite.request.headers)) {
      invites.minimumS = Math.max(invites.minimumS, minimumOf(response.headers));
      return this.sendAgain(invite.flow);
    }
    // What comes of a CANCEL is no news.
    if (this.cancelled) return this.end();
    if (status >= 600) {
      this.over = true;
      return invites.declined(status, reason);
    }
    if (status < 400 && this.redirect(response)) return;
    invites.finals.add(status, reason);
    if (status !== 503) return this.end();
    this.way?.unavailable(retryAfterOf(response));
    this.tryNextWay();
  }

  /** False when it leads nowhere new. */
  private redirect(response: SipResponse): boolean {
    const targets = this.invites.targets.redirectedTo(response);
    if (targets.length === 0) return false;
    this.redirected = new TargetHunt(this.invites, targets, () => this.end());
    this.redirected.start();
    return true;
  }

  /** Nobody answered, or the way broke: there may be another one (RFC 3263 §4.3). */
  private unreachable(status: 408 | 503): void {
    if (this.cancelled) return this.end();
    this.invites.finals.add(status, '');
    this.way?.unavailable(UNREACHABLE_S);
    this.tryNextWay();
  }

  private tryNextWay(): void {
    if (this.ways.length > 0) this.cseq = this.invites.nextCseq();
    this.digest?.moved();
    this.nextWay();
  }

  private closed(invite: ClientInvite): void {
    this.invite = null;
    this.invites.user.abandoned(invite);
  }

  private end(): void {
    if (this.over) return;
    this.over = true;
    this.ended(this);
  }

  private create(flow: Flow, instead?: SipRequest): SipRequest {
    const { target, cseq, digest } = this;
    return this.invites.create({ flow, target, contact: this.way?.contact, cseq, digest, instead });
  }
}

/** Of a 503; 0 without the field. */
function retryAfterOf(response: SipResponse): number {
  const seconds = /^\s*(\d{1,9})/.exec(response.headers.get('retry-after') ?? '')?.[1];
  return Math.min(Number(seconds ?? 0), MAX_RETRY_AFTER_S);
}
