import type { ParticipantView } from '../rooms/views.ts';
import { splitList } from '../sip/message/header-value.ts';
import type { SipRequest } from '../sip/message/message.ts';
import { type NameAddress, parseNameAddress } from '../sip/message/name-address.ts';
import type { ParticipantControls } from './participant-controls.ts';

/** Who calls, as the others see it. */
export interface Caller {
  readonly uri: string;
  readonly displayName: string | null;
}

/** As the others see one who has come a moment ago. */
export function newcomer(
  id: string,
  who: Caller,
  controls: ParticipantControls['view'],
  epochMs: number,
): ParticipantView {
  return {
    ...{ id, uri: who.uri, displayName: who.displayName, state: 'connecting', ...controls },
    ...{ talking: false, levelDb: null, hand: false, handRaisedAt: null, audio: null, video: null },
    joinedAt: new Date(epochMs).toISOString(),
  };
}

/** RFC 3323 §4.1.1.3. */
const ANONYMOUS: Caller = { uri: 'sip:anonymous@anonymous.invalid', displayName: 'Anonymous' };

/** Values of Privacy that hide who calls (RFC 3323 §4.2, RFC 3325 §9.3). */
const HIDING = new Set(['id', 'user', 'header', 'session', 'critical']);
const MAX_HOPS_SHOWN = 5;

/** By From; by P-Asserted-Identity where a peer says it whom we trust, unless the caller wants it hidden (RFC 3325 §7). */
export function callerOf(request: SipRequest, trusted: boolean): Caller {
  const { from, headers } = request;
  const said: Caller = { uri: from.uriText, displayName: from.displayName };
  if (!trusted) return said;
  const wishes = headers.all('privacy').flatMap((line) => line.toLowerCase().split(/[;,\s]+/));
  if (wishes.some((wish) => HIDING.has(wish))) return ANONYMOUS;
  const identity = assertedIdentity(request);
  return identity === null ? said : { uri: identity.uriText, displayName: identity.displayName ?? from.displayName };
}

/** P-Asserted-Identity, whatever Privacy says; to be believed of trusted peers alone. */
export function assertedIdentity({ headers }: SipRequest): NameAddress | null {
  const asserted = headers.all('p-asserted-identity').flatMap(splitList).map(parseNameAddress);
  // There may be a sip and a tel URI of the same identity (RFC 3325 §9.1).
  const identity = asserted.find((address) => address?.uri != null) ?? asserted.find((address) => address !== null);
  return identity ?? null;
}

/** Through whose numbers the call came, as Diversion (RFC 5806) and History-Info (RFC 7044) say it; for the log. */
export function describeForwarding({ headers }: SipRequest): Record<string, unknown> {
  const shown = (name: string) =>
    headers
      .all(name)
      .flatMap(splitList)
      .slice(0, MAX_HOPS_SHOWN)
      .map((value) => parseNameAddress(value)?.uriText ?? value);
  const diversion = shown('diversion');
  const historyInfo = shown('history-info');
  return { ...(diversion.length > 0 ? { diversion } : {}), ...(historyInfo.length > 0 ? { historyInfo } : {}) };
}
