/** The octets of Matroska files (RFC 9559) that are only ever appended to: elements, and what each such file begins with. */

/** Element IDs of RFC 8794 §11 and RFC 9559 §5.1. */
const EBML = 0x1a45dfa3;
const EBML_VERSION = 0x4286;
const EBML_READ_VERSION = 0x42f7;
const EBML_MAX_ID_LENGTH = 0x42f2;
const EBML_MAX_SIZE_LENGTH = 0x42f3;
const DOC_TYPE = 0x4282;
const DOC_TYPE_VERSION = 0x4287;
const DOC_TYPE_READ_VERSION = 0x4285;
const SEGMENT = 0x18538067;
const INFO = 0x1549a966;
const TIMESTAMP_SCALE = 0x2ad7b1;
const DATE_UTC = 0x4461;
const TITLE = 0x7ba9;
const MUXING_APP = 0x4d80;
const WRITING_APP = 0x5741;
const TRACKS = 0x1654ae6b;
const TRACK_ENTRY = 0xae;
const TRACK_NUMBER = 0xd7;
const TRACK_UID = 0x73c5;
const TRACK_TYPE = 0x83;
const FLAG_LACING = 0x9c;
const LANGUAGE = 0x22b59c;
const CODEC_ID = 0x86;
const CODEC_PRIVATE = 0x63a2;

export const NANOSECONDS_IN_MS = 1_000_000;
/** Dates count from 2001-01-01 (RFC 8794 §7.6). */
const DATE_EPOCH_MS = Date.UTC(2001, 0, 1);
export const UNKNOWN_SIZE = Uint8Array.of(0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff);
const APPLICATION = 'Parley';

const TRACK_TYPES = { video: 1, audio: 2 } as const;

export interface MatroskaTrack {
  type: keyof typeof TRACK_TYPES;
  codecId: string;
  codecPrivate: Uint8Array | null;
  /** Further elements of the track's entry. */
  elements: readonly Uint8Array[];
}

/** What a file begins with, up to its first cluster: one track, segment and clusters of unknown size, milliseconds. */
export function matroskaFileHeader(track: MatroskaTrack, title: string, startedAt: Date): Uint8Array {
  const head = [
    ...[unsigned(EBML_VERSION, 1), unsigned(EBML_READ_VERSION, 1)],
    ...[unsigned(EBML_MAX_ID_LENGTH, 4), unsigned(EBML_MAX_SIZE_LENGTH, 8)],
    ...[text(DOC_TYPE, 'matroska'), unsigned(DOC_TYPE_VERSION, 4), unsigned(DOC_TYPE_READ_VERSION, 2)],
  ];
  const info = [
    ...[unsigned(TIMESTAMP_SCALE, NANOSECONDS_IN_MS), date(DATE_UTC, startedAt), text(TITLE, title)],
    ...[text(MUXING_APP, APPLICATION), text(WRITING_APP, APPLICATION)],
  ];
  const entry = [
    ...[unsigned(TRACK_NUMBER, 1), unsigned(TRACK_UID, 1), unsigned(TRACK_TYPE, TRACK_TYPES[track.type])],
    ...[unsigned(FLAG_LACING, 0), text(LANGUAGE, 'und'), text(CODEC_ID, track.codecId)],
  ];
  if (track.codecPrivate !== null) entry.push(element(CODEC_PRIVATE, track.codecPrivate));
  return Buffer.concat([
    ...[element(EBML, Buffer.concat(head)), idOctets(SEGMENT), UNKNOWN_SIZE],
    ...[
      element(INFO, Buffer.concat(info)),
      element(TRACKS, element(TRACK_ENTRY, Buffer.concat([...entry, ...track.elements]))),
    ],
  ]);
}

function idOctets(id: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(id);
  return octets.subarray(octets.findIndex((octet) => octet !== 0));
}

export function element(id: number, content: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(0x1000_0000 + content.length); // a size in 4 octets
  return Buffer.concat([idOctets(id), size, content]);
}

export function unsigned(id: number, value: number): Buffer {
  const octets = Buffer.alloc(6);
  octets.writeUIntBE(value, 0, 6);
  const first = octets.findIndex((octet) => octet !== 0);
  return element(id, octets.subarray(first < 0 ? 5 : first));
}

function text(id: number, value: string): Buffer {
  return element(id, Buffer.from(value, 'utf8'));
}

export function float(id: number, value: number): Buffer {
  const octets = Buffer.alloc(8);
  octets.writeDoubleBE(value);
  return element(id, octets);
}

function date(id: number, at: Date): Buffer {
  const octets = Buffer.alloc(8);
  octets.writeBigInt64BE(BigInt(at.getTime() - DATE_EPOCH_MS) * BigInt(NANOSECONDS_IN_MS));
  return element(id, octets);
}
