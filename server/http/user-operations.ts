import { z } from 'zod';
import { pathTo } from './base-path.ts';
import { type Operation, operation } from './operation.ts';
import { page, pageQuery } from './paging.ts';
import * as userSchemas from './user-schemas.ts';

const userParams = z.object({ user: z.string().meta({ description: "The user's name." }) });

export const userOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/users',
    id: 'listUsers',
    scope: 'administrator',
    summary: 'All users',
    params: z.object({}),
    query: pageQuery,
    success: { status: 200, description: 'The users.', json: userSchemas.userList },
    problems: [],
    handle({ users: control }, { query }) {
      const { items: users, nextCursor } = page(control.users(), ({ name }) => name, query);
      return { json: { users, nextCursor } };
    },
  }),
  operation({
    method: 'get',
    path: '/users/{user}',
    id: 'getUser',
    scope: 'administrator',
    summary: 'One user',
    params: userParams,
    success: { status: 200, description: 'The user.', json: userSchemas.user },
    problems: ['user-not-found'],
    handle: ({ users }, { params }) => ({ json: users.user(params.user) }),
  }),
  operation({
    method: 'put',
    path: '/users/{user}',
    id: 'putUser',
    scope: 'administrator',
    summary: 'Make a user, or set password and display name of one',
    params: userParams,
    body: userSchemas.userPut,
    success: { status: 200, description: 'The user.', json: userSchemas.user, mayCreate: true },
    problems: ['user-name-invalid'],
    handle({ users }, { params, body }) {
      const { user, created } = users.putUser(params.user, body);
      return { json: user, ...(created && { location: pathTo('users', user.name) }) };
    },
  }),
  operation({
    method: 'delete',
    path: '/users/{user}',
    id: 'deleteUser',
    scope: 'administrator',
    summary: 'Remove a user, with all registrations',
    params: userParams,
    success: { status: 204, description: 'The user is gone.' },
    problems: ['user-not-found'],
    handle({ users }, { params }) {
      users.deleteUser(params.user);
      return {};
    },
  }),
  operation({
    method: 'get',
    path: '/users/{user}/registrations',
    id: 'listRegistrations',
    scope: 'administrator',
    summary: 'Where a user can be reached',
    params: userParams,
    query: pageQuery,
    success: { status: 200, description: 'The registrations.', json: userSchemas.registrationList },
    problems: ['user-not-found'],
    handle({ users }, { params, query }) {
      const all = users.registrations(params.user);
      // Numbers in the order in which phones came; `registeredAt` changes with each refresh.
      const { items: registrations, nextCursor } = page(all, ({ id }) => id.padStart(16, '0'), query);
      return { json: { registrations, nextCursor } };
    },
  }),
  operation({
    method: 'delete',
    path: '/users/{user}/registrations',
    id: 'deleteRegistrations',
    scope: 'administrator',
    summary: 'Remove all registrations of a user',
    params: userParams,
    success: { status: 204, description: 'The registrations are gone.' },
    problems: ['user-not-found'],
    handle({ users }, { params }) {
      users.deleteRegistrations(params.user);
      return {};
    },
  }),
];
