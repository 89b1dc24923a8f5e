import { splitList } from '../message/header-value.ts';
import type { SipRequest } from '../message/message.ts';
import type { Flow } from '../transport/flow.ts';

/** Why a request is refused before anybody looks at what it wants. */
export interface Refusal {
  readonly status: number;
  readonly headers: ReadonlyArray<readonly [string, string]>;
}

/** Methods that we know without answering them; for others the status is 501 (RFC 3261 §21.5.2, RFC 4475 §3.1.1.2). */
const NOT_ALLOWED: ReadonlySet<string> = new Set(['REGISTER', 'PUBLISH', 'MESSAGE']);

/**
 * The inspection of RFC 3261 §8.2.1 and §8.2.2, in its order; null when the request passes.
 * @param methods those that are answered here.
 * @param supported the option tags of extensions that are supported for this method.
 */
export function checkRequest(
  request: SipRequest,
  flow: Flow,
  methods: readonly string[],
  supported: readonly string[],
): Refusal | null {
  if (!methods.includes(request.method)) {
    return { status: NOT_ALLOWED.has(request.method) ? 405 : 501, headers: [['Allow', methods.join(', ')]] };
  }
  if (!isOurScheme(request, flow)) return { status: 416, headers: [] };
  // In a CANCEL, Require is ignored (RFC 3261 §8.2.2.3).
  return request.method === 'CANCEL' ? null : checkRequire(request, supported);
}

/** sips promises TLS on each hop, so it is taken only where that is true (RFC 3261 §26.2.2). */
function isOurScheme(request: SipRequest, flow: Flow): boolean {
  if (request.uri === null) return false;
  return request.uri.scheme === 'sip' || flow.protocol === 'tls' || flow.protocol === 'wss';
}

function checkRequire(request: SipRequest, supported: readonly string[]): Refusal | null {
  const required = request.headers.all('require').flatMap(splitList);
  const unsupported = required.filter((tag) => !supported.includes(tag.toLowerCase()));
  return unsupported.length === 0 ? null : { status: 420, headers: [['Unsupported', unsupported.join(', ')]] };
}
