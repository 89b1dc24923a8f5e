import type { AttributeHolder } from './session-description.ts';

/** The largest width and height that the writer wants to get for a payload type (`a=imageattr`, RFC 6236); null: not said. */
export function readImageSize(
  { attributes }: AttributeHolder,
  payloadType: number,
): { width: number; height: number } | null {
  for (const { name, value } of attributes) {
    if (name !== 'imageattr' || value === null) continue;
    const target = /^\s*(\*|\d{1,3})\s/.exec(value)?.[1];
    if (target !== '*' && target !== String(payloadType)) continue;
    const size = largestOf(receivable(value));
    if (size !== null) return size;
  }
  return null;
}

/** What stands between `recv` and `send`, or the end. */
function receivable(value: string): string {
  const lower = value.toLowerCase();
  const start = lower.search(/\srecv\s/);
  if (start === -1) return '';
  const end = lower.indexOf('send', start);
  return lower.slice(start, end === -1 ? undefined : end);
}

/** Each set is `[x=…,y=…,…]`; of several, the one with the largest picture. */
function largestOf(sets: string): { width: number; height: number } | null {
  let largest: { width: number; height: number } | null = null;
  for (const match of sets.matchAll(/\[x=(\d{1,5}|\[[\d:,]{1,200}\]),y=(\d{1,5}|\[[\d:,]{1,200}\])/g)) {
    const size = { width: largestNumber(match[1]!), height: largestNumber(match[2]!) };
    if (size.width * size.height > (largest === null ? 0 : largest.width * largest.height)) largest = size;
  }
  return largest;
}

/** `640`, `[320,640]`, `[320:640]` or, with a step, `[320:16:640]` (RFC 6236 §3.1.1). */
function largestNumber(text: string): number {
  const numbers = text.split(/[^\d]+/).flatMap((part) => (part === '' ? [] : [Math.min(Number(part), 99_999)]));
  return text.includes(':') ? (numbers.at(-1) ?? 0) : Math.max(0, ...numbers);
}
