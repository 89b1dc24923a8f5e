import { ControlError } from '../focus/control.ts';
import { createUri, writeUri } from '../sip/message/uri.ts';
import type { Binding } from './binding.ts';
import type { Bindings } from './bindings.ts';
import type { RegistrationView, UserControl, UserView } from './user-control.ts';
import { isUserName, type StoredUser, type Users } from './users.ts';

/** Users and their registrations, as HTTP steers them. */
export class UserAccounts implements UserControl {
  private readonly accounts: Users;
  private readonly bindings: Bindings;
  private readonly domain: string;

  constructor(users: Users, bindings: Bindings, domain: string) {
    this.accounts = users;
    this.bindings = bindings;
    this.domain = domain;
  }

  users(): UserView[] {
    return this.accounts.list().map((user) => this.view(user));
  }

  user(name: string): UserView {
    return this.view(this.find(name));
  }

  putUser(name: string, { password, displayName }: { password: string; displayName: string | null }) {
    if (!isUserName(name)) throw new ControlError('user-name-invalid', `${name} cannot be the name of a user`);
    const created = this.accounts.get(name) === undefined;
    const user = this.accounts.put(name, password, displayName);
    return { user: this.view(user), created };
  }

  deleteUser(name: string): void {
    this.deleteRegistrations(name);
    this.accounts.delete(name);
  }

  registrations(name: string): RegistrationView[] {
    return this.bindings.of(this.find(name).name).map(viewOf);
  }

  deleteRegistrations(name: string): void {
    for (const binding of this.bindings.of(this.find(name).name)) this.bindings.remove(binding);
  }

  private find(name: string): StoredUser {
    const user = this.accounts.get(name);
    if (user === undefined) throw new ControlError('user-not-found', `there is no user ${name}`);
    return user;
  }

  private view({ name, displayName, createdMs, changedMs }: StoredUser): UserView {
    return {
      name,
      uri: writeUri(createUri({ user: name, host: this.domain })),
      displayName,
      createdAt: timestamp(createdMs),
      changedAt: timestamp(changedMs),
      registrations: this.bindings.of(name).length,
    };
  }
}

function viewOf(binding: Binding): RegistrationView {
  const { id, contact, userAgent, q, instance, path, registeredMs, expiresMs } = binding;
  const { address, port, protocol } = binding.source;
  return {
    id: String(id),
    contact,
    source: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
    transport: protocol,
    userAgent,
    q,
    instance,
    path: [...path],
    registeredAt: timestamp(registeredMs),
    expiresAt: timestamp(expiresMs),
  };
}

const timestamp = (epochMs: number): string => new Date(epochMs).toISOString();
