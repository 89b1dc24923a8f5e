import { SLASH, skip, skipSpace, TOKEN, trimSpace } from './characters.ts';
import { parseParameters, splitList, writeParameters } from './header-value.ts';
import { parseHostPort, writeHostPort } from './host.ts';
import type { SipRequest } from './message.ts';

/** One Via value (RFC 3261 §20.42). */
export interface Via {
  /** `UDP`, `TCP`, `TLS`, `WS`, `WSS`: upper case. */
  readonly transport: string;
  readonly host: string;
  readonly port: number | null;
  readonly branch: string | null;
  /** All parameters, names in lower case; one without a value has '' (so `rport` asked for is ''). */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Branches of RFC 3261 begin with it (§8.1.1.7). */
export const MAGIC_COOKIE = 'z9hG4bK';

/** One value, not a list; null when it is malformed or not of SIP/2.0. */
export function parseVia(text: string): Via | null {
  const nameStart = skipSpace(text, 0);
  const nameEnd = skip(TOKEN, text, nameStart);
  const versionStart = afterSlash(text, nameEnd);
  const versionEnd = skip(TOKEN, text, versionStart);
  const transportStart = afterSlash(text, versionEnd);
  const transportEnd = skip(TOKEN, text, transportStart);
  if (versionStart < 0 || transportStart < 0 || transportEnd === transportStart) return null;
  if (text.slice(nameStart, nameEnd).toUpperCase() !== 'SIP' || text.slice(versionStart, versionEnd) !== '2.0')
    return null;
  const sentByStart = skipSpace(text, transportEnd);
  if (sentByStart === transportEnd) return null;
  const semicolon = text.indexOf(';', sentByStart);
  const sentByEnd = semicolon < 0 ? text.length : semicolon;
  const sentBy = parseSentBy(text.slice(sentByStart, sentByEnd));
  const parameters = parseParameters(text, sentByEnd);
  if (sentBy === null || parameters === null) return null;
  return {
    transport: text.slice(transportStart, transportEnd).toUpperCase(),
    host: sentBy.host,
    port: sentBy.port,
    branch: parameters.get('branch') ?? null,
    parameters,
  };
}

/** Index after the slash and the white space around it; -1 without one, or when `at` is -1. */
function afterSlash(text: string, at: number): number {
  if (at < 0) return -1;
  const slash = skipSpace(text, at);
  return text.charCodeAt(slash) === SLASH ? skipSpace(text, slash + 1) : -1;
}

/** White space may stand around the colon (RFC 3261 §20.42). */
function parseSentBy(text: string): { host: string; port: number | null } | null {
  const trimmed = trimSpace(text);
  const plain = parseHostPort(trimmed);
  if (plain !== null) return plain;
  const colon = trimmed.lastIndexOf(':');
  if (colon < 0) return null;
  return parseHostPort(`${trimSpace(trimmed.slice(0, colon))}:${trimSpace(trimmed.slice(colon + 1))}`);
}

export function writeVia(via: Via): string {
  return `SIP/2.0/${via.transport} ${writeHostPort(via.host, via.port)}${writeParameters(via.parameters)}`;
}

/** The Via that we put on a request of ours: with `rport` (RFC 3581 §3). */
export function createVia(transport: string, host: string, port: number | null, branch: string): Via {
  const parameters = new Map([
    ['branch', branch],
    ['rport', ''],
  ]);
  return { transport, host, port, branch, parameters };
}

/** The same Via with some parameters set. */
export function withViaParameters(via: Via, changes: ReadonlyMap<string, string>): Via {
  const parameters = new Map([...via.parameters, ...changes]);
  return { ...via, branch: parameters.get('branch') ?? null, parameters };
}

/** Whether no proxy has handed the request on: each puts a Via of its own on top (RFC 3261 §16.6). */
export function isDirect({ headers }: Pick<SipRequest, 'headers'>): boolean {
  return headers.all('via').flatMap(splitList).length === 1;
}
