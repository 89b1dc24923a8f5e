import { roomName } from '../rooms/room-name.ts';
import type { RoomView } from '../rooms/views.ts';
import { HttpProblem } from './problems.ts';

/** What a token allows; each allows what those before it do. */
export const SCOPES = ['reader', 'moderator', 'administrator'] as const;
export type Scope = (typeof SCOPES)[number];

/** Who asks, as the token says. */
export interface Access {
  readonly scope: Scope;
  /** The only room, besides its breakout rooms, that there is for this token; null: all. */
  readonly room: string | null;
  /** For the log and to tell callers apart; null for the administrator of the configuration. */
  readonly tokenId: string | null;
  /** False once the token has expired or was removed: what lasts, such as an event stream, must ask again. */
  valid(): boolean;
}

declare module 'express-serve-static-core' {
  interface Request {
    /** Set by `authenticate`. */
    access?: Access;
  }
}

const rank = (scope: Scope) => SCOPES.indexOf(scope);

/** What an operation says about who may call it. */
export interface AccessRule {
  /** The least that the token must have. */
  scope: Scope;
  path: string;
  /** It has no `{room}` in its path, and itself shows to tokens for one room nothing but that room's. */
  narrows?: true;
}

/**
 * Throws when the token does not suffice. Other rooms than the token's and its breakout rooms are answered as if there were
 * none of that name (404, not 403): otherwise a token for one room could find out which others there are.
 * @param breakoutOf the room that people of an open room go back to; null: none, or it is not open
 */
export function checkAccess(
  access: Access,
  rule: AccessRule,
  params: { readonly room?: unknown },
  breakoutOf: (room: string) => string | null,
): void {
  if (rank(access.scope) < rank(rule.scope)) throw insufficient(rule.scope, `the token's scope is ${access.scope}`);
  if (access.room === null) return;
  if (rule.path.startsWith('/rooms/{room}')) {
    const name = String(params.room);
    if (!mayKnow(access, { name: roomName(name) ?? name, breakoutOf: breakoutOf(name) })) throw noSuchRoom(name);
  } else if (!rule.narrows) throw insufficient(rule.scope, 'the token is for one room only');
}

/** Whether the token lets its bearer know of this room at all. */
export function mayKnow({ room }: Access, { name, breakoutOf }: Pick<RoomView, 'name' | 'breakoutOf'>): boolean {
  return room === null || name === room || breakoutOf === room;
}

/** In the words of the conference, so that the two cannot be told apart. */
const noSuchRoom = (room: string) => new HttpProblem('room-not-found', { detail: `there is no room ${room}` });

/** RFC 6750 §3.1. */
const insufficient = (scope: Scope, detail: string) =>
  new HttpProblem('scope-insufficient', {
    detail,
    headers: { 'WWW-Authenticate': `Bearer realm="parley", error="insufficient_scope", scope="${scope}"` },
  });
