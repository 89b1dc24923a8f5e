export const MAX_MESSAGE_BYTES = 65_536;
export const MAX_HEADER_FIELDS = 256;
/** Of one header field with its continuation lines, and of the start line. */
export const MAX_LINE_LENGTH = 8192;

/** Empty lines before the start line are ignored (RFC 3261 §7.5). */
export function skipLineEnds(buffer: Buffer): number {
  let at = 0;
  while (buffer[at] === 13 || buffer[at] === 10) at++;
  return at;
}

/** Index after the empty line that ends the header, or -1. A line may end with LF alone. */
export function endOfHead(buffer: Buffer, start: number): number {
  for (let lineEnd = buffer.indexOf(10, start); lineEnd >= 0; lineEnd = buffer.indexOf(10, lineEnd + 1)) {
    if (buffer[lineEnd + 1] === 10) return lineEnd + 2;
    if (buffer[lineEnd + 1] === 13 && buffer[lineEnd + 2] === 10) return lineEnd + 3;
  }
  return -1;
}

/** Index after the line that begins at `at`, with its continuation lines where it may have some (RFC 3261 §7.3.1). */
export function endOfField(head: string, at: number, folds: boolean): number {
  let lineFeed = head.indexOf('\n', at);
  while (folds && lineFeed >= 0) {
    const next = head.charCodeAt(lineFeed + 1);
    if (next !== 32 && next !== 9) break;
    lineFeed = head.indexOf('\n', lineFeed + 1);
  }
  return lineFeed < 0 ? head.length : lineFeed + 1;
}

/** Index of the line end before `end`. */
export function trimLineEnd(head: string, start: number, end: number): number {
  let at = end;
  if (at > start && head.charCodeAt(at - 1) === 10) at--;
  if (at > start && head.charCodeAt(at - 1) === 13) at--;
  return at;
}
