import type { ResponseParts } from '../message/create-message.ts';
import type { SipRequest } from '../message/message.ts';
import type { ServerTransaction } from '../transaction/server-transaction.ts';
import type { Flow } from '../transport/flow.ts';
import type { CallContext } from './call-context.ts';
import type { CallSession } from './call-session.ts';
import { Dialog } from './dialog.ts';
import { DialogClient } from './dialog-client.ts';
import { SessionId } from './session-id.ts';
import type { SubscriptionDialog } from './subscription.ts';

/** The dialog that a REFER or SUBSCRIBE came in, or that it makes. */
export interface RequestDialog extends SubscriptionDialog {
  readonly flow: Flow;
  respond(status: number, parts?: ResponseParts): void;
}

/** That of a call; what was subscribed to in it is a use of its own, which goes on after the call has ended (RFC 5057 §4.1). */
export function dialogOfCall(session: CallSession, request: SipRequest, transaction: ServerTransaction): RequestDialog {
  const { dialog, context, client } = session;
  return {
    ...{ dialog, context, flow: transaction.flow },
    respond: (status, parts) => transaction.respond(session.response(request, status, parts)),
    notify: client.send.bind(client, 'NOTIFY'),
    contact: () => session.contact(),
    refreshed: (subscribe, flow) => session.refreshTarget(subscribe, flow),
  };
}

/** One of its own, for a request outside of calls (RFC 3515 §2.4, RFC 6665 §4.2.1.1); null when it was refused. */
export function dialogOfRequest(
  request: SipRequest,
  transaction: ServerTransaction,
  context: CallContext,
): RequestDialog | null {
  const { local, random } = context;
  const { flow } = transaction;
  const tag = local.newTag();
  const sessionId = new SessionId(random);
  sessionId.learn(request);
  const respond = (status: number, parts: ResponseParts = {}) => {
    const headers = [...(parts.headers ?? []), sessionId.field];
    transaction.respond(local.createResponse(request, status, tag, { ...parts, headers }));
  };
  const dialog = Dialog.ofServer(request, tag);
  if (dialog === null) {
    respond(400, { reason: 'Missing Contact' });
    return null;
  }
  const client = new DialogClient(dialog, flow, true, sessionId, null, context);
  return {
    ...{ dialog, context, flow, respond },
    notify: client.send.bind(client, 'NOTIFY'),
    contact: () => local.contact(request.uri?.user ?? null, client.flow, request.uri?.scheme),
    refreshed(subscribe, from) {
      dialog.refreshTarget(subscribe);
      client.flow = from;
    },
  };
}
