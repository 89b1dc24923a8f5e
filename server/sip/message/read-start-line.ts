import { parseNumber, skip, TOKEN, trimSpace } from './characters.ts';
import { type Draft, fail } from './message-draft.ts';
import { isVisible } from './name-address.ts';
import { reasonPhrase } from './reason-phrases.ts';
import { parseUri, schemeOf } from './uri.ts';

/** RFC 3261 §7.1, §7.2. What is wrong with it becomes the draft's fault. */
export function readStartLine(draft: Draft, line: string): void {
  if (line.includes('\r')) fail(draft, 'bad-start-line', 'Bad Start Line', 0);
  if (line.slice(0, 4).toUpperCase() === 'SIP/') readStatusLine(draft, line);
  else readRequestLine(draft, line);
}

/** `SIP/2.0 200 OK`; the phrase may be empty (RFC 3261 §7.2). */
function readStatusLine(draft: Draft, line: string): void {
  const [version = '', code = ''] = line.split(' ', 2);
  if (!isOurVersion(version)) {
    fail(draft, 'unsupported-version', reasonPhrase(505), 0);
    return;
  }
  const status = code.length === 3 ? parseNumber(code, 699) : null;
  if (status === null || status < 100) {
    fail(draft, 'bad-status', 'Bad Status Code', 0);
    return;
  }
  draft.startLine = { kind: 'response', status, reason: line.slice(version.length + code.length + 2) };
}

/** `INVITE sip:room@example.com SIP/2.0` with single spaces and none after it (RFC 3261 §7.1). */
function readRequestLine(draft: Draft, line: string): void {
  const methodEnd = skip(TOKEN, line, 0);
  const version = line.slice(trimSpace(line).lastIndexOf(' ') + 1);
  if (methodEnd === 0 || line[methodEnd] !== ' ' || !/^SIP\/\d+\.\d+ *$/i.test(version)) {
    fail(draft, 'not-sip', 'Bad Request Line', 0);
    return;
  }
  const method = line.slice(0, methodEnd);
  draft.method = method;
  if (!isOurVersion(trimSpace(version))) {
    fail(draft, 'unsupported-version', reasonPhrase(505), 0);
    return;
  }
  if (version.endsWith(' ')) {
    fail(draft, 'bad-start-line', 'Trailing Space In Request Line', 0);
    return;
  }
  const requestUri = line.slice(methodEnd + 1, line.length - version.length - 1);
  const scheme = schemeOf(requestUri);
  const uri = parseUri(requestUri);
  const sip = scheme === 'sip' || scheme === 'sips';
  // Headers are not allowed in a Request-URI (RFC 3261 §19.1.1, table 1).
  if (scheme === null || !isVisible(requestUri) || (sip && uri === null) || (uri !== null && uri.headers.size > 0)) {
    fail(draft, 'bad-request-uri', 'Bad Request-URI', 0);
    return;
  }
  draft.startLine = { kind: 'request', method, requestUri, uri };
}

function isOurVersion(version: string): boolean {
  return version === 'SIP/2.0' || version.toUpperCase() === 'SIP/2.0';
}
