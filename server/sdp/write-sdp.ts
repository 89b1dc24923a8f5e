import type {
  MediaDescription,
  SdpAttribute,
  SdpConnection,
  SdpLine,
  SessionDescription,
} from './session-description.ts';

/** The order in which RFC 8866 §9 has the lines that are kept as they were; unknown letters come last. */
const BEFORE_CONNECTION = 'iuep';
const AFTER_CONNECTION = 'b';
const AFTER_TIMING = 'k';

/**
 * Writes a session description with CRLF line ends, in the order of RFC 8866 §9.
 *
 * Throws when a value holds a line break, which would make one line into two.
 */
export function writeSdp(description: SessionDescription): string {
  const { origin, otherLines } = description;
  const lines = [
    'v=0',
    `o=${origin.username} ${origin.sessionId} ${origin.sessionVersion} ${origin.networkType} ${origin.addressType} ${origin.address}`,
    `s=${description.sessionName}`,
    ...linesOf(otherLines, BEFORE_CONNECTION),
    ...(description.connection === null ? [] : [connectionLine(description.connection)]),
    ...linesOf(otherLines, AFTER_CONNECTION),
    ...description.timing.map(lineOf),
    ...linesOf(otherLines, AFTER_TIMING),
    ...description.attributes.map(attributeLine),
    ...unknownLines(otherLines),
    ...description.media.flatMap(mediaLines),
  ];
  for (const line of lines) {
    if (/[\r\n]/.test(line)) throw new Error('line break within an SDP value');
  }
  return `${lines.join('\r\n')}\r\n`;
}

function mediaLines(section: MediaDescription): string[] {
  const ports = section.portCount === 1 ? `${section.port}` : `${section.port}/${section.portCount}`;
  return [
    `m=${[section.media, ports, section.protocol, ...section.formats].join(' ')}`,
    ...linesOf(section.otherLines, BEFORE_CONNECTION),
    ...section.connections.map(connectionLine),
    ...linesOf(section.otherLines, AFTER_CONNECTION),
    ...linesOf(section.otherLines, AFTER_TIMING),
    ...section.attributes.map(attributeLine),
    ...unknownLines(section.otherLines),
  ];
}

function linesOf(lines: SdpLine[], types: string): string[] {
  return [...types].flatMap((type) => lines.filter((line) => line.type === type).map(lineOf));
}

function unknownLines(lines: SdpLine[]): string[] {
  const known = BEFORE_CONNECTION + AFTER_CONNECTION + AFTER_TIMING;
  return lines.filter((line) => !known.includes(line.type)).map(lineOf);
}

function lineOf(line: SdpLine): string {
  return `${line.type}=${line.value}`;
}

function connectionLine(connection: SdpConnection): string {
  return `c=${connection.networkType} ${connection.addressType} ${connection.address}`;
}

function attributeLine(attribute: SdpAttribute): string {
  return attribute.value === null ? `a=${attribute.name}` : `a=${attribute.name}:${attribute.value}`;
}
