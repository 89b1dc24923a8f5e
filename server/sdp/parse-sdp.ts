import type {
  MediaDescription,
  SdpAttribute,
  SdpConnection,
  SdpOrigin,
  SessionDescription,
} from './session-description.ts';

/**
 * Reads an SDP session description (RFC 8866 §5, §9).
 *
 * What the rest of the project relies upon is checked: `v=0` first, one well-formed `o=`, well-formed `c=` and `m=`
 * lines, ports within 0–65535, no control characters. Where phones err and nothing can be misunderstood, it is lenient:
 *
 * - Lines may end in a bare LF, the last one in nothing, and with white space: hand-written and old stacks.
 * - Blank lines are skipped: bodies padded with CRLF.
 * - `s=` may be missing or empty (`s=` and `s= ` are common; RFC 8866 §5.3 asks for `-`): nobody reads it in a call.
 * - `t=` may be missing: it is always `0 0` in a call (RFC 3264 §5).
 * - Lines of a section may stand in any order, and the session's `t r z u e p` even after an `m=`: their letters say
 *   where they belong.
 * - Fields may be separated by several spaces or tabs.
 * - The user name of `o=` may hold spaces: display names are put there. The five fields after it are unambiguous.
 * - A stream with port 0 may have no formats: RFC 3264 §6 has them ignored.
 * - No `c=` for a stream: its address is found by latching (RFC 4961).
 * - An empty `a=` is dropped: it says nothing.
 * - Deviation: a line of an unknown letter is kept, where RFC 8866 §5 has the whole description refused. A call is
 *   worth more than a letter.
 */

export type SdpErrorCode =
  | 'too-long'
  | 'too-many-media'
  | 'too-many-formats'
  | 'too-many-attributes'
  | 'not-a-line'
  | 'control-character'
  | 'no-version'
  | 'bad-version'
  | 'no-origin'
  | 'bad-origin'
  | 'bad-connection'
  | 'bad-media'
  | 'bad-port'
  | 'bad-attribute'
  | 'duplicate-line'
  | 'misplaced-line';

export interface SdpError {
  code: SdpErrorCode;
  /** From 1; for what is missing, the last line. */
  line: number;
  /** Where that line begins, in UTF-16 units from the start of the text. */
  offset: number;
  /** Holds nothing of what was read, so that it may be sent and logged. */
  message: string;
}

export type SdpParseResult = { ok: true; description: SessionDescription } | { ok: false; error: SdpError };

/** Bounds on what is read from strangers. Browsers' offers, the longest there are, stay below a tenth of each. */
export const SDP_LIMITS = { length: 65536, media: 32, formats: 128, attributesPerSection: 512 } as const;

const MESSAGES: Record<SdpErrorCode, string> = {
  'too-long': `longer than ${SDP_LIMITS.length} characters`,
  'too-many-media': `more than ${SDP_LIMITS.media} media descriptions`,
  'too-many-formats': `more than ${SDP_LIMITS.formats} formats on an m= line`,
  'too-many-attributes': `more than ${SDP_LIMITS.attributesPerSection} attributes or lines in a section`,
  'not-a-line': 'not of the form <letter>=<value>',
  'control-character': 'control character within a line',
  'no-version': 'does not begin with v=',
  'bad-version': 'SDP version is not 0',
  'no-origin': 'no o= line',
  'bad-origin': 'malformed o= line',
  'bad-connection': 'malformed c= line',
  'bad-media': 'malformed m= line',
  'bad-port': 'port of an m= line is not within 0 to 65535',
  'bad-attribute': 'attribute without a name',
  'duplicate-line': 'line that may stand only once is repeated',
  'misplaced-line': 'line of the session within a media description',
};

/** What has been read so far. */
interface Draft {
  versionSeen: boolean;
  origin: SdpOrigin | null;
  sessionName: string | null;
  connection: SdpConnection | null;
  timing: SessionDescription['timing'];
  attributes: SdpAttribute[];
  otherLines: SessionDescription['otherLines'];
  media: MediaDescription[];
}

export function parseSdp(text: string): SdpParseResult {
  if (text.length > SDP_LIMITS.length) return failure('too-long', 1, 0);
  const draft = emptyDraft();
  let line = 0;
  let offset = 0;
  let lineStart = 0;
  while (offset < text.length) {
    lineStart = offset;
    line += 1;
    const lineFeed = text.indexOf('\n', offset);
    const end = lineFeed === -1 ? text.length : lineFeed;
    const code = readLine(draft, text.slice(offset, end).trimEnd());
    if (code !== null) return failure(code, line, lineStart);
    offset = end + 1;
  }
  if (!draft.versionSeen) return failure('no-version', Math.max(line, 1), lineStart);
  if (draft.origin === null) return failure('no-origin', line, lineStart);
  return { ok: true, description: finish(draft, draft.origin) };
}

function failure(code: SdpErrorCode, line: number, offset: number): SdpParseResult {
  return { ok: false, error: { code, line, offset, message: MESSAGES[code] } };
}

