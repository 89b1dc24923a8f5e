import type { TimelineLine } from '../timeline.ts';
import type { OpenFile } from './source.ts';

/** What is longer is none of ours, and is passed over. */
const LONGEST_LINE = 64 * 1024;

/** What is no line of a time line, such as the half of one that a crash left, is passed over; a missing file is empty. */
export async function* timelineLines(path: string, open: OpenFile): AsyncGenerator<TimelineLine> {
  for await (const text of textLines(path, open)) {
    const line = parsed(text);
    if (line !== null) yield line;
  }
}

async function* textLines(path: string, open: OpenFile): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of open(path)) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_LINE) rest = 'too long: '; // which is no JSON, whatever follows
      yield* lines;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  yield rest;
}

function parsed(text: string): TimelineLine | null {
  try {
    const line: unknown = JSON.parse(text);
    const isLine =
      typeof line === 'object' && line !== null && 'type' in line && 't' in line && Number.isFinite(line.t);
    return isLine ? (line as TimelineLine) : null;
  } catch {
    return null;
  }
}

/** What a line calls its participant: by name, else by URI; null where it does not say. */
export function nameIn(line: TimelineLine): string | null {
  if (line.type === 'joined') return line.name || line.uri;
  return line.type === 'name' ? line.name || null : null;
}

/** The last name of each participant. */
export async function participantNames(lines: AsyncIterable<TimelineLine>): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for await (const line of lines) {
    const name = nameIn(line);
    if ('participant' in line && name !== null) names.set(line.participant, name);
  }
  return names;
}
