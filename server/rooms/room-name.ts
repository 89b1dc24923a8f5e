/** Names that are safe in a URI, a file and a log without escaping: letters, digits, dot, dash, underscore, plus. */
const ROOM_NAME = /^[a-z0-9+][a-z0-9._+-]{0,63}$/;

/**
 * The room that a user part names, or null when it can name none. Case does not count: people dial what they hear, and what
 * a user part of our own domain means is for us to say (RFC 3261 §19.1.4 compares user parts by case).
 */
export function roomName(user: string | null): string | null {
  const name = user?.toLowerCase() ?? '';
  return ROOM_NAME.test(name) ? name : null;
}
