import { beforeEach, describe, expect, it } from 'vitest';
import type { PutOptions, RecordingStorage } from '../../../server/recordings/keeping/storage.ts';
import { type FileToStore, Storing } from '../../../server/recordings/keeping/storing.ts';
import { VirtualTimers } from '../../sim/virtual-timers.ts';

const log = { info: () => {}, warn: () => {} };

function file(key: string, recording = 'one'): FileToStore {
  return { recording, key, path: `/finished/${key}`, contentType: 'audio/mp4', sha256: 'ab' };
}

/** Each `put` waits until the test says how it ends. */
class HandStorage implements RecordingStorage {
  readonly name = 'by hand';
  readonly puts: { key: string; done(): void; fail(): void }[] = [];
  readonly removed: string[] = [];
  closed = false;

  holds(): boolean {
    return true;
  }

  put(key: string, _path: string, { signal }: PutOptions): Promise<string> {
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
      this.puts.push({ key, done: () => resolve(`there:${key}`), fail: () => reject(new Error('no route')) });
    });
  }

  get(): Promise<void> {
    throw new Error('nobody asks for it here');
  }

  async remove(location: string): Promise<void> {
    this.removed.push(location);
  }

  close(): void {
    this.closed = true;
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

describe('storing finished files', () => {
  let storage: HandStorage;
  let timers: VirtualTimers;
  let stored: string[];
  let storing: Storing;

  beforeEach(() => {
    storage = new HandStorage();
    timers = new VirtualTimers();
    stored = [];
    storing = new Storing({ storage, timers, log, stored: ({ key }, location) => stored.push(`${key} ${location}`) });
  });

  it('stores one after the other, each once', async () => {
    storing.add(file('a'));
    storing.add(file('a'));
    storing.add(file('b'));
    await settle();
    expect(storage.puts.map(({ key }) => key)).toEqual(['a']);
    storage.puts[0]!.done();
    await settle();
    expect(stored).toEqual(['a there:a']);
    expect(storage.puts.map(({ key }) => key)).toEqual(['a', 'b']);
    storage.puts[1]!.done();
    await settle();
    expect(storing.waiting).toBe(0);
  });

  it('tries again what failed, ever more seldom, and lets others go before', async () => {
    storing.add(file('a'));
    storing.add(file('b'));
    await settle();
    storage.puts[0]!.fail();
    await settle();
    storage.puts[1]!.done();
    await settle();
    expect(stored).toEqual(['b there:b']);
    for (const waitMs of [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 600_000, 600_000]) {
      const before = storage.puts.length;
      timers.advance(waitMs - 1);
      await settle();
      expect(storage.puts).toHaveLength(before);
      timers.advance(1);
      await settle();
      expect(storage.puts).toHaveLength(before + 1);
      storage.puts.at(-1)!.fail();
      await settle();
    }
    timers.advance(600_000);
    await settle();
    storage.puts.at(-1)!.done();
    await settle();
    expect(stored).toEqual(['b there:b', 'a there:a']);
  });

  it('gives up what belongs to a recording that is removed', async () => {
    storing.add(file('a', 'removed'));
    storing.add(file('b', 'removed'));
    storing.add(file('c', 'kept'));
    await settle();
    expect(storing.isBusy('removed')).toBe(true);
    await storing.cancel('removed');
    expect(storing.isBusy('removed')).toBe(false);
    await settle();
    expect(storage.puts.map(({ key }) => key)).toEqual(['a', 'c']);
    timers.advance(3_600_000);
    await settle();
    expect(storage.puts).toHaveLength(2);
  });

  it('removes what arrived although it was given up', async () => {
    const slow = new HandStorage();
    slow.put = (key) =>
      new Promise((resolve) => slow.puts.push({ key, done: () => resolve(`there:${key}`), fail() {} }));
    storing = new Storing({ storage: slow, timers, log, stored: () => stored.push('stored') });
    storing.add(file('a'));
    await settle();
    const cancelled = storing.cancel('one');
    slow.puts[0]!.done();
    await cancelled;
    expect(slow.removed).toEqual(['there:a']);
    expect(stored).toEqual([]);
  });

  it('takes nothing more when it is closed', async () => {
    storing.add(file('a'));
    await settle();
    await storing.close();
    storing.add(file('b'));
    await settle();
    expect(storage.puts).toHaveLength(1);
    expect(storage.closed).toBe(true);
    expect(stored).toEqual([]);
  });
});
