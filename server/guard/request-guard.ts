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

/** Stands before the user agent: who gets no answer, who has to wait, and whom we cannot serve just now. */
export class RequestGuard {
  /** Requests that were turned away, by reason. */
  readonly turned: Record<Turned, number> = { scanner: 0, banned: 0, flood: 0, rate: 0, overload: 0 };
  private readonly options: GuardOptions;
  private readonly scanners: Scanners;
  private readonly rates = new RequestRates();
  private readonly failures: FailureBans;

  constructor(options: GuardOptions) {
    this.options = options;
    this.scanners = new Scanners(options.scanners);
    this.failures = new FailureBans(options.bans);
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
    const { isSignedIn, now } = this.options;
    if (this.failures.isBanned(senderOf(flow.remoteAddress), now()) && !isSignedIn(flow)) return this.turn('banned');
    return this.scanners.has(request.headers.get('user-agent')) && this.turn('scanner');
  }

  /** How long a request waits before it is looked at, in milliseconds. */
  delayMs(request: SipRequest, flow: Flow): number {
    if (!request.headers.has('authorization') && !request.headers.has('proxy-authorization')) return 0;
    return this.failures.delayMs(senderOf(flow.remoteAddress), this.options.now());
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

  /** A wrong password came from there. */
  failed(address: string): void {
    const { log, now, bans } = this.options;
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
