import pino from 'pino';
import { describe, expect, it, vi } from 'vitest';
import type { SoundToPlay } from '../../mixer/protocol.ts';
import { Announcements } from '../../server/focus/announcements.ts';
import { Announcer } from '../../server/ivr/announcer.ts';
import { Rooms } from '../../server/rooms/rooms.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const WANTED = { prompt: null, recording: null, sound: null, participant: null, gainDb: -3, startMs: 0, repeat: false };

function announcing() {
  const played: SoundToPlay[] = [];
  const lines: string[] = [];
  const state = { failsWith: null as Error | null };
  const announcer = new Announcer({
    prompts: {
      ...{ file: (_language, id) => id, count: () => [], sound: (id) => id, music: () => [] },
      ...{ menu: () => [], menuEntry: () => [] },
    },
    player: {
      async playSound(sound) {
        played.push(sound);
        if (state.failsWith !== null) throw state.failsWith;
      },
      controlSound: async () => ({ positionMs: 0, durationMs: 0 }),
      stopSound: async () => undefined,
    },
    log: pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) }),
  });
  const announcements = new Announcements({
    announcer,
    hasPrompt: () => true,
    promptFile: (_language, id) => `${id}.g722`,
    recordingFile: async (_room, id) =>
      id === 'sealed' ? { path: '/r/a.wav.sealed', key: KEY } : { path: '/r/a.wav' },
    soundFile: (id) => `/s/${id}.wav`,
    epochMs: () => 0,
  });
  return { announcer, announcements, played, lines, state, room: new Rooms().open('demo', 'created') };
}

describe('what is announced', () => {
  it('is played from its file, what is encrypted with its key', async () => {
    const { announcements, played, room } = announcing();
    await announcements.start(room, { ...WANTED, recording: 'plain' });
    const shown = await announcements.start(room, { ...WANTED, recording: 'sealed' });
    await announcements.start(room, { ...WANTED, sound: 'chime' });
    const about = { to: { room: 'demo' }, gainDb: -3, startMs: 0, repeat: false };
    expect(played).toEqual([
      { playback: 'sound-1', ...about, files: ['/r/a.wav'] },
      { playback: 'sound-2', ...about, files: ['/r/a.wav.sealed'], key: KEY },
      { playback: 'sound-3', ...about, files: ['/s/chime.wav'] },
    ]);
    expect(JSON.stringify([shown, announcements.list(room)])).not.toContain(KEY);
  });

  it('and fails, at once or later, is told with its files and listeners, never with its key', async () => {
    const { announcer, announcements, lines, state, room } = announcing();
    await announcements.start(room, { ...WANTED, recording: 'sealed' });
    announcer.happened({ event: 'playbackEnded', playback: 'sound-1', reason: 'failed', detail: 'the disk is gone' });
    state.failsWith = new Error('damaged');
    await announcements.start(room, { ...WANTED, recording: 'sealed' });
    await vi.waitFor(() => expect(announcements.list(room)).toEqual([]));
    const about = { level: 40, to: { room: 'demo' }, files: ['/r/a.wav.sealed'], msg: 'sound could not be played' };
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { ...about, reason: 'the disk is gone' },
      { ...about, reason: 'Error: damaged' },
    ]);
    expect(lines.join()).not.toContain(KEY);
  });
});
