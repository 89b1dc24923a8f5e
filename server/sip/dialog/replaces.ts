import { parseParameters, splitList } from '../message/header-value.ts';
import type { SipRequest } from '../message/message.ts';
import type { Call } from './call.ts';
import type { CallSession } from './call-session.ts';
import { dialogId } from './dialog.ts';

/** The calls that an INVITE names in Replaces (RFC 3891) and Join (RFC 3911), or why it is refused. */
export type NamedCalls =
  | { readonly replaces: Call | null; readonly joins: Call | null }
  | { readonly status: 400 | 481 | 486 | 603 };

const NONE: NamedCalls = { replaces: null, joins: null };

/** Matches them to the dialogs that there are (RFC 3891 §3, RFC 3911 §4). */
export function namedCalls(invite: SipRequest, find: (dialogId: string) => CallSession | undefined): NamedCalls {
  const replaces = invite.headers.all('replaces').flatMap(splitList);
  const joins = invite.headers.all('join').flatMap(splitList);
  const [named] = [...replaces, ...joins];
  if (named === undefined) return NONE;
  // Only one of one of them may be there.
  if (replaces.length + joins.length > 1) return { status: 400 };
  const semicolon = named.indexOf(';');
  const callId = named.slice(0, semicolon).trim();
  const parameters = semicolon < 0 ? null : parseParameters(named, semicolon);
  const toTag = parameters?.get('to-tag');
  const fromTag = parameters?.get('from-tag');
  if (!parameters || callId === '' || toTag === undefined || fromTag === undefined) return { status: 400 };
  const session = find(dialogId(callId, tag(toTag), tag(fromTag)));
  if (session === undefined) return { status: 481 };
  if (session.state === 'ended') return { status: 603 };
  // Only a call that we make can be taken over, or joined, while it rings.
  if (session.state === 'early' && session.invited) return { status: 481 };
  if (replaces.length === 0) return { replaces: null, joins: session.user.call };
  if (parameters.has('early-only') && session.state === 'established') return { status: 486 };
  return { replaces: session.user.call, joins: null };
}

/** `0` stands for the missing tag of an RFC 2543 peer (RFC 3891 §6.1). */
function tag(text: string): string {
  return text === '0' ? '' : text;
}
