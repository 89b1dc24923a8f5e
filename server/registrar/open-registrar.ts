import type { Log } from '../log.ts';
import type { DigestAlgorithm, Qop } from '../sip/auth/digest.ts';
import { DigestServer } from '../sip/auth/digest-server.ts';
import { Nonces } from '../sip/auth/nonces.ts';
import type { Flow } from '../sip/transport/flow.ts';
import { BindingTable } from '../store/binding-table.ts';
import type { Database } from '../store/database.ts';
import { UserTable } from '../store/user-table.ts';
import type { Timers } from '../timers.ts';
import { Authentication } from './authentication.ts';
import type { BindingSource } from './binding.ts';
import { Bindings } from './bindings.ts';
import { Location } from './location.ts';
import type { ExpiryLimits } from './register-request.ts';
import { Registrar } from './registrar.ts';
import { SignIn } from './sign-in.ts';
import { UserAccounts } from './user-accounts.ts';
import { Users } from './users.ts';
import { WriteBehind } from './write-behind.ts';

export interface RegistrarSettings {
  readonly domain: string;
  /** What else the domain is called in addresses of record. */
  readonly aliases: readonly string[];
  readonly algorithms: readonly DigestAlgorithm[];
  readonly qop: readonly Qop[];
  readonly expiry: ExpiryLimits;
  readonly maxContactsPerUser: number;
  readonly maxBindings: number;
}

export interface RegistrarSurroundings {
  readonly database: Database;
  readonly timers: Timers;
  readonly log: Log;
  readonly epochMs: () => number;
  readonly serviceRoute: (flow: Flow) => string;
  /** The way back to where a REGISTER came from, while there is one. */
  readonly flowOf: (source: BindingSource) => Flow | null;
  /** A wrong password came over that flow. */
  readonly failed: (flow: Flow) => void;
  /** Whether passwords that come over that flow are not looked at. */
  readonly isBanned: (flow: Flow) => boolean;
}

/** The parts of the registrar, put together. */
export interface OpenRegistrar {
  readonly registrar: Registrar;
  readonly users: Users;
  readonly bindings: Bindings;
  readonly authentication: Authentication;
  readonly signIn: SignIn;
  readonly location: Location;
  readonly accounts: UserAccounts;
  /** Writes what has not been written yet. The database stays open. */
  close(): void;
}

/** Takes up the users and bindings of the database. */
export function openRegistrar(settings: RegistrarSettings, surroundings: RegistrarSurroundings): OpenRegistrar {
  const { database, timers, log, epochMs, serviceRoute, flowOf, failed, isBanned } = surroundings;
  const { domain, aliases, algorithms, qop, expiry, maxContactsPerUser, maxBindings } = settings;
  const users = new Users({ store: new UserTable(database), realm: domain, algorithms, epochMs });
  const lockedOut = users.lockedOut();
  if (lockedOut.length > 0) {
    log.warn({ users: lockedOut.slice(0, 10), count: lockedOut.length, domain }, 'users need their password set anew');
  }
  const table = new BindingTable(database);
  const stored = table.load(epochMs());
  const writer = new WriteBehind(table, timers, log, stored.at(-1)?.id ?? 0);
  const bindings = new Bindings({ timers, epochMs, changed: (id, binding) => writer.changed(id, binding) });
  bindings.restore(stored);
  const digest = new DigestServer({ realm: domain, users, nonces: new Nonces(), algorithms, qop });
  const authentication = new Authentication({ digest, timers, log, failed, isBanned });
  const registrar = new Registrar({
    authentication,
    bindings,
    log,
    epochMs,
    hosts: [domain, ...aliases],
    serviceRoute,
    expiry,
    maxContactsPerUser,
    maxBindings,
  });
  return {
    registrar,
    users,
    bindings,
    authentication,
    signIn: new SignIn(authentication, bindings, users),
    location: new Location({ users, bindings, hosts: [domain, ...aliases], flowOf }),
    accounts: new UserAccounts(users, bindings, domain),
    close() {
      bindings.close();
      writer.close();
    },
  };
}
