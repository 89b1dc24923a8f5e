import { ControlError } from '../../server/focus/control.ts';
import type { RegistrationView, UserControl, UserView } from '../../server/registrar/user-control.ts';

const REGISTERED: RegistrationView = {
  id: '1',
  contact: 'sip:alice@10.0.0.5:5060',
  source: '192.0.2.1:40000',
  transport: 'udp',
  userAgent: 'Phone 1.0',
  q: 0.5,
  instance: null,
  path: [],
  registeredAt: '2026-01-02T03:04:05.678Z',
  expiresAt: '2026-01-02T04:04:05.678Z',
};

/** Users without phones: does what the API asks, and remembers it. */
export class FakeUsers implements UserControl {
  readonly byName = new Map<string, UserView>();
  readonly passwords = new Map<string, string>();

  constructor() {
    this.putUser('alice', { password: 'wonderland', displayName: 'Alice' });
    this.byName.get('alice')!.registrations = 1;
  }

  users(): UserView[] {
    return [...this.byName.values()];
  }

  user(name: string): UserView {
    const user = this.byName.get(name);
    if (!user) throw new ControlError('user-not-found', `there is no user ${name}`);
    return user;
  }

  putUser(name: string, { password, displayName }: { password: string; displayName: string | null }) {
    if (/[^a-z0-9]/.test(name)) throw new ControlError('user-name-invalid', `${name} cannot be a user`);
    const created = !this.byName.has(name);
    const at = '2026-01-02T03:04:05.678Z';
    const user = { name, uri: `sip:${name}@example.com`, displayName, createdAt: at, changedAt: at, registrations: 0 };
    this.byName.set(name, user);
    this.passwords.set(name, password);
    return { user, created };
  }

  deleteUser(name: string): void {
    this.byName.delete(this.user(name).name);
  }

  registrations(name: string): RegistrationView[] {
    return Array<RegistrationView>(this.user(name).registrations).fill(REGISTERED);
  }

  deleteRegistrations(name: string): void {
    this.user(name).registrations = 0;
  }
}
