import { z } from 'zod';
import { type Operation, operation } from './operation.ts';
import * as schemas from './schemas.ts';

const userParams = z.object({ user: z.string().meta({ description: "The user's name." }) });

export const userOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/users',
    id: 'listUsers',
    summary: 'All users',
    params: z.object({}),
    success: { status: 200, description: 'The users.', json: schemas.userList },
    problems: [],
    handle: ({ users }) => ({ json: { users: users.users() } }),
  }),
  operation({
    method: 'get',
    path: '/users/{user}',
    id: 'getUser',
    summary: 'One user',
    params: userParams,
    success: { status: 200, description: 'The user.', json: schemas.user },
    problems: ['user-not-found'],
    handle: ({ users }, { params }) => ({ json: users.user(params.user) }),
  }),
  operation({
    method: 'put',
    path: '/users/{user}',
    id: 'putUser',
    summary: 'Make a user, or set password and display name of one',
    params: userParams,
    body: schemas.userPut,
    success: { status: 200, description: 'The user.', json: schemas.user, mayCreate: true },
    problems: ['user-name-invalid'],
    handle({ users }, { params, body }) {
      const { user, created } = users.putUser(params.user, body);
      return { json: user, ...(created && { location: `/users/${encodeURIComponent(user.name)}` }) };
    },
  }),
  operation({
    method: 'delete',
    path: '/users/{user}',
    id: 'deleteUser',
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
    summary: 'Where a user can be reached',
    params: userParams,
    success: { status: 200, description: 'The registrations.', json: schemas.registrationList },
    problems: ['user-not-found'],
    handle: ({ users }, { params }) => ({ json: { registrations: users.registrations(params.user) } }),
  }),
  operation({
    method: 'delete',
    path: '/users/{user}/registrations',
    id: 'deleteRegistrations',
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
