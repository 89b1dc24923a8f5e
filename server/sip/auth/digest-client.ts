import { randomBytes } from 'node:crypto';
import { splitList } from '../message/header-value.ts';
import type { SipRequest, SipResponse } from '../message/message.ts';
import { type AuthValue, parseAuthValue, writeDigest } from './auth-parameters.ts';
import {
  type DigestAlgorithm,
  digestAlgorithm,
  digestResponse,
  hashedPassword,
  hashedUsername,
  type Qop,
  sessionKey,
} from './digest.ts';

/** A name and password for a realm; null when there are none. */
export type FindPassword = (realm: string) => { readonly username: string; readonly password: string } | null;

/** What to do after a 401 or 407. */
export type ChallengeOutcome =
  /** Send the request again, with `credentials`. */
  | 'retry'
  /** The server does not take our name and password, or we have none for it. */
  | 'refused'
  /** No challenge that we could answer: unknown schemes or algorithms only. */
  | 'unsupported';

type CredentialsField = 'Authorization' | 'Proxy-Authorization';

interface Challenge {
  readonly field: CredentialsField;
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  readonly algorithm: DigestAlgorithm;
  readonly session: boolean;
  readonly qop: Qop | null;
  readonly userhash: boolean;
  readonly stale: boolean;
}

/** A challenge, and what was made of it so far. */
interface Session {
  readonly challenge: Challenge;
  readonly username: string;
  readonly ha1: string;
  nonce: string;
  nonceCount: number;
  /** An answer other than a challenge came: the password was right. */
  accepted: boolean;
  /** A stale nonce was replaced by this one's, and nothing was accepted in between. */
  readonly renewed: boolean;
}

/** The strongest first; of equals the server's order decides (RFC 8760 §2.4). */
const STRENGTH: Record<DigestAlgorithm, number> = { 'SHA-256': 1, 'SHA-512-256': 1, MD5: 0 };

/** Answers the challenges of servers and proxies on the way of one user's requests (RFC 7616 §3.4, RFC 3261 §22). */
export class DigestClient {
  private readonly findPassword: FindPassword;
  private readonly newCnonce: () => string;
  /** By field and realm: a proxy and a server may both ask (RFC 3261 §22.3). */
  private readonly sessions = new Map<string, Session>();

  constructor(findPassword: FindPassword, newCnonce: () => string = () => randomBytes(16).toString('hex')) {
    this.findPassword = findPassword;
    this.newCnonce = newCnonce;
  }

  /** For other requests at the same time, whose challenges are not those of these. */
  another(): DigestClient {
    return new DigestClient(this.findPassword, this.newCnonce);
  }

  /** Takes in a 401 or 407. A second refusal of the same password is final, as is a second stale nonce in a row. */
  challenged(response: SipResponse): ChallengeOutcome {
    const challenges = strongestByRealm(challengesOf(response));
    if (challenges.length === 0) return 'unsupported';
    let retry = false;
    for (const challenge of challenges) {
      if (this.accept(challenge)) retry = true;
      else this.sessions.delete(keyOf(challenge));
    }
    return retry ? 'retry' : 'refused';
  }

  /** The fields to put on a request; none before there was a challenge. Each call counts as one request sent. */
  credentials(request: Pick<SipRequest, 'method' | 'requestUri' | 'body'>): Array<[CredentialsField, string]> {
    return [...this.sessions.values()].map((session) => [session.challenge.field, this.sign(session, request)]);
  }

  /** Takes in any other final response: the password is right, and `nextnonce` is for the next request (RFC 7616 §3.5). */
  answered(response: SipResponse): void {
    for (const session of this.sessions.values()) session.accepted = true;
    this.renew('Authorization', response.headers.get('authentication-info'));
    this.renew('Proxy-Authorization', response.headers.get('proxy-authentication-info'));
  }

  /**
   * The next request goes to another server, which is no judge of what the last one was told and said nothing to. Where it
   * was accepted, it may be here too.
   */
  moved(): void {
    for (const [key, { accepted }] of this.sessions) if (!accepted) this.sessions.delete(key);
  }

  private renew(field: CredentialsField, info: string | undefined): void {
    // It has no scheme of its own; the parameters are read as those of a challenge.
    const nextNonce = info === undefined ? undefined : parseAuthValue(`Digest ${info}`)?.parameters.get('nextnonce');
    const sessions = [...this.sessions.values()].filter(({ challenge }) => challenge.field === field);
    // Nothing says whose it is, when several realms ask.
    if (nextNonce === undefined || sessions.length !== 1) return;
    sessions[0]!.nonce = nextNonce;
    sessions[0]!.nonceCount = 0;
  }

