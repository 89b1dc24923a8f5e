import { lookup as lookupDns } from 'node:dns';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { literalAddress } from './webhook-address.ts';

/** A status that came, or why none came. */
export type WebhookAnswer = { status: number; retryAfterMs: number | null } | { error: string };

export interface WebhookRequest {
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** Sends one request; never rejects. */
export type SendWebhook = (request: WebhookRequest, signal: AbortSignal) => Promise<WebhookAnswer>;

/** From looking up the name to the status. */
const TIMEOUT_MS = 10_000;
const MAX_ANSWER_HEADER_BYTES = 16_384;

/**
 * Sends webhooks over HTTP and HTTPS, only to addresses that are allowed: each that a name leads to is judged as the
 * connection is made, so that a name cannot lead elsewhere after it was checked. Redirects are not followed, and the body
 * of the answer is never read: nobody can have this server fetch something for them.
 */
export function webhookSender(allowed: (address: string) => boolean, timeoutMs = TIMEOUT_MS): SendWebhook {
  const lookup = allowedOnly(allowed);
  return ({ url: text, headers, body }, signal) => {
    const url = new URL(text);
    const address = literalAddress(url);
    if (address !== null && !allowed(address)) return Promise.resolve({ error: `${address} is not allowed` });
    return new Promise((resolve) => {
      const send = url.protocol === 'https:' ? requestHttps : requestHttp;
      const request = send(url, {
        method: 'POST',
        headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
        agent: false,
        lookup,
        maxHeaderSize: MAX_ANSWER_HEADER_BYTES,
        signal,
      });
      const tooLate = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
      request.on('response', (response) => {
        resolve({ status: response.statusCode ?? 0, retryAfterMs: secondsAsMs(response.headers['retry-after']) });
        response.on('error', () => {});
        response.destroy();
      });
      request.on('error', (error: NodeJS.ErrnoException) => resolve({ error: error.message || (error.code ?? '') }));
      request.on('close', () => {
        clearTimeout(tooLate);
        // There was neither answer nor error where the receiver wanted another protocol (101).
        resolve({ error: 'the connection closed without an answer' });
      });
      request.end(body);
    });
  };
}

/** Looks names up as usual, and fails when none of the addresses is allowed. */
function allowedOnly(allowed: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookupDns(hostname, { ...options, all: true }, (error, addresses) => {
      const good = error ? [] : addresses.filter(({ address }) => allowed(address));
      const [first] = good;
      if (error) callback(error, '', 0);
      else if (!first) callback(new Error(`${hostname} leads to no address that is allowed`), '', 0);
      else if (options.all) callback(null, good);
      else callback(null, first.address, first.family);
    });
  };
}

/** Dates (RFC 9110 §10.2.3) are left alone. */
function secondsAsMs(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : null;
}