function emptyDraft(): Draft {
  return {
    versionSeen: false,
    origin: null,
    sessionName: null,
    connection: null,
    timing: [],
    attributes: [],
    otherLines: [],
    media: [],
  };
}

function finish(draft: Draft, origin: SdpOrigin): SessionDescription {
  return {
    origin,
    sessionName: draft.sessionName === null || draft.sessionName === '' ? '-' : draft.sessionName,
    connection: draft.connection,
    timing: draft.timing.some((line) => line.type === 't')
      ? draft.timing
      : [{ type: 't', value: '0 0' }, ...draft.timing],
    attributes: draft.attributes,
    otherLines: draft.otherLines,
    media: draft.media,
  };
}

/** Returns what is wrong with the line, or null. */
function readLine(draft: Draft, line: string): SdpErrorCode | null {
  if (line === '') return null;
  const type = line.charAt(0);
  if (line.charAt(1) !== '=' || type < 'a' || type > 'z') return 'not-a-line';
  if (hasControlCharacter(line)) return 'control-character';
  if (!draft.versionSeen && type !== 'v') return 'no-version';
  const value = line.slice(2);
  switch (type) {
    case 'v':
      return readVersion(draft, value);
    case 'o':
      return readOrigin(draft, value);
    case 's':
      if (draft.media.length > 0) return 'misplaced-line';
      if (draft.sessionName !== null) return 'duplicate-line';
      draft.sessionName = value.trimStart();
      return null;
    case 'c':
      return readConnection(draft, value);
    case 'm':
      return readMedia(draft, value);
    case 'a':
      return readAttribute(draft, value);
    case 't':
    case 'r':
    case 'z':
      return keep(draft.timing, { type, value });
    case 'u':
    case 'e':
    case 'p':
      return keep(draft.otherLines, { type, value });
    default:
      return keep(draft.media.at(-1)?.otherLines ?? draft.otherLines, { type, value });
  }
}

function readVersion(draft: Draft, value: string): SdpErrorCode | null {
  if (draft.versionSeen) return 'duplicate-line';
  draft.versionSeen = true;
  return value.trim() === '0' ? null : 'bad-version';
}

function readOrigin(draft: Draft, value: string): SdpErrorCode | null {
  if (draft.media.length > 0) return 'misplaced-line';
  if (draft.origin !== null) return 'duplicate-line';
  const fields = splitFields(value);
  const [sessionId, sessionVersion, networkType, addressType, address] = fields.slice(-5);
  if (fields.length < 6 || !sessionId || !sessionVersion || !networkType || !addressType || !address) {
    return 'bad-origin';
  }
  const username = fields.slice(0, -5).join(' ');
  draft.origin = { username, sessionId, sessionVersion, networkType, addressType, address };
  return null;
}

function readConnection(draft: Draft, value: string): SdpErrorCode | null {
  const [networkType, addressType, address, surplus] = splitFields(value);
  if (!networkType || !addressType || !address || surplus !== undefined) return 'bad-connection';
  const connection = { networkType, addressType, address };
  const section = draft.media.at(-1);
  if (section !== undefined) return keep(section.connections, connection);
  if (draft.connection !== null) return 'duplicate-line';
  draft.connection = connection;
  return null;
}

function readMedia(draft: Draft, value: string): SdpErrorCode | null {
  if (draft.media.length >= SDP_LIMITS.media) return 'too-many-media';
  const [media, ports, protocol, ...formats] = splitFields(value);
  if (!media || !ports || !protocol) return 'bad-media';
  if (formats.length > SDP_LIMITS.formats) return 'too-many-formats';
  const match = /^(\d{1,5})(?:\/(\d{1,5}))?$/.exec(ports);
  const port = Number(match?.[1]);
  const portCount = Number(match?.[2] ?? 1);
  if (match === null || port > 65535 || portCount < 1 || port + portCount - 1 > 65535) return 'bad-port';
  if (formats.length === 0 && port !== 0) return 'bad-media';
  draft.media.push({
    media,
    port,
    portCount,
    protocol,
    formats,
    connections: [],
    attributes: [],
    otherLines: [],
  });
  return null;
}

function readAttribute(draft: Draft, value: string): SdpErrorCode | null {
  if (value === '') return null;
  const colon = value.indexOf(':');
  if (colon === 0) return 'bad-attribute';
  const attribute =
    colon === -1 ? { name: value, value: null } : { name: value.slice(0, colon), value: value.slice(colon + 1) };
  return keep(draft.media.at(-1)?.attributes ?? draft.attributes, attribute);
}

function keep<T>(list: T[], entry: T): SdpErrorCode | null {
  if (list.length >= SDP_LIMITS.attributesPerSection) return 'too-many-attributes';
  list.push(entry);
  return null;
}

function splitFields(value: string): string[] {
  return value.split(/[ \t]+/).filter((field) => field !== '');
}

/** All but the tab. A bare CR within a line would otherwise end one when the line is written again. */
function hasControlCharacter(line: string): boolean {
  for (let i = 0; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f) return true;
  }
  return false;
}
