import type { SipRequest } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Flow } from '../transport/flow.ts';
import type {
  Call,
  CallEnd,
  CallHandler,
  IncomingCall,
  ProgressOptions,
  RejectOptions,
  ReofferResult,
  SdpText,
} from './call.ts';
import type { CallContext } from './call-context.ts';
import { CallSession, type SessionUser } from './call-session.ts';
import type { Dialog } from './dialog.ts';
import type { InviteExchange } from './invite-exchange.ts';
import { SessionId } from './session-id.ts';
import type { PeerContact } from './ways.ts';

export interface Invitation {
  readonly id: string;
  readonly invite: SipRequest;
  readonly offer: SdpText | null;
  readonly transaction: ServerTransaction;
  readonly dialog: Dialog;
  readonly replaces: Call | null;
  readonly joins: Call | null;
}

/** A call that came in: its INVITE until the final response, then what goes on in its session. */
export class InvitedCall implements IncomingCall, SessionUser {
  readonly id: string;
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly offer: SdpText | null;
  readonly replaces: Call | null;
  readonly joins: Call | null;
  readonly sessionId: string;
  handler: CallHandler | null = null;

  private readonly context: CallContext;
  private readonly session: CallSession;
  /** The first INVITE of the dialog. */
  private readonly exchange: InviteExchange;
  private answering = false;

  constructor({ id, invite, offer, transaction, dialog, replaces, joins }: Invitation, context: CallContext) {
    this.id = id;
    this.request = invite;
    this.flow = transaction.flow;
    this.offer = offer;
    this.replaces = replaces;
    this.joins = joins;
    this.context = context;
    const sessionId = new SessionId(context.random);
    sessionId.learn(invite);
    this.sessionId = sessionId.local;
    const contact = { contactUser: invite.uri?.user ?? null, contactScheme: invite.uri?.scheme ?? 'sip' } as const;
    const { flow } = this;
    this.session = new CallSession({ dialog, flow, invited: true, ...contact, sessionId, digest: null }, this, context);
    this.exchange = this.session.incoming.begin(invite, transaction, offer, {
      cancelled: (reason) => this.refuse(487, {}, { cause: 'cancelled', ...(reason === undefined ? {} : { reason }) }),
      unanswered: (status) => this.reject(status),
    });
  }

  get call(): Call {
    return this;
  }

  get callId(): string {
    return this.request.callId;
  }

  get contact(): PeerContact | null {
    return this.session.peerContact;
  }

  handle(handler: CallHandler): void {
    if (this.handler !== null) throw new Error(`call ${this.id} has a handler already`);
    this.handler = handler;
  }

  ended(end: CallEnd): void {
    this.handler?.ended(end);
  }

  progress(status: number, options: ProgressOptions = {}): void {
    if (status <= 100 || status >= 200) throw new Error(`${status} is not a provisional response`);
    if (this.session.state === 'early') this.session.incoming.progress(this.exchange, status, options);
  }

  accept(sdp: SdpText): void {
    if (this.session.state !== 'early' || this.answering) return;
    this.answering = true;
    this.session.incoming.accept(this.exchange, sdp, () => {
      this.session.state = 'established';
    });
  }

  reject(status: number, options: RejectOptions = {}): void {
    this.refuse(status, options, { cause: 'rejected', status });
  }

  hangUp(reason?: string): void {
    if (this.session.state === 'early') this.reject(480);
    else this.session.hangUp(reason);
  }

  probe(): Promise<boolean> {
    return this.session.probe();
  }

  askKeyFrame(): void {
    this.session.askKeyFrame();
  }

  reoffer(offer: (() => SdpText) | null, concluded: (result: ReofferResult) => void): void {
    this.session.reoffers.offer(offer, concluded);
  }

  refer(target: string, told: (status: number) => void): void {
    this.session.referrals.refer(target, told);
  }

  private refuse(status: number, options: RejectOptions, end: CallEnd): void {
    const { session } = this;
    if (session.state !== 'early') return;
    session.incoming.refuse(this.exchange, status, options);
    session.end(end);
    this.context.forget(session);
  }
}
