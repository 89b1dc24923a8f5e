import type { SipRequest } from '../sip/message/message.ts';
import { parseUri, sameUri } from '../sip/message/uri.ts';
import type { Flow } from '../sip/transport/flow.ts';
import { type Binding, sourceOf } from './binding.ts';
import type { RegisterRequest, WantedContact } from './register-request.ts';

/** What a REGISTER changes: all of it happens, or none (RFC 3261 §10.3). */
export interface BindingChanges {
  readonly put: readonly Binding[];
  readonly remove: readonly Binding[];
}

export interface UpdateInput {
  readonly request: SipRequest;
  readonly flow: Flow;
  readonly user: string;
  readonly known: readonly Binding[];
  readonly nowMs: number;
  newId(): number;
}

/** Step 7 of RFC 3261 §10.3; null when a binding has had a later request of the same Call-ID. */
export function bindingChanges(wanted: RegisterRequest, input: UpdateInput): BindingChanges | null {
  switch (wanted.kind) {
    case 'query':
      return { put: [], remove: [] };
    case 'remove-all':
      return input.known.every((binding) => isNewer(input.request, binding)) ? { put: [], remove: input.known } : null;
    case 'update':
      return contactChanges(wanted.contacts, wanted.path, input);
  }
}

function contactChanges(
  contacts: readonly WantedContact[],
  path: readonly string[],
  input: UpdateInput,
): BindingChanges | null {
  const put: Binding[] = [];
  const remove: Binding[] = [];
  for (const contact of contacts) {
    const matches = input.known.filter((binding) => isSame(contact, binding));
    if (!matches.every((binding) => isNewer(input.request, binding))) return null;
    if (contact.expiresS === 0) {
      remove.push(...matches);
      continue;
    }
    const [first, ...others] = matches;
    put.push(newBinding(contact, path, first?.id ?? input.newId(), input));
    remove.push(...others);
  }
  return { put, remove };
}

/** With outbound, by instance and flow whatever the URI (RFC 5626 §6); otherwise by the URI (RFC 3261 §19.1.4). */
function isSame(contact: WantedContact, binding: Binding): boolean {
  if (contact.regId !== null) return binding.regId === contact.regId && binding.instance === contact.instance;
  if (binding.regId !== null) return contact.expiresS === 0 && contact.text === binding.contact;
  if (contact.text === binding.contact) return true;
  const uri = parseUri(binding.contact);
  return contact.uri !== null && uri !== null && sameUri(contact.uri, uri);
}

/** Requests of one Call-ID must not overtake each other (RFC 3261 §10.3 step 7). */
function isNewer(request: SipRequest, binding: Binding): boolean {
  return request.callId !== binding.callId || request.cseq.number > binding.cseq;
}

function newBinding(contact: WantedContact, path: readonly string[], id: number, input: UpdateInput): Binding {
  const { request, flow, user, nowMs } = input;
  const { text, parameters, q, instance, regId, expiresS } = contact;
  return {
    id,
    user,
    contact: text,
    parameters,
    q,
    instance,
    regId,
    path,
    callId: request.callId,
    cseq: request.cseq.number,
    registeredMs: nowMs,
    expiresMs: nowMs + expiresS * 1000,
    source: sourceOf(flow),
    userAgent: request.headers.get('user-agent')?.slice(0, 128) ?? null,
  };
}
