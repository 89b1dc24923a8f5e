import { type DigestAlgorithm, hashedPassword } from '../sip/auth/digest.ts';
import type { DigestUsers } from '../sip/auth/digest-server.ts';

/** Of one algorithm; `withRealm` is that of the name `user@realm`. */
export interface HashedPasswords {
  readonly plain: string;
  readonly withRealm: string;
}

/** A user as the store keeps them: without the password. */
export interface StoredUser {
  readonly name: string;
  readonly displayName: string | null;
  /** The domain that the hashes were made for. */
  readonly realm: string;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  readonly changedMs: number;
  readonly passwords: Map<DigestAlgorithm, HashedPasswords>;
}

export interface UserStore {
  all(): StoredUser[];
  /** Durable when it returns; throws when it cannot be written. */
  put(user: StoredUser): void;
  delete(name: string): void;
}

export interface UsersOptions {
  readonly store: UserStore;
  readonly realm: string;
  /** Hashes are kept for these only. */
  readonly algorithms: readonly DigestAlgorithm[];
  readonly epochMs: () => number;
}

const USER_NAME = /^[a-z0-9+][a-z0-9._+-]{0,63}$/;

/** Case counts in digests, so names are in lower case only, and nobody has to guess. */
export function isUserName(name: string): boolean {
  return USER_NAME.test(name);
}

/** Who may sign in. */
export class Users implements DigestUsers {
  private readonly options: UsersOptions;
  private readonly byName: Map<string, StoredUser>;

  constructor(options: UsersOptions) {
    this.options = options;
    this.byName = new Map(options.store.all().map((user) => [user.name, user]));
  }

  get size(): number {
    return this.byName.size;
  }

  /** Those whose password was set for another domain, or for none of the algorithms in use: they cannot sign in. */
  lockedOut(): string[] {
    const { realm, algorithms } = this.options;
    return [...this.byName.values()]
      .filter((user) => user.realm !== realm || !algorithms.some((algorithm) => user.passwords.has(algorithm)))
      .map(({ name }) => name);
  }

  get(name: string): StoredUser | undefined {
    return this.byName.get(name);
  }

  /** By name. */
  list(): StoredUser[] {
    return [...this.byName.values()].sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  /** Makes the user, or changes their password and display name. */
  put(name: string, password: string, displayName: string | null): StoredUser {
    if (!isUserName(name)) throw new Error(`${name} cannot be the name of a user`);
    const { realm, algorithms, epochMs, store } = this.options;
    const now = epochMs();
    const passwords = new Map(
      algorithms.map((algorithm) => [
        algorithm,
        {
          plain: hashedPassword(algorithm, name, realm, password),
          withRealm: hashedPassword(algorithm, `${name}@${realm}`, realm, password),
        },
      ]),
    );
    const createdMs = this.byName.get(name)?.createdMs ?? now;
    const user = { name, displayName, realm, createdMs, changedMs: now, passwords };
    store.put(user);
    this.byName.set(name, user);
    return user;
  }

  /** False when there is none of that name. */
  delete(name: string): boolean {
    if (!this.byName.has(name)) return false;
    this.options.store.delete(name);
    this.byName.delete(name);
    return true;
  }

  hashedPassword(user: string, algorithm: DigestAlgorithm, withRealm: boolean): string | null {
    const found = this.byName.get(user);
    if (found === undefined || found.realm !== this.options.realm) return null;
    const hashes = found.passwords.get(algorithm);
    return hashes === undefined ? null : withRealm ? hashes.withRealm : hashes.plain;
  }
}
