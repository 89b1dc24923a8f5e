import { parseParameters } from '../message/header-value.ts';
import type { SipRequest } from '../message/message.ts';

/** What an Event field says (RFC 6665 §8.2.1). A subscription is known by `name` and `id` alone. */
export interface EventName {
  /** The package, in lower case. */
  readonly name: string;
  readonly id: string | null;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Null when there is none, or it is malformed. */
export function eventOf({ headers }: SipRequest): EventName | null {
  const text = headers.get('event')?.trim() ?? '';
  const [name] = /^[\w.!%*+`'~-]+/.exec(text) ?? [];
  if (name === undefined) return null;
  const parameters = parseParameters(text, name.length);
  return parameters && { name: name.toLowerCase(), id: parameters.get('id') ?? null, parameters };
}

/** The id in an Event of the package `refer`, null when it names none; undefined for other packages (RFC 3515 §2.4.6). */
export function referEventId(event: EventName | null): number | null | undefined {
  if (event?.name !== 'refer') return undefined;
  return event.id === null ? null : Number(event.id);
}
