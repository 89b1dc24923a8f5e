import type { Timer } from '../../timers.ts';
import { quote } from '../message/header-value.ts';
import type { SipResponse } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';
import type { Call, CallEnd, CallHandler, ReofferResult, SdpText } from './call.ts';
import type { CallContext } from './call-context.ts';
import type { ClientInvite } from './client-invite.ts';
import { Dialog, tagOf } from './dialog.ts';
import { Fork, type ForkOwner } from './fork.ts';
import { type Invitee, OutgoingInvites, type SentInvite } from './outgoing-invites.ts';
import { readSessionBody, sdpOf } from './session-body.ts';
import { SessionId } from './session-id.ts';
import type { PeerContact } from './ways.ts';

const USUAL_ANSWER_TIMEOUT_MS = 60_000;

/** More than so many who ring for one call are not listened to; each is a dialog that we keep. */
const MAX_FORKS = 64;

/** RFC 3326: the phones that ring on need not say that a call was missed. */
const ANSWERED_ELSEWHERE = ['Reason', 'SIP;cause=200;text="Call completed elsewhere"'] as const;

export interface OutgoingCallOptions extends Invitee {
  /** How long it may ring; 60 s unless told. */
  readonly answerTimeoutMs?: number;
}

/** A call that we make: its INVITEs, all who ring for them, and the one who answers. */
export class OutgoingCall implements Call, ForkOwner {
  readonly id: string;
  readonly sessionId: string;
  readonly handler: CallHandler;
  current: Fork | null = null;

  private readonly options: OutgoingCallOptions;
  private readonly context: CallContext;
  private readonly identifier: SessionId;
  private readonly invites: OutgoingInvites;
  private forks: Fork[] = [];
  private state: 'calling' | 'answered' | 'ended' = 'calling';
  private readonly answerTimer: Timer;

  constructor(id: string, options: OutgoingCallOptions, handler: CallHandler, context: CallContext) {
    this.id = id;
    this.options = options;
    this.handler = handler;
    this.context = context;
    this.identifier = new SessionId(context.random);
    this.sessionId = this.identifier.local;
    this.invites = new OutgoingInvites(options, this.identifier, context, {
      progressed: (response, sent) => this.progressed(response, sent),
      accepted: (response, sent) => this.accepted(response, sent),
      abandoned: (invite) => this.dropForksOf(invite),
      failed: (status, reason) => this.end({ cause: 'rejected', status, reason }),
    });
    const answerTimeoutMs = options.answerTimeoutMs ?? USUAL_ANSWER_TIMEOUT_MS;
    this.answerTimer = context.timers.set(answerTimeoutMs, () => this.giveUp({ cause: 'no-answer' }));
  }

  /** Sends the INVITE. What comes of it is told later, never within this call. */
  start(): void {
    this.invites.start();
  }

  get call(): Call {
    return this;
  }

  get callId(): string {
    return this.invites.callId;
  }

  get flow(): Flow | null {
    return this.current?.session.client.flow ?? null;
  }

  get contact(): PeerContact | null {
    return this.current?.session.peerContact ?? null;
  }

  hangUp(reason?: string): void {
    if (this.state === 'calling') this.giveUp({ cause: 'cancelled' }, reason);
    else this.current?.session.hangUp(reason);
  }

  probe(): Promise<boolean> {
    return this.current?.session.probe() ?? Promise.resolve(this.state === 'calling');
  }

  askKeyFrame(): void {
    this.current?.session.askKeyFrame();
  }

  reoffer(offer: (() => SdpText) | null, concluded: (result: ReofferResult) => void): void {
    if (this.current === null) concluded({ status: 481 });
    else this.current.session.reoffers.offer(offer, concluded);
  }

  refer(target: string, told: (status: number) => void): void {
    if (this.current === null) told(481);
    else this.current.session.referrals.refer(target, told);
  }

  forkEnded(fork: Fork, end: CallEnd): void {
    // One that rings may well end; another may answer.
    if (fork !== this.current) return;
    if (this.state === 'answered') this.end(end);
    else this.current = null;
  }

  private progressed(response: SipResponse, sent: SentInvite): void {
    if (this.state !== 'calling') return;
    this.identifier.learn(response);
    this.handler.progressed(response.status, response.reason);
    const fork = this.forkOf(response, sent);
    if (fork === null || fork.session.state === 'ended') return;
    // The first with sound is listened to.
    const heard = this.current !== null && this.current.session.remoteSdp !== null;
    if (!heard && (this.current === null || sdpOf(readSessionBody(response)) !== null)) this.current = fork;
    fork.progressed(response);
  }

  private accepted(response: SipResponse, sent: SentInvite): void {
    const { invite } = sent;
    const fork = this.forkOf(response, sent);
    // Without a Contact no request reaches it, not even the ACK.
    if (fork === null) {
      if (this.state === 'calling') this.giveUp({ cause: 'rejected', status: 502, reason: 'Answer without a Contact' });
      return;
    }
    if (this.state !== 'calling' || fork.session.state === 'ended') return fork.dismiss(response);
    this.identifier.learn(response);
    this.state = 'answered';
    this.answerTimer.clear();
    const known = fork === this.current ? fork.session.remoteSdp : null;
    this.current = fork;
    const answer = fork.accepted(response);
    for (const other of this.forks) {
      if (other !== fork) other.drop();
    }
    this.forks = this.forks.filter((one) => one.invite === invite);
    this.invites.cancel([ANSWERED_ELSEWHERE]);
    this.handler.confirmed(answer === known ? null : answer);
  }

  /** The dialog that a response belongs to (RFC 3261 §12.1.2); null when it makes none. */
  private forkOf(response: SipResponse, { invite, digest }: SentInvite): Fork | null {
    const tag = tagOf(response.to);
    const known = this.forks.find((fork) => fork.invite === invite && tagOf(fork.session.dialog.remote) === tag);
    if (known !== undefined) return known;
    const wanted = response.status >= 200 && this.state === 'calling';
    if (this.forks.length >= MAX_FORKS && !wanted) return null;
    const dialog = tag === '' && response.status < 200 ? null : Dialog.ofClient(invite.request, response);
    if (dialog === null) return null;
    const { flow } = invite;
    const { contactUser, offer, target } = this.options;
    const contact = { contactUser, contactScheme: target.scheme };
    const parts = { dialog, flow, invited: false, ...contact, sessionId: this.identifier, digest };
    const fork = new Fork(parts, invite, offer, this, this.context);
    this.forks.push(fork);
    return fork;
  }

  /** Ends a call that nobody answered yet; one who still does gets ACK and BYE. */
  private giveUp(end: CallEnd, reason?: string): void {
    if (this.state !== 'calling') return;
    this.invites.cancel(reason === undefined ? [] : [['Reason', `SIP;text=${quote(reason)}`]]);
    this.end(end);
  }

  private dropForksOf(invite: ClientInvite): void {
    for (const fork of this.forks) if (fork.invite === invite) fork.drop();
    this.forks = this.forks.filter((fork) => fork.invite !== invite);
  }

  private end(end: CallEnd): void {
    if (this.state === 'ended') return;
    const answered = this.state === 'answered';
    this.state = 'ended';
    this.answerTimer.clear();
    if (!answered) {
      for (const fork of this.forks) fork.drop();
    }
    this.handler.ended(end);
  }
}
