import type { AudioLevelExtension, MediaDirection } from '../../mixer/protocol.ts';
import type { AttributeHolder, SdpAttribute } from './session-description.ts';

/** The header extension in which a sender says how loud each packet is (RFC 6464), in SDP (RFC 8285 §5). */

const AUDIO_LEVEL_URI = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level';

/** For our offers, where the session has none yet. */
const DEFAULT_ID = 1;
/** RFC 8285 §4.2, §4.3: what the one-byte form holds, and the two-byte form; 15 is nobody's. */
const LAST_ONE_BYTE_ID = 14;
const LAST_ID = 255;
/** RFC 8285 §6: an offer may have more extensions than identifiers; the answer then finds one for what it takes. */
const FIRST_WITHOUT_ID = 4096;
const LAST_WITHOUT_ID = 4351;

interface ExtensionMap {
  id: number;
  direction: MediaDirection;
  uri: string;
  /** What follows the URI. */
  attributes: string;
}

/**
 * What the writer of `media` would send us; null when that is nothing that we can take. An identifier beyond the range of
 * packets becomes a free one, which an answer may say and an offer never does.
 */
export function readAudioLevel(session: AttributeHolder, media: AttributeHolder): AudioLevelExtension | null {
  const maps = [...extensionMaps(media), ...extensionMaps(session)];
  const map = maps.find(({ uri, direction }) => uri === AUDIO_LEVEL_URI && direction !== 'inactive');
  if (map === undefined || map.direction === 'recvonly') return null;
  const id = map.id >= FIRST_WITHOUT_ID ? freeId(maps) : map.id;
  // One identifier for two extensions would leave it open which of them a packet has.
  if (id === null || maps.some((other) => other.id === id && other.uri !== AUDIO_LEVEL_URI)) return null;
  return { id, vad: !/(?:^|\s)vad=off(?:\s|$)/i.test(map.attributes) };
}

/** The identifier that our description gave it, which stays for the session (RFC 8285 §6). */
export function ourAudioLevelId(ourStream: AttributeHolder | undefined): number {
  const map = extensionMaps(ourStream ?? { attributes: [] }).find(({ uri }) => uri === AUDIO_LEVEL_URI);
  return map?.id ?? DEFAULT_ID;
}

/** We take it and never send it. `vad=on` is what nobody needs to say (RFC 6464 §4). */
export function writeAudioLevel({ id, vad }: AudioLevelExtension): SdpAttribute {
  return { name: 'extmap', value: `${id}/recvonly ${AUDIO_LEVEL_URI}${vad ? '' : ' vad=off'}` };
}

/** `a=extmap:<id>["/"<direction>] <URI> [<attributes>]` */
function extensionMaps({ attributes }: AttributeHolder): ExtensionMap[] {
  return attributes.flatMap(({ name, value }) => {
    if (name !== 'extmap') return [];
    const match = /^\s*(\d{1,4})(?:\/(sendrecv|sendonly|recvonly|inactive))?\s+(\S+)\s*(.*)$/i.exec(value ?? '');
    const id = Number(match?.[1] ?? 0);
    const valid = (id >= 1 && id <= LAST_ID && id !== LAST_ONE_BYTE_ID + 1) || isWithoutId(id);
    if (match === null || !valid) return [];
    const direction = (match[2]?.toLowerCase() ?? 'sendrecv') as MediaDirection;
    return [{ id, direction, uri: match[3]!, attributes: match[4]! }];
  });
}

function isWithoutId(id: number): boolean {
  return id >= FIRST_WITHOUT_ID && id <= LAST_WITHOUT_ID;
}

function freeId(maps: readonly ExtensionMap[]): number | null {
  for (let id = 1; id <= LAST_ONE_BYTE_ID; id++) if (!maps.some((map) => map.id === id)) return id;
  return null;
}