  /** False when there is no point in trying again. */
  private accept(challenge: Challenge): boolean {
    const key = keyOf(challenge);
    const known = this.sessions.get(key);
    // What was accepted once is tried again whatever `stale` says, as some servers forget to say it.
    const refused = known !== undefined && known.nonceCount > 0 && !known.accepted;
    if (refused && (!challenge.stale || known.renewed)) return false;
    const found = this.findPassword(challenge.realm);
    if (found === null) return false;
    const { username, password } = found;
    const { algorithm, realm, nonce } = challenge;
    const ha1 = hashedPassword(algorithm, username, realm, password);
    this.sessions.set(key, { challenge, username, ha1, nonce, nonceCount: 0, accepted: false, renewed: refused });
    return true;
  }

  private sign(session: Session, { method, requestUri, body }: Pick<SipRequest, 'method' | 'requestUri' | 'body'>) {
    const { challenge, username, nonce } = session;
    const { algorithm, realm, qop, opaque, userhash } = challenge;
    const nc = (++session.nonceCount).toString(16).padStart(8, '0');
    const cnonce = this.newCnonce();
    const ha1 = challenge.session ? sessionKey(algorithm, session.ha1, nonce, cnonce) : session.ha1;
    const protection = qop === null ? null : { qop, nc, cnonce };
    const response = digestResponse({ algorithm, ha1, nonce, method, uri: requestUri, protection, body });
    const parameters = new Map([
      ['username', userhash ? hashedUsername(algorithm, username, realm) : username],
      ['realm', realm],
      ['nonce', nonce],
      ['uri', requestUri],
      ['response', response],
      ['algorithm', challenge.session ? `${algorithm}-sess` : algorithm],
    ]);
    if (protection !== null) parameters.set('qop', protection.qop).set('nc', nc);
    if (protection !== null || challenge.session) parameters.set('cnonce', cnonce);
    if (opaque !== undefined) parameters.set('opaque', opaque);
    if (userhash) parameters.set('userhash', 'true');
    return writeDigest('credentials', parameters);
  }
}

/** As `DigestClient.credentials` put them on a request. */
export function credentialsOf({ headers }: SipRequest): Array<[CredentialsField, string]> {
  return (['Authorization', 'Proxy-Authorization'] as const).flatMap((field) =>
    headers.all(field).map((value): [CredentialsField, string] => [field, value]),
  );
}

function keyOf({ field, realm }: Challenge): string {
  return `${field} ${realm}`;
}

/** Those that we can answer, in the server's order. */
function challengesOf(response: SipResponse): Challenge[] {
  const read = (name: string, field: CredentialsField): Challenge[] =>
    response.headers.all(name).flatMap((text) => readChallenge(parseAuthValue(text), field) ?? []);
  return [...read('www-authenticate', 'Authorization'), ...read('proxy-authenticate', 'Proxy-Authorization')];
}

function readChallenge(value: AuthValue | null, field: CredentialsField): Challenge | null {
  if (value?.scheme !== 'digest') return null;
  const { parameters } = value;
  const realm = parameters.get('realm');
  const nonce = parameters.get('nonce');
  if (realm === undefined || nonce === undefined) return null;
  const named = parameters.get('algorithm');
  const session = named?.toLowerCase().endsWith('-sess') ?? false;
  const algorithm = digestAlgorithm(session ? named?.slice(0, -'-sess'.length) : named);
  const qop = chooseQop(parameters.get('qop'));
  if (algorithm === null || qop === undefined) return null;
  const flag = (name: string): boolean => parameters.get(name)?.toLowerCase() === 'true';
  const opaque = parameters.get('opaque');
  return { field, realm, nonce, opaque, algorithm, session, qop, userhash: flag('userhash'), stale: flag('stale') };
}

/** auth where it is offered, as bodies are changed on the way by many a router; undefined: nothing that we know. */
function chooseQop(offered: string | undefined): Qop | null | undefined {
  if (offered === undefined) return null;
  const tokens = splitList(offered.toLowerCase());
  return (['auth', 'auth-int'] as const).find((qop) => tokens.includes(qop));
}

function strongestByRealm(challenges: readonly Challenge[]): Challenge[] {
  const best = new Map<string, Challenge>();
  for (const challenge of challenges) {
    const known = best.get(keyOf(challenge));
    if (known === undefined || STRENGTH[challenge.algorithm] > STRENGTH[known.algorithm]) {
      best.set(keyOf(challenge), challenge);
    }
  }
  return [...best.values()];
}
