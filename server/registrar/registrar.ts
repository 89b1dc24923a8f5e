import type { Log } from '../log.ts';
import type { ResponseParts } from '../sip/message/create-message.ts';
import { splitList } from '../sip/message/header-value.ts';
import { canonicalHost } from '../sip/message/host.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { SipUri } from '../sip/message/uri.ts';
import type { Flow } from '../sip/transport/flow.ts';
import type { MethodHandler } from '../sip/user-agent/user-agent.ts';
import type { Authentication } from './authentication.ts';
import type { Binding } from './binding.ts';
import type { Bindings } from './bindings.ts';
import { type ExpiryLimits, type Refusal, readRegister } from './register-request.ts';
import { type BindingChanges, bindingChanges } from './update-bindings.ts';

export interface RegistrarOptions {
  readonly authentication: Authentication;
  readonly bindings: Bindings;
  readonly log: Log;
  readonly epochMs: () => number;
  /** The hosts that addresses of record may have besides the address that the request came to. */
  readonly hosts: readonly string[];
  /** Where clients of this flow find us, for Service-Route (RFC 3608). */
  readonly serviceRoute: (flow: Flow) => string;
  readonly expiry: ExpiryLimits;
  readonly maxContactsPerUser: number;
  readonly maxBindings: number;
}

type Header = readonly [string, string];

/** Clients of outbound flows must send something this often (RFC 5626 §4.4); connections live for longer without. */
const FLOW_TIMER_S = 120;
const RETRY_AFTER_S = 60;
const EXTENSIONS = ['path', 'outbound'];

/** The registrar of RFC 3261 §10.3, with RFC 3327 (Path), RFC 3608 (Service-Route) and RFC 5626 (outbound). */
export class Registrar implements MethodHandler {
  readonly optionTags = EXTENSIONS;
  private readonly options: RegistrarOptions;
  private readonly hosts: ReadonlySet<string>;
  private date = { second: -1, text: '' };

  constructor(options: RegistrarOptions) {
    this.options = options;
    this.hosts = new Set(options.hosts.map(canonicalHost));
  }

  /** Who gives no password is asked for it; every second REGISTER is of that kind, and there is nothing to be kept of it. */
  statelessAnswer(request: SipRequest, flow: Flow): (ResponseParts & { readonly status: number }) | null {
    const { authentication } = this.options;
    if (request.to.uri === null || authentication.isSigned(request)) return null;
    const challenge = authentication.authenticate(request, flow);
    return 'status' in challenge ? challenge : null;
  }

  received(request: SipRequest, flow: Flow, respond: (status: number, parts?: ResponseParts) => void): void {
    const answer = this.register(request, flow);
    if (Array.isArray(answer)) {
      respond(200, { headers: answer });
      return;
    }
    const { status, reason, headers } = answer;
    respond(status, { ...(reason === undefined ? {} : { reason }), ...(headers === undefined ? {} : { headers }) });
  }

  /** The fields of the 200, or why not. */
  private register(request: SipRequest, flow: Flow): Header[] | Refusal {
    // Nobody needs to be known for that: addresses of record are SIP addresses (RFC 3261 §10.2).
    if (request.to.uri === null) return { status: 400, reason: 'Only SIP addresses can be registered' };
    const authenticated = this.options.authentication.authenticate(request, flow);
    if ('status' in authenticated) return authenticated;
    const { user } = authenticated;
    const refusal = this.mayRegister(user, request, flow);
    if (refusal !== null) return refusal;
    const { bindings, epochMs, expiry } = this.options;
    const wanted = readRegister(request, expiry);
    if ('status' in wanted) return wanted;
    const known = bindings.of(user);
    const nowMs = epochMs();
    const newId = () => bindings.newId();
    const changes = bindingChanges(wanted, { request, flow, user, known, nowMs, newId });
    if (changes === null) return { status: 500, reason: 'An older request came after a newer one' };
    const tooMany = this.tooMany(changes, known, user);
    if (tooMany !== null) return tooMany;
    for (const binding of changes.remove) bindings.remove(binding);
    for (const binding of changes.put) bindings.put(binding);
    this.log(user, flow, known, changes);
    return this.answer(request, flow, bindings.of(user), changes, nowMs);
  }

