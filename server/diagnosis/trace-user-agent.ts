import type { CallTrace } from './sip-traces.ts';

const USER_AGENT = /^(?:user-agent|server)[ \t]*:[ \t]*([^\r\n]+)/im;

/** What the other side of a call that we made calls itself (RFC 3261 §20.35, §20.41); null when it does not say. */
export function userAgentIn(trace: CallTrace | undefined): string | null {
  for (const { received, text } of trace?.messages ?? []) {
    const found = received ? USER_AGENT.exec(text) : null;
    if (found !== null) return found[1]!.trim();
  }
  return null;
}
