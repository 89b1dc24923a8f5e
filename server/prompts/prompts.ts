import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../log.ts';
import { LANGUAGES, type Language } from '../rooms/policy.ts';
import { numberIds } from './numbers.ts';
import { checkOwnDirectory, ownSounds } from './own-sounds.ts';

export interface PromptsOptions {
  /** See `assetsDirectory()`. */
  assetsDir: string;
  /** With `en/`, `de/`, `sounds/` and `music/`, whose files go before ours; null: there are none. */
  ownDir: string | null;
  log: Log;
}

/** `beep`: after it, somebody's voice is recorded. `pause`: 0.4 s of silence. */
export type SoundId = 'join' | 'leave' | 'recording-tone' | 'beep' | 'pause';

const SOUNDS: readonly SoundId[] = ['join', 'leave', 'recording-tone', 'beep', 'pause'];

/**
 * Which file says what. Everything is looked up once, at the start; all methods give absolute paths, those with several
 * in the order in which they are to be played.
 */
export class Prompts {
  private readonly prompts: Readonly<Record<Language, ReadonlyMap<string, string>>>;
  private readonly sounds: ReadonlyMap<string, string>;
  private readonly musicFiles: readonly string[];

  /** Own files that are no good are logged, and ours are used. Throws when `ownDir` is no directory. */
  constructor({ assetsDir, ownDir, log }: PromptsOptions) {
    if (ownDir !== null) checkOwnDirectory(ownDir, [...LANGUAGES, 'sounds', 'music'], log);
    const own = (folder: string, known: readonly string[] | null = null) =>
      ownDir === null ? [] : ownSounds(join(ownDir, folder), known, log);
    this.prompts = {
      en: new Map([...ourPrompts(assetsDir, 'en'), ...own('en')]),
      de: new Map([...ourPrompts(assetsDir, 'de'), ...own('de')]),
    };
    const ourSounds = SOUNDS.map((id) => [id, join(assetsDir, 'sounds', `${id}.g722`)] as const);
    this.sounds = new Map([...ourSounds, ...own('sounds', SOUNDS)]);
    const ownMusic = new Map(own('music'));
    this.musicFiles = ownMusic.size > 0 ? [...ownMusic.values()] : ourMusic(assetsDir);
  }

  /** Whether there is such a prompt, ours or an own one. */
  has(language: Language, id: string): boolean {
    return this.prompts[language].has(id);
  }

  /** Throws when there is no such prompt. */
  file(language: Language, id: string): string {
    const found = this.prompts[language].get(id);
    if (found === undefined) throw new Error(`there is no prompt ${id} in ${language}`);
    return found;
  }

  sound(id: SoundId): string {
    return this.sounds.get(id)!;
  }

  /** For who waits, again and again: the own pieces sorted by name, or ours. */
  music(): readonly string[] {
    return this.musicFiles;
  }

  /** A whole number from 0 to 10,000; throws a RangeError for any other. */
  number(language: Language, n: number): string[] {
    return numberIds(language, n).map((id) => this.file(language, id));
  }

  /** "There are fourteen people in the conference.", "There is one person …", "There is nobody …" */
  count(language: Language, n: number): string[] {
    if (n === 0) return [this.file(language, 'participants-none')];
    if (n === 1) return [this.file(language, 'participant-one')];
    return [this.file(language, 'there-are'), ...this.number(language, n), this.file(language, 'participants')];
  }

  /**
   * "To raise or lower your hand, press, star, five": what a key sequence does. Throws when there is no `menu-<action>`.
   *
   * @param keys of `0-9`, `*` and `#`
   */
  menuEntry(language: Language, action: string, keys: string): string[] {
    return [`menu-${action}`, ...[...keys].map(keyId)].map((id) => this.file(language, id));
  }

  /** What the keys do: everybody's, and after them a moderator's. Pairs of keys and action, as in a room's `keys`. */
  menu(
    language: Language,
    everybody: Readonly<Record<string, string>>,
    moderators: Readonly<Record<string, string>> | null,
  ): string[] {
    const part = (title: string, keys: Readonly<Record<string, string>>): string[] => {
      const entries = Object.entries(keys).flatMap(([sequence, action]) => [
        this.sound('pause'),
        ...this.menuEntry(language, action, sequence),
      ]);
      return entries.length === 0 ? [] : [this.file(language, title), ...entries];
    };
    const ofModerators = part('menu-moderator', moderators ?? {});
    const between = ofModerators.length === 0 ? [] : [this.sound('pause')];
    return [...part('menu-participant', everybody), ...between, ...ofModerators];
  }
}

function keyId(key: string): string {
  if (key === '*') return 'key-star';
  return key === '#' ? 'key-hash' : `number-${key}`;
}

/** `prompts.json` says which there are. */
function ourPrompts(assetsDir: string, language: Language): [id: string, file: string][] {
  const directory = join(assetsDir, 'prompts', language);
  const texts = JSON.parse(readFileSync(join(directory, 'prompts.json'), 'utf8')) as Record<string, string>;
  return Object.keys(texts).map((id) => [id, join(directory, `${id}.g722`)]);
}

function ourMusic(assetsDir: string): string[] {
  const directory = join(assetsDir, 'music');
  return readdirSync(directory)
    .filter((name) => name.endsWith('.g722'))
    .sort()
    .map((name) => join(directory, name));
}
