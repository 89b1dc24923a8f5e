import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fileOf, made } from '../../console/recorded-file.ts';
import type { RecordingFileView, RecordingView } from '../../server/rooms/views.ts';
import { recording } from './views.ts';

const MP3 = { format: 'mp3', normalized: false } as const;
const file = (state: RecordingFileView['state'], error: string | null = null): RecordingFileView => ({
  ...MP3,
  ...{ state, error, progress: 0, bytes: null, sha256: null, stored: null },
});
const withFile = (id: string, what: RecordingFileView) => recording(id, { state: 'stopped', files: [what] });

describe('waiting for a file of a recording', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** What the server answers at first, and when it is asked again. */
  function server(first: RecordingFileView, later: RecordingView | Error = new Error('never asked')) {
    const listeners = new Set<(recording: RecordingView, removed: boolean) => void>();
    const api = {
      makeRecordingFile: () => Promise.resolve(first),
      recording: vi.fn(() => (later instanceof Error ? Promise.reject(later) : Promise.resolve(later))),
    };
    const onRecording = (listener: (recording: RecordingView, removed: boolean) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    };
    const tell = async (view: RecordingView, removed = false) => {
      await vi.advanceTimersByTimeAsync(0);
      for (const listener of [...listeners]) listener(view, removed);
    };
    return { session: { api, onRecording }, tell, listeners };
  }

  test('is over at once when it is there', async () => {
    const { session, listeners } = server(file('ready'));
    await made(session, 'one', MP3);
    expect(listeners.size).toBe(0);
  });

  test('goes on until an event says that it is ready; of other recordings and files nothing counts', async () => {
    const { session, tell, listeners } = server(file('queued'));
    const waiting = made(session, 'one', MP3);
    let over = false;
    void waiting.then(() => {
      over = true;
    });
    await tell(withFile('two', file('ready')));
    await tell(withFile('one', file('working')));
    expect(over).toBe(false);
    const both = withFile('one', { ...file('failed'), normalized: true });
    await tell({ ...both, files: [...both.files, file('ready')] });
    await waiting;
    expect(listeners.size).toBe(0);
    expect(session.api.recording).not.toHaveBeenCalled();
  });

  test('asks again where no event comes', async () => {
    const { session } = server(file('working'), withFile('one', file('ready')));
    const waiting = made(session, 'one', MP3);
    await vi.advanceTimersByTimeAsync(2_000);
    await waiting;
    expect(session.api.recording).toHaveBeenCalledTimes(1);
  });

  test('ends with the reason when it cannot be made, or the recording is removed', async () => {
    const failing = server(file('working'));
    const failed = expect(made(failing.session, 'one', MP3)).rejects.toMatchObject({ detail: 'the disk is full' });
    await failing.tell(withFile('one', file('failed', 'the disk is full')));
    await failed;
    const removing = server(file('working'));
    const removed = expect(made(removing.session, 'one', MP3)).rejects.toMatchObject({ code: 'file-not-made' });
    await removing.tell(withFile('one', file('working')), true);
    await removed;
    const broken = server(file('working'));
    const rejected = expect(made(broken.session, 'one', MP3)).rejects.toThrow('never asked');
    await vi.advanceTimersByTimeAsync(2_000);
    await rejected;
  });

  test('a file is one of its format and loudness', () => {
    const view = withFile('one', file('ready'));
    expect(fileOf(view, MP3)?.state).toBe('ready');
    expect(fileOf(view, { ...MP3, normalized: true })).toBeUndefined();
  });
});
