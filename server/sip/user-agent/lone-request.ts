import type { CallContext } from '../dialog/call-context.ts';
import { type PeerContact, waysTo } from '../dialog/ways.ts';
import { createRequest } from '../message/create-message.ts';
import type { NameAddress } from '../message/name-address.ts';
import { createUri, writeUri } from '../message/uri.ts';
import { createVia, MAGIC_COOKIE } from '../message/via.ts';
import { TargetedRequest } from '../resolve/target-failover.ts';

/** A request of ours that belongs to no dialog and makes none. */
export interface LoneRequest {
  readonly method: string;
  /** Where it goes. */
  readonly contact: PeerContact;
  /** Without a tag. */
  readonly from: NameAddress;
  readonly to: NameAddress;
  readonly maxForwards?: number;
  readonly body: Uint8Array;
  readonly contentType: string;
}

/** `concluded` gets the final status, once; 408 and 503 stand for no answer and no way to get there (RFC 3261 §8.1.3.1). */
export function sendLoneRequest(
  { contact, from, ...parts }: LoneRequest,
  { local, random, timers, transactions, ways }: CallContext,
  concluded: (status: number) => void,
): void {
  const { uri, routes } = contact;
  const request = createRequest({
    ...parts,
    requestUri: writeUri(createUri({ ...uri, headers: new Map() })),
    // Takes the place of the one that each way gets.
    via: createVia('UDP', uri.host, null, MAGIC_COOKIE),
    from: { ...from, parameters: new Map([['tag', local.newTag()]]) },
    callId: random.token() + random.token(),
    cseqNumber: 1,
    routes: routes.map(({ uriText }) => `<${uriText}>`),
  });
  const context = {
    transactions,
    ways: { find: (_uri: typeof uri, found: Parameters<typeof waysTo>[2]) => waysTo(contact, ways, found) },
    newVia: local.newVia.bind(local),
  };
  const targeted = new TargetedRequest(context, request, {
    response: ({ status }) => {
      if (status >= 200) concluded(status);
    },
    failed: (failure) => concluded(failure === 'timeout' ? 408 : 503),
  });
  timers.set(0, () => targeted.sendTo(uri));
}
