/** The two names that a record is found by. */
export interface RecordAddress {
  /** The user part of the URI, or a telephone number. */
  user: string;
  /** `user@host`, the host in lower case; null when only the user is known. */
  address: string | null;
}

/** Reads a SIP or tel URI, `user@host` or a bare user. Never fails: whatever it is has some name. */
export function recordAddress(text: string): RecordAddress {
  const bare = text.trim().replace(/^(?:sips?|tel):/i, '');
  const at = bare.lastIndexOf('@');
  if (at < 0) return { user: decoded(bare.replace(/[;?].*$/s, '')), address: null };
  const user = decoded(bare.slice(0, at).replace(/[;:].*$/s, ''));
  const host = bare
    .slice(at + 1)
    .replace(/[;?>].*$/s, '')
    .replace(/:\d+$/, '')
    .toLowerCase();
  return { user, address: `${user}@${host}` };
}

function decoded(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}
