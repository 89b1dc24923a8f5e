import { createHmac } from 'node:crypto';

/**
 * The value of `Parley-Signature`: when it was sent, in seconds since 1970, and HMAC-SHA-256 (RFC 2104) over that time, a
 * dot and the body, in hex. The time is in it so that who has overheard a request cannot send it again much later.
 */
export function signature(secret: string, epochMs: number, body: string): string {
  const t = Math.floor(epochMs / 1000);
  return `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${body}`).digest('hex')}`;
}
