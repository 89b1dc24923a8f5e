/** A user as HTTP shows them. */
export interface UserView {
  name: string;
  /** Address of record. */
  uri: string;
  displayName: string | null;
  /** ISO 8601. */
  createdAt: string;
  changedAt: string;
  /** How many places the user can be reached at. */
  registrations: number;
}

/** One place where a user can be reached. */
export interface RegistrationView {
  id: string;
  /** The URI that the phone gave. */
  contact: string;
  /** Where it really registered from: `address:port`. */
  source: string;
  transport: string;
  userAgent: string | null;
  /** 0 to 1; null where the phone did not say. */
  q: number | null;
  /** RFC 5626: the phone's own identity. */
  instance: string | null;
  /** RFC 3327: proxies on the way. */
  path: string[];
  registeredAt: string;
  expiresAt: string;
}

/** What may be done to users from outside SIP. All failures are `ControlError`s of focus/control.ts. */
export interface UserControl {
  users(): UserView[];
  user(name: string): UserView;
  /** Makes the user or changes them; an old password is good no more. */
  putUser(name: string, user: { password: string; displayName: string | null }): { user: UserView; created: boolean };
  /** With all registrations. */
  deleteUser(name: string): void;
  registrations(user: string): RegistrationView[];
  /** Removes them; phones come back at their next refresh unless the password is changed too. */
  deleteRegistrations(user: string): void;
}
