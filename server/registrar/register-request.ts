import { parseNumber } from '../sip/message/characters.ts';
import { splitList, writeParameters } from '../sip/message/header-value.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { type NameAddress, parseNameAddress } from '../sip/message/name-address.ts';
import type { SipUri } from '../sip/message/uri.ts';
import { isDirect } from '../sip/message/via.ts';

/** A final response other than 200, and why. */
export interface Refusal {
  readonly status: number;
  readonly reason?: string;
  readonly headers?: ReadonlyArray<readonly [string, string]>;
}

/** One Contact of a REGISTER. */
export interface WantedContact {
  readonly text: string;
  /** Null when it is neither sip nor sips. */
  readonly uri: SipUri | null;
  /** Without `expires` and `q`. */
  readonly parameters: string;
  readonly q: number | null;
  readonly instance: string | null;
  /** Null unless the binding is to be that of this flow (RFC 5626 §6). */
  readonly regId: number | null;
  /** 0 removes the binding. */
  readonly expiresS: number;
}

/** What a REGISTER asks for. */
export type RegisterRequest =
  | { readonly kind: 'query' }
  | { readonly kind: 'remove-all' }
  | { readonly kind: 'update'; readonly contacts: readonly WantedContact[]; readonly path: readonly string[] };

export interface ExpiryLimits {
  readonly minimumS: number;
  readonly maximumS: number;
}

/** Also what a malformed value counts as (RFC 3261 §10.2.1.1, §20.19). */
const DEFAULT_EXPIRES_S = 3600;
const MAX_EXPIRES_S = 2 ** 32 - 1;

/** Steps 6 and 7 of RFC 3261 §10.3 as far as they need no bindings. */
export function readRegister(request: SipRequest, limits: ExpiryLimits): RegisterRequest | Refusal {
  const values = request.headers.all('contact').flatMap(splitList);
  if (values.includes('*')) return readWildcard(request, values);
  if (values.length === 0) return { kind: 'query' };
  const path = request.headers.all('path').flatMap(splitList);
  const outbound = offersOutbound(request, path);
  const contacts: WantedContact[] = [];
  for (const value of values) {
    const contact = readContact(value, request, limits, outbound === 'yes');
    if ('status' in contact) return contact;
    contacts.push(contact);
  }
  if (new Set(contacts.map(keyOf)).size < contacts.length) return { status: 400, reason: 'The same Contact twice' };
  if (outbound === 'not-the-first-hop' && contacts.some(({ parameters }) => parameters.includes(';reg-id='))) {
    return { status: 439 };
  }
  return { kind: 'update', contacts, path };
}

/** What a binding is known by: with outbound the instance and flow, whatever the URI (RFC 5626 §6). */
function keyOf({ text, instance, regId }: WantedContact): string {
  return regId === null ? text : `${regId} ${instance}`;
}

/** Whether the REGISTER is for outbound connections (RFC 5626 §6). */
function offersOutbound(request: SipRequest, path: readonly string[]): 'yes' | 'no' | 'not-the-first-hop' {
  const supported = request.headers.all('supported').flatMap(splitList);
  if (!supported.some((tag) => tag.toLowerCase() === 'outbound')) return 'no';
  if (isDirect(request)) return 'yes';
  // The proxy next to the client must keep the flow; it says so in its Path.
  const nearest = path.at(-1);
  return nearest !== undefined && parseNameAddress(nearest)?.uri?.parameters.has('ob') ? 'yes' : 'not-the-first-hop';
}

function readWildcard(request: SipRequest, values: readonly string[]): RegisterRequest | Refusal {
  if (values.length > 1) return { status: 400, reason: '"*" stands alone' };
  const expires = parseExpires(request.headers.get('expires'));
  if (expires !== 0) return { status: 400, reason: '"*" needs Expires: 0' };
  return { kind: 'remove-all' };
}

function readContact(
  value: string,
  request: SipRequest,
  limits: ExpiryLimits,
  outbound: boolean,
): WantedContact | Refusal {
  const contact = parseNameAddress(value);
  if (contact === null) return { status: 400, reason: 'Malformed Contact' };
  const { parameters } = contact;
  const q = parameters.has('q') ? parseQ(parameters.get('q')!) : null;
  if (q === undefined) return { status: 400, reason: 'Malformed q' };
  const wantedS = expiresOf(contact, request) ?? Math.max(DEFAULT_EXPIRES_S, limits.minimumS);
  if (wantedS > 0 && wantedS < limits.minimumS) {
    return { status: 423, headers: [['Min-Expires', String(limits.minimumS)]] };
  }
  const instance = parameters.get('+sip.instance') ?? null;
  const regId = parseNumber(parameters.get('reg-id') ?? '', 2 ** 31 - 1);
  const kept = [...parameters].filter(([name]) => name !== 'expires' && name !== 'q');
  return {
    text: contact.uriText,
    uri: contact.uri,
    parameters: writeParameters(new Map(kept)),
    q,
    instance,
    regId: outbound && instance !== null && regId !== null && regId > 0 ? regId : null,
    expiresS: Math.min(wantedS, limits.maximumS),
  };
}

/** Null when it is not told, or malformed. */
function expiresOf({ parameters }: NameAddress, request: SipRequest): number | null {
  return parseExpires(parameters.get('expires') ?? request.headers.get('expires'));
}

function parseExpires(text: string | undefined): number | null {
  return text === undefined ? null : parseNumber(text.trim(), MAX_EXPIRES_S);
}

/** `qvalue` (RFC 3261 §25.1): 0 to 1 with at most three decimals; undefined when it is malformed. */
function parseQ(text: string): number | undefined {
  return /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(text) ? Number(text) : undefined;
}
