import type { Log } from '../log.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { isLoopbackAddress, isPrivateAddress } from '../sip/transport/addresses.ts';
import type { Flow } from '../sip/transport/flow.ts';
import { type BanPolicy, FailureBans } from './failure-bans.ts';
import type { Overload } from './overload.ts';
import { RequestRates } from './request-rates.ts';
import { Scanners } from './scanners.ts';
import { senderOf } from './sender.ts';

export interface GuardOptions {
  readonly log: Log;
  /** Milliseconds on a monotonic clock. */
  readonly now: () => number;
  readonly bans: BanPolicy;
  /** Requests a second that one sender may send. */
  readonly requestsPerSecond: number;
  readonly requestsPerSecondPrivate: number;
  /** Names of scanners besides the known ones. */
  readonly scanners: readonly string[];
  readonly overload: Overload;
  /** Whether somebody has signed in over this flow: bans of their address do not concern them. */
  readonly isSignedIn: (flow: Flow) => boolean;
}

/** Why a request got no answer, or 503. */
export type Turned = 'scanner' | 'banned' | 'flood' | 'rate' | 'overload';

const RETRY_AFTER_S = 5;
const MALFORMED_LINES_PER_SECOND = 10;

/** Stands before the user agent: who gets no answer, who has to wait, and whom we cannot serve just now. */
export class RequestGuard {
  /** Requests that were turned away, by reason. */
  readonly turned: Record<Turned, number> = { scanner: 0, banned: 0, flood: 0, rate: 0, overload: 0 };
  private readonly options: GuardOptions;
  private readonly scanners: Scanners;
  private readonly rates = new RequestRates();
  private readonly malformed = new RequestRates();
  /** By address, or network. */
  private readonly failures: FailureBans;
  /** By flow: for those whom a ban of their address does not concern. */
  private readonly flowFailures: FailureBans;

  constructor(options: GuardOptions) {
    this.options = options;
    this.scanners = new Scanners(options.scanners);
    this.failures = new FailureBans(options.bans);
    this.flowFailures = new FailureBans(options.bans);
  }

  get bans(): number {
    return this.failures.bans;
  }

  get banned(): number {
    return this.failures.banned(this.options.now());
  }

  /** Whether nothing may be done about a request, not even an answer. Requests within dialogs pass: calls go on. */
  drops(request: SipRequest, flow: Flow): boolean {
    if (isInDialog(request)) return false;
    if (this.isBanned(flow)) return this.turn('banned');
    return this.scanners.has(request.headers.get('user-agent')) && this.turn('scanner');
  }

  /**
   * Whether passwords from there are not even looked at. Who is signed in has nothing to do with others at the same
   * address, behind a NAT perhaps; but is banned all the same for guessing other users' passwords.
   */
  isBanned(flow: Flow): boolean {
    const { isSignedIn, now } = this.options;
    if (!this.failures.isBanned(senderOf(flow.remoteAddress), now())) return false;
    return !isSignedIn(flow) || this.flowFailures.isBanned(flow.id, now());
  }

  /** How long a request waits before it is looked at, in milliseconds. */
  delayMs(request: SipRequest, flow: Flow): number {
    if (!request.headers.has('authorization') && !request.headers.has('proxy-authorization')) return 0;
    const { isSignedIn, now } = this.options;
    const delayMs = this.failures.delayMs(senderOf(flow.remoteAddress), now());
    return delayMs > 0 && isSignedIn(flow) ? this.flowFailures.delayMs(flow.id, now()) : delayMs;
  }

  /** Whether something malformed is worth a line in the log: a flood of it must not fill the disk. */
  logsMalformed(): boolean {
    return this.malformed.take('', MALFORMED_LINES_PER_SECOND, true, this.options.now()) === 'pass';
  }

  /** For a request that is no retransmission: null when it passes, 'drop', or the Retry-After of a 503 in seconds. */
  refuses(request: SipRequest, flow: Flow): number | 'drop' | null {
    const inDialog = isInDialog(request);
    if (this.options.overload.overloaded && !inDialog && request.method !== 'CANCEL') {
      this.turn('overload');
      return RETRY_AFTER_S;
    }
    // Ours are the tests, proxies and gateways of this host; whoever is on it can do worse than to send requests.
    if (isLoopbackAddress(flow.remoteAddress)) return null;
    switch (this.rates.take(senderOf(flow.remoteAddress), this.shareOf(flow), inDialog, this.options.now())) {
      case 'pass':
        return null;
      case 'refuse':
        this.turn('rate');
        return RETRY_AFTER_S;
      case 'drop':
        this.turn('flood');
        return 'drop';
    }
  }

  /**
   * A wrong password came from there: the only thing that anybody is banned for. It answered a challenge that had gone to
   * that very address (`Nonces`), so a sender who forges addresses can have nobody banned.
   */
  failed(flow: Flow): void {
    const { log, now, bans } = this.options;
    const { id, remoteAddress: address } = flow;
    this.flowFailures.failed(id, now());
    if (!this.failures.failed(senderOf(address), now())) return;
    log.warn({ address, failures: bans.afterFailures, seconds: bans.banMs / 1000 }, 'address banned');
  }

  private shareOf(flow: Flow): number {
    const { requestsPerSecond, requestsPerSecondPrivate } = this.options;
    return isPrivateAddress(flow.remoteAddress) ? requestsPerSecondPrivate : requestsPerSecond;
  }

  private turn(reason: Turned): true {
    this.turned[reason]++;
    return true;
  }
}

function isInDialog(request: SipRequest): boolean {
  return request.to.parameters.has('tag');
}
