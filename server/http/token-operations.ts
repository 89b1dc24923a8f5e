import { z } from 'zod';
import { SCOPES } from './access.ts';
import type { TokenView } from './access-tokens.ts';
import { namedRoom } from './named-room.ts';
import { type Operation, operation } from './operation.ts';
import { nextCursor, page, pageQuery } from './paging.ts';
import { HttpProblem } from './problems.ts';

const tokenParams = z.object({ token: z.string().meta({ description: "The token's id." }) });

const scope = z
  .enum(SCOPES)
  .meta({ id: 'Scope', description: 'What a token allows; each allows what those before it do.' });
const onlyRoom = z
  .string()
  .nullable()
  .meta({ description: 'The only room that there is for its bearer; null: all rooms.' });
const expiry = z.iso.datetime({ offset: true }).nullable();

const token = z
  .object({
    id: z.string(),
    name: z.string(),
    scope,
    room: onlyRoom,
    createdAt: z.iso.datetime(),
    expiresAt: expiry.meta({ description: 'Null: never.' }),
  })
  .meta({ id: 'Token' }) satisfies z.ZodType<TokenView>;

const createdToken = token
  .extend({ token: z.string().meta({ description: 'What to send as bearer token. It is never shown again.' }) })
  .meta({ id: 'CreatedToken' });

const tokenList = z.object({ tokens: z.array(token), nextCursor }).meta({ id: 'TokenList' });

const newToken = z
  .strictObject({
    name: z.string().min(1).max(200).meta({ description: 'Says to people what it is for.' }),
    scope,
    room: onlyRoom.default(null),
    expiresAt: expiry
      .refine((at) => at === null || !(Date.parse(at) <= Date.now()), 'This is over.')
      .default(null)
      .meta({ description: 'Null: never.' }),
  })
  .refine(({ scope, room }) => scope !== 'administrator' || room === null, {
    path: ['room'],
    message: 'An administrator is one for all rooms.',
  })
  .meta({ id: 'NewToken' });

const access = z
  .object({
    scope,
    room: onlyRoom,
    token: z.string().nullable().meta({ description: "The token's id, if it has one." }),
  })
  .meta({ id: 'Access' });

function noSuchToken(id: string): HttpProblem {
  return new HttpProblem('token-not-found', { detail: `there is no token ${id}` });
}

export const tokenOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/access',
    id: 'getAccess',
    scope: 'reader',
    narrows: true,
    summary: 'What the token that asks allows',
    params: z.object({}),
    success: { status: 200, description: 'Scope and room.', json: access },
    problems: [],
    handle: (_controls, { access: { scope, room, tokenId } }) => ({ json: { scope, room, token: tokenId } }),
  }),
  operation({
    method: 'get',
    path: '/tokens',
    id: 'listTokens',
    scope: 'administrator',
    summary: 'All tokens but the configured one',
    params: z.object({}),
    query: pageQuery,
    success: { status: 200, description: 'The tokens, without their secrets.', json: tokenList },
    problems: [],
    handle({ tokens: control }, { query }) {
      const { items: tokens, nextCursor } = page(control.list(), ({ createdAt, id }) => `${createdAt} ${id}`, query);
      return { json: { tokens, nextCursor } };
    },
  }),
  operation({
    method: 'post',
    path: '/tokens',
    id: 'createToken',
    scope: 'administrator',
    summary: 'Make a token',
    params: z.object({}),
    body: newToken,
    success: { status: 201, description: 'The token, with its secret this once.', json: createdToken },
    secretAnswer: true,
    problems: ['room-name-invalid', 'too-many-tokens'],
    handle({ tokens }, { body: { name, scope, room: asked, expiresAt } }) {
      const room = namedRoom(asked);
      const made = tokens.add({ name, scope, room, expiresMs: expiresAt === null ? null : Date.parse(expiresAt) });
      if (!made) throw new HttpProblem('too-many-tokens');
      return { json: { ...made.view, token: made.token }, location: `/tokens/${made.view.id}` };
    },
  }),
  operation({
    method: 'get',
    path: '/tokens/{token}',
    id: 'getToken',
    scope: 'administrator',
    summary: 'One token',
    params: tokenParams,
    success: { status: 200, description: 'The token, without its secret.', json: token },
    problems: ['token-not-found'],
    handle({ tokens }, { params }) {
      const found = tokens.get(params.token);
      if (!found) throw noSuchToken(params.token);
      return { json: found };
    },
  }),
  operation({
    method: 'delete',
    path: '/tokens/{token}',
    id: 'deleteToken',
    scope: 'administrator',
    summary: 'Make a token worthless at once; event streams that it opened end',
    params: tokenParams,
    success: { status: 204, description: 'The token is gone.' },
    problems: ['token-not-found'],
    handle({ tokens }, { params }) {
      if (!tokens.remove(params.token)) throw noSuchToken(params.token);
      return {};
    },
  }),
];