  /** Steps 1, 4 and 5 of RFC 3261 §10.3: each registers only for themselves, and only in our domain. */
  private mayRegister(user: string, request: SipRequest, flow: Flow): Refusal | null {
    const { uri } = request.to;
    if (!this.isOurs(request.uri, flow) || !this.isOurs(uri, flow)) {
      this.options.log.info({ user, to: request.to.uriText, uri: request.requestUri }, 'REGISTER for another domain');
      return { status: 404, reason: 'Not our domain' };
    }
    return uri?.user?.toLowerCase() === user ? null : { status: 403, reason: 'Not your address' };
  }

  private isOurs(uri: SipUri | null, flow: Flow): boolean {
    if (uri === null) return false;
    const host = canonicalHost(uri.host);
    return this.hosts.has(host) || host === canonicalHost(flow.localAddress);
  }

  private tooMany({ put, remove }: BindingChanges, known: readonly Binding[], user: string): Refusal | null {
    const { bindings, maxBindings, maxContactsPerUser, log } = this.options;
    const added = put.filter(({ id }) => !known.some((binding) => binding.id === id)).length - remove.length;
    if (added <= 0) return null;
    if (known.length + added > maxContactsPerUser) {
      log.warn({ user, contacts: known.length, maxContactsPerUser }, 'too many registrations of one user');
      return { status: 403, reason: 'Too many registrations' };
    }
    if (bindings.size + added <= maxBindings) return null;
    log.error({ maxRegistrations: maxBindings }, 'too many registrations');
    return { status: 503, headers: [['Retry-After', String(RETRY_AFTER_S)]] };
  }

  /** What comes and goes is worth a line; refreshes are not. */
  private log(user: string, flow: Flow, known: readonly Binding[], { put, remove }: BindingChanges): void {
    const { log } = this.options;
    const source = `${flow.remoteAddress}:${flow.remotePort}`;
    for (const { contact } of remove) log.info({ user, contact, source }, 'registration removed');
    for (const { id, contact, userAgent } of put) {
      if (known.some((binding) => binding.id === id)) continue;
      log.info({ user, contact, source, transport: flow.protocol, userAgent }, 'registered');
    }
  }

  /** Step 8 of RFC 3261 §10.3: all bindings, whoever made them. */
  private answer(
    request: SipRequest,
    flow: Flow,
    bindings: readonly Binding[],
    changes: BindingChanges,
    nowMs: number,
  ): Header[] {
    const headers: Header[] = bindings.map((binding) => ['Contact', contactOf(binding, nowMs)]);
    for (const value of request.headers.all('path').flatMap(splitList)) headers.push(['Path', value]);
    if (bindings.length > 0) headers.push(['Service-Route', this.options.serviceRoute(flow)]);
    headers.push(['Supported', EXTENSIONS.join(', ')]);
    if (changes.put.some(({ regId }) => regId !== null)) {
      headers.push(['Require', 'outbound'], ['Flow-Timer', String(FLOW_TIMER_S)]);
    }
    headers.push(['Date', this.dateOf(nowMs)]);
    return headers;
  }

  /** The same for all of a second. */
  private dateOf(nowMs: number): string {
    const second = Math.floor(nowMs / 1000);
    if (this.date.second !== second) this.date = { second, text: new Date(nowMs).toUTCString() };
    return this.date.text;
  }
}

function contactOf({ contact, parameters, q, expiresMs }: Binding, nowMs: number): string {
  const expiresS = Math.ceil((expiresMs - nowMs) / 1000);
  return `<${contact}>${parameters}${q === null ? '' : `;q=${q}`};expires=${expiresS}`;
}
