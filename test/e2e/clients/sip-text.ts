export interface SipReply {
  status: number;
  reason: string;
  /** Names in lower case. */
  headers: Map<string, string[]>;
  body: string;
}

export interface ReceivedRequest {
  method: string;
  headers: Map<string, string[]>;
  body: string;
}

function readHeaders(lines: readonly string[]): Map<string, string[]> {
  const headers = new Map<string, string[]>();
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim().toLowerCase();
    const values = headers.get(name);
    if (values) values.push(line.slice(colon + 1).trim());
    else headers.set(name, [line.slice(colon + 1).trim()]);
  }
  return headers;
}

/** The first value of a header, or nothing. */
export function header(message: SipReply | ReceivedRequest, name: string): string {
  return message.headers.get(name.toLowerCase())?.[0] ?? '';
}

/** The port of the first audio stream in a session description. */
export function audioPort(sdp: string): number {
  return Number(/^m=audio (\d+) /m.exec(sdp)?.[1] ?? 0);
}

/** Reads a message that is taken to be well formed. */
export function readMessage(text: string): SipReply | ReceivedRequest {
  const split = text.indexOf('\r\n\r\n');
  const [start = '', ...lines] = text.slice(0, split).split('\r\n');
  const headers = readHeaders(lines);
  const body = text.slice(split + 4);
  const status = /^SIP\/2\.0 (\d{3}) (.*)$/.exec(start);
  if (status) return { status: Number(status[1]), reason: status[2] ?? '', headers, body };
  return { method: start.split(' ')[0] ?? '', headers, body };
}
