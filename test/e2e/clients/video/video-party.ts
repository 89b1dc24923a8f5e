import type { Parley } from '../parley.ts';
import type { PatternVoice } from './tone-stream.ts';
import { VideoCaller, type VideoCallerOptions } from './video-caller.ts';

/** People for tests: each has a colour, and tones that nobody else has. */
const NAMES = ['anne', 'bert', 'cleo', 'dora'] as const;
export type Name = (typeof NAMES)[number];

export function voiceOf(name: Name): PatternVoice {
  const index = NAMES.indexOf(name);
  return { name, frequencyHz: 600 + 800 * index, otherFrequencyHz: 1_000 + 800 * index, levelDbfs: -15 };
}

/** Their colours are as far from each other as can be. */
export const colourNumberOf = (name: Name): number => (2 * NAMES.indexOf(name)) % 8;

export function videoCaller(
  parley: Parley,
  name: Name,
  options: Partial<VideoCallerOptions> = {},
): Promise<VideoCaller> {
  return VideoCaller.start({
    voice: voiceOf(name),
    sender: colourNumberOf(name),
    serverPort: parley.sipPort,
    ...options,
  });
}

export async function idIn(parley: Parley, room: string, name: Name): Promise<string> {
  const participants = await parley.api.participants(room);
  const found = participants.find(({ uri }) => uri.includes(`${name}@`));
  if (!found) throw new Error(`${name} is not in ${room}`);
  return found.id;
}
