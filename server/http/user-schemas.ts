import { z } from 'zod';
import type { RegistrationView, UserView } from '../registrar/user-control.ts';
import { nextCursor } from './paging.ts';

// Each schema is pinned to the type that the conference uses, so that neither changes without the other.

const timestamp = z.iso.datetime();

export const user = z
  .object({
    name: z.string(),
    uri: z.string().meta({ description: 'What others call: the address of record.' }),
    displayName: z.string().nullable(),
    createdAt: timestamp,
    changedAt: timestamp.meta({ description: 'When the password or the display name was last set.' }),
    registrations: z.int().meta({ description: 'How many phones are registered.' }),
  })
  .meta({ id: 'User' }) satisfies z.ZodType<UserView>;

export const userList = z.object({ users: z.array(user), nextCursor }).meta({ id: 'UserList' });

export const userPut = z
  .strictObject({
    password: z.string().min(8).max(128).meta({ description: 'Only digests of it are kept.' }),
    displayName: z.string().min(1).max(128).nullable().default(null),
  })
  .meta({ id: 'UserPut' });

export const registration = z
  .object({
    id: z.string(),
    contact: z.string().meta({ description: 'The URI that the phone gave.' }),
    source: z.string().meta({ description: 'Address and port that it registered from.' }),
    transport: z.string().meta({ description: 'udp, tcp, tls, ws or wss.' }),
    userAgent: z.string().nullable(),
    q: z.number().nullable().meta({ description: 'Preference, 0 to 1.' }),
    instance: z.string().nullable().meta({ description: "The phone's own identity (RFC 5626)." }),
    path: z.array(z.string()).meta({ description: 'Proxies on the way to the phone (RFC 3327).' }),
    registeredAt: timestamp,
    expiresAt: timestamp,
  })
  .meta({ id: 'Registration' }) satisfies z.ZodType<RegistrationView>;

export const registrationList = z
  .object({ registrations: z.array(registration), nextCursor })
  .meta({ id: 'RegistrationList' });
