import type { Way, Ways } from '../dialog/ways.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import type { SipUri } from '../message/uri.ts';
import type { Via } from '../message/via.ts';
import { writeMessage } from '../message/write-message.ts';
import type { ClientTransaction, ClientTransactionUser } from '../transaction/client-transaction.ts';
import type { TransactionLayer } from '../transaction/transaction-layer.ts';
import type { Flow } from '../transport/flow.ts';
import { withTopVia } from '../transport/via-routing.ts';

/** What sending to URIs needs of those around it. */
export interface FailoverContext {
  readonly transactions: TransactionLayer;
  readonly ways: Ways;
  /** With a branch of its own. */
  readonly newVia: (flow: Flow) => Via;
}

export interface TargetUser extends ClientTransactionUser {
  /** The request went out, as it is given here: at once, and again for each further place. */
  sent?(request: SipRequest, transaction: ClientTransaction): void;
}

/** After no answer, or no connection. */
const UNREACHABLE_S = 60;
const MAX_RETRY_AFTER_S = 3_600;

/**
 * A request outside of dialogs, other than INVITE, on its way to where a URI leads: to one place after another, each time
 * with a new branch, until one answers with anything but 503 (RFC 3263 §4.3).
 */
export class TargetedRequest {
  private readonly context: FailoverContext;
  private readonly request: SipRequest;
  private readonly user: TargetUser;
  private left: Way[] = [];
  private lastRefusal: SipResponse | null = null;

  /** `request` is as it will be sent, but for its topmost Via. */
  constructor(context: FailoverContext, request: SipRequest, user: TargetUser) {
    this.context = context;
    this.request = request;
    this.user = user;
  }

  /** Begins. `user.failed('transport-error')` also says that the URI leads nowhere. */
  sendTo(uri: SipUri): void {
    this.context.ways.find(uri, (ways) => {
      this.left = [...ways];
      this.next();
    });
  }

  private next(): void {
    const way = this.left.shift();
    if (way === undefined) {
      if (this.lastRefusal !== null) this.user.response(this.lastRefusal);
      else this.user.failed('transport-error');
      return;
    }
    way.open(writeMessage(this.request).length, (flow) => {
      if (flow !== null) {
        this.sendOver(flow, way);
      } else {
        way.unavailable(UNREACHABLE_S);
        this.next();
      }
    });
  }

  private sendOver(flow: Flow, way: Way): void {
    const request = withTopVia(this.request, this.context.newVia(flow));
    let begun = false;
    const transaction = this.context.transactions.send(request, flow, {
      response: (response) => {
        begun = true;
        if (response.status === 503) this.refused(response, way);
        else this.user.response(response);
      },
      failed: (failure) => {
        way.unavailable(UNREACHABLE_S);
        // Who began to work on it may have done it.
        if (begun || this.left.length === 0) this.user.failed(failure);
        else this.next();
      },
    });
    this.user.sent?.(request, transaction);
  }

  private refused(response: SipResponse, way: Way): void {
    const retryAfterS = Number.parseInt(response.headers.get('retry-after') ?? '', 10);
    if (retryAfterS > 0) way.unavailable(Math.min(retryAfterS, MAX_RETRY_AFTER_S));
    this.lastRefusal = response;
    this.next();
  }
}
