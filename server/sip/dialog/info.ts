import type { SipRequest } from '../message/message.ts';
import { isFastUpdate, MEDIA_CONTROL_TYPE } from './media-control.ts';

/** What an INFO tells: a key, that a picture is to be sent anew (RFC 5168), or nothing; or why it is refused. */
export type Info =
  | { readonly tells: 'key'; readonly key: string; readonly durationMs: number }
  | { readonly tells: 'fast-update' | 'nothing' }
  | {
      readonly tells: 'refused';
      readonly status: 400 | 415 | 469;
      readonly headers: ReadonlyArray<readonly [string, string]>;
    };

/** The types of body that INFO may have here. */
export const INFO_TYPES = `application/dtmf-relay, application/dtmf, ${MEDIA_CONTROL_TYPE}`;

/** Where the message does not say how long; phones that send `application/dtmf` never do. */
const USUAL_DURATION_MS = 160;
const MAX_DURATION_MS = 10_000;

/** By the numbers of events (RFC 4733 §3.2), as some phones write them. */
const KEYS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];

/** Keys are `Signal=5` lines, or the bare key, neither of which was ever specified. */
export function readInfo(info: SipRequest): Info {
  // RFC 6086 §4.2.2: packages are for those who announced them, and we announce none.
  if (info.headers.has('info-package')) return { tells: 'refused', status: 469, headers: [['Recv-Info', '']] };
  // An empty one was long used to see whether the other side is alive (RFC 6086 §4.2.2).
  if (info.body.length === 0) return { tells: 'nothing' };
  const text = Buffer.from(info.body).toString('latin1');
  const [type] = (info.headers.get('content-type') ?? '').toLowerCase().split(';');
  switch (type?.trim()) {
    case 'application/dtmf-relay':
      return readRelay(text);
    case 'application/dtmf':
      return known(text.trim(), USUAL_DURATION_MS);
    case MEDIA_CONTROL_TYPE:
      return { tells: isFastUpdate(text) ? 'fast-update' : 'nothing' };
    default:
      return { tells: 'refused', status: 415, headers: [['Accept', INFO_TYPES]] };
  }
}

function readRelay(text: string): Info {
  const signal = /^[ \t]*signal[ \t]*=[ \t]*(\S{1,2})[ \t]*$/im.exec(text)?.[1];
  const duration = /^[ \t]*duration[ \t]*=[ \t]*(\d{1,6})[ \t]*$/im.exec(text)?.[1];
  return known(signal ?? '', duration === undefined ? USUAL_DURATION_MS : Number(duration));
}

function known(signal: string, durationMs: number): Info {
  const key = KEYS.includes(signal.toUpperCase())
    ? signal.toUpperCase()
    : KEYS[/^1[0-5]$/.test(signal) ? Number(signal) : -1];
  if (key === undefined) return { tells: 'refused', status: 400, headers: [] };
  return { tells: 'key', key, durationMs: Math.min(durationMs, MAX_DURATION_MS) };
}
