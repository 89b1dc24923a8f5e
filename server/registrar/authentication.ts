import type { Log } from '../log.ts';
import type { DigestServer } from '../sip/auth/digest-server.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { Flow } from '../sip/transport/flow.ts';
import type { Timers } from '../timers.ts';

export interface AuthenticationOptions {
  readonly digest: DigestServer;
  readonly timers: Timers;
  readonly log: Log;
  /** Somebody who can be reached at the other end of that flow gave a wrong password. */
  readonly failed: (flow: Flow) => void;
  /** Whether passwords that come over that flow are not looked at; they are asked for again and again. */
  readonly isBanned: (flow: Flow) => boolean;
}

export type AuthenticationResult =
  | { readonly user: string }
  | {
      readonly status: 400 | 401;
      readonly reason: string;
      readonly headers?: ReadonlyArray<readonly [string, string]>;
    };

/** Keeps names that somebody made up out of the log at length. */
const LOGGED_NAME_LENGTH = 64;

/** Who sent a request, by their password. */
export class Authentication {
  readonly counts = { succeeded: 0, failed: 0, stale: 0, malformed: 0 };
  private readonly options: AuthenticationOptions;

  constructor(options: AuthenticationOptions) {
    this.options = options;
  }

  /** The user, or the 401 with challenges; 400 for credentials that cannot be read. */
  authenticate(request: SipRequest, flow: Flow): AuthenticationResult {
    const { digest, timers, isBanned } = this.options;
    // Requests within dialogs come as far as here, so that calls go on; but nobody guesses by them.
    if (isBanned(flow)) return this.challenge(request, flow, false);
    const verdict = digest.verify(request, flow.remoteAddress, timers.now());
    switch (verdict.kind) {
      case 'authenticated':
        this.counts.succeeded++;
        return { user: verdict.user };
      case 'none':
        return this.challenge(request, flow, false);
      case 'stale':
        this.counts.stale++;
        return this.challenge(request, flow, true);
      case 'failed':
        this.counts.failed++;
        this.failed(request, flow, verdict.username);
        return this.challenge(request, flow, false);
      case 'malformed':
        this.counts.malformed++;
        return { status: 400, reason: verdict.reason };
    }
  }

  /** Whether the request has credentials for us, right or wrong. */
  isSigned(request: SipRequest): boolean {
    return request.headers.has('authorization') || request.headers.has('proxy-authorization');
  }

  private challenge(request: SipRequest, flow: Flow, stale: boolean): AuthenticationResult {
    const { digest, timers } = this.options;
    const userAgent = request.headers.get('user-agent');
    const headers = digest.challenge(flow.remoteAddress, timers.now(), stale, userAgent);
    return { status: 401, reason: 'Unauthorized', headers };
  }

  /** The line that docs/registrar.md gives a filter for: neither its text nor the order of its fields may change. */
  private failed({ method }: SipRequest, flow: Flow, username: string): void {
    const { log, failed } = this.options;
    const user = username.slice(0, LOGGED_NAME_LENGTH);
    log.warn({ address: flow.remoteAddress, transport: flow.protocol, method, user }, 'authentication failure');
    failed(flow);
  }
}
