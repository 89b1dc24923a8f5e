import type { ApiClient } from './api-client.ts';

let serial = 0;

/** One of whom no registration is left: a phone that was ended by force has not taken its own back. */
export async function newUser(api: ApiClient, password: string): Promise<string> {
  const user = `alice${++serial}`;
  await api.putUser(user, password);
  return user;
}
