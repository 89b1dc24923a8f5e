import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { DiskSync } from '../../mixer/recording/disk-sync.ts';
import { readSealed } from '../../sealed/read-sealed.ts';
import { recordedDurationMs } from '../../server/recordings/capture-duration.ts';
import { Finishing } from '../../server/recordings/finishing/finishing.ts';
import { openPlain, openSealed } from '../../server/recordings/finishing/source.ts';
import { timelineLines } from '../../server/recordings/finishing/timeline-lines.ts';
import { Timeline, timelineSink } from '../../server/recordings/timeline.ts';
import { LONG_TESTS } from '../long-tests.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { readMatroska } from './matroska-blocks.ts';
import { rest } from './memory-disk.ts';
import { PowerDisk, type Tail } from './power-disk.ts';
import { RecordedRoom } from './recorded-room.ts';
import { play } from './tone.ts';

const KEY = Buffer.alloc(32, 5);
const TICK_MS = 20;
const LENGTH_MS = LONG_TESTS ? 12_000 : 6_000;
/** How long the jitter buffers of the phones hold what was said, at most: on a line without jitter, two ticks. */
const BUFFERED_MS = 40;
const MOST_LOST_MS = 1_000;
const CODECS: readonly AudioCodecName[] = ['PCMU', 'G722', 'opus'];
const TAILS: readonly Tail[] = ['nothing', 'half of it', 'zeros'];

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-power-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A recorded room in virtual time, with its time line, on a disk that takes `syncMs` to have something for good. */
class Stage {
  readonly disk: PowerDisk;
  private readonly room = new RecordedRoom();
  private readonly timers = new VirtualTimers();
  private readonly sealed: boolean;

  constructor(callers: number, syncMs: number, sealed: boolean) {
    this.disk = new PowerDisk(() => this.room.room.nowMs, syncMs);
    this.sealed = sealed;
    for (let index = 0; index < callers; index++) {
      this.room.room.join(`p${index}`, { codec: CODECS[index % CODECS.length]!, toneHz: 400 + 20 * index });
    }
  }

  /** All that could be lost is in the files afterwards, whatever of it had been brought to the disk. */
  async run(): Promise<void> {
    const { disk, timers } = this;
    const key = this.sealed ? KEY : null;
    const sink = timelineSink(await disk.createFile(this.nameOf('timeline.jsonl'), true), key);
    const timeline = new Timeline({ sink, timers, failed: (reason) => this.room.failures.push(reason) });
    const diskSync = new DiskSync(disk.delay);
    await this.room.record({ tracks: true, key, createFile: disk.createFile, diskSync });
    for (let ms = 0; ms < LENGTH_MS; ms += TICK_MS) {
      timeline.add({ t: ms, at: new Date(ms).toISOString(), type: 'mark', text: 'now', by: 'moderator' });
      for (let step = 0; step < TICK_MS; step++) {
        this.room.room.run(1);
        timers.advance(1);
        disk.run();
        await rest();
      }
    }
    expect(this.room.failures).toEqual([]);
  }

  nameOf(name: string): string {
    return this.sealed ? `${name}.sealed` : name;
  }

  /** What a power cut leaves, as files in a directory. */
  async cut(atMs: number, tail: Tail): Promise<string> {
    const folder = await mkdtemp(join(directory, 'cut-'));
    for (const [name, file] of this.disk.files) {
      const left = file.leftAt(atMs, tail);
      if (left !== null) await writeFile(join(folder, name), left);
    }
    return folder;
  }

  /** Where what is in the file ends after power cuts, by when they come, whenever that is another place. */
  async endsOf(name: string): Promise<{ fromMs: number; endMs: number }[]> {
    const { brought } = this.disk.files.get(this.nameOf(name))!;
    const ends = [{ fromMs: 0, endMs: 0 }];
    for (const { atMs } of brought) {
      const octets = await this.plain(name, this.disk.files.get(this.nameOf(name))!.leftAt(atMs, 'nothing')!);
      ends.push({ fromMs: atMs, endMs: name.endsWith('.mka') ? endOfBlocks(octets) : endOfLines(octets) });
    }
    return ends;
  }

  private async plain(name: string, octets: Buffer): Promise<Buffer> {
    if (!this.sealed) return octets;
    const path = join(directory, `unsealing-${name}`);
    await writeFile(path, octets);
    const pieces: Buffer[] = [];
    for await (const piece of readSealed(path, KEY, { unfinished: true })) pieces.push(piece);
    return Buffer.concat(pieces);
  }
}

function endOfBlocks(octets: Buffer): number {
  const last = octets.length === 0 ? undefined : readMatroska(octets).blocks.at(-1);
  return last === undefined ? 0 : last.atMs + TICK_MS;
}

function endOfLines(octets: Buffer): number {
  const last = octets.toString().trimEnd().split('\n').at(-1)!;
  return last === '' ? 0 : (JSON.parse(last) as { t: number }).t + TICK_MS;
}

/** The most that is lost of what was recorded until then, at any moment. */
function mostLost(ends: readonly { fromMs: number; endMs: number }[]): number {
  const losses = ends.map(({ endMs }, index) => (ends[index + 1]?.fromMs ?? LENGTH_MS) - endMs);
  return Math.max(...losses);
}

describe.each([
  { what: 'three tracks, plain', callers: 3, syncMs: 20, sealed: false },
  { what: 'three tracks, sealed', callers: 3, syncMs: 20, sealed: true },
  { what: 'twenty tracks on a disk that is slow', callers: 20, syncMs: 8, sealed: false },
])('a power cut ($what)', ({ callers, syncMs, sealed }) => {
  const stage = new Stage(callers, syncMs, sealed);
  beforeAll(() => stage.run(), 60_000);

  it('costs no more than a second, whenever it comes, of mix, tracks and time line', async () => {
    const tracks = Array.from({ length: callers }, (_, index) => `track-1-p${index}-1.mka`);
    for (const name of ['mix-1.mka', ...tracks, 'timeline.jsonl']) {
      const lostMs = mostLost(await stage.endsOf(name));
      expect(lostMs, name).toBeLessThanOrEqual(MOST_LOST_MS - BUFFERED_MS);
      // What is brought to the disk with each packet would cost too much; and a test that drops nothing shows nothing.
      expect(lostMs, name).toBeGreaterThan(300);
    }
  });

  it.each(TAILS)(
    'leaves what plays and can be finished, with %s of what was under way',
    async (tail) => {
      const finishing = new Finishing({
        ...{ log: { warn: () => undefined }, key: sealed ? KEY : null, changed: () => undefined },
      });
      const moments = LONG_TESTS ? Array.from({ length: 24 }, (_, index) => 90 + index * 490) : [90, 710, 5_330];
      for (const atMs of moments) {
        const folder = await stage.cut(atMs, tail);
        const source = {
          ...{ id: `${atMs}`, room: 'demo', directory: folder, parts: [{ number: 1, startMs: 0 }], sealed },
          ...{ videoParts: [], durationMs: 0, startedAt: '2026-01-02T03:04:05.000Z' },
        };
        const open = sealed ? openSealed(KEY) : openPlain;
        const durationMs = await recordedDurationMs(source, open);
        expect(durationMs, `at ${atMs}`).toBeGreaterThanOrEqual(atMs - MOST_LOST_MS);
        for await (const line of timelineLines(join(folder, stage.nameOf('timeline.jsonl')), open)) {
          expect(line.type).toBe('mark');
        }
        if (durationMs === 0) continue;
        if (!sealed)
          expect(Math.abs((await play(join(folder, 'mix-1.mka'))).length / 48 - durationMs)).toBeLessThan(21);
        for (const format of ['wav', 'zip'] as const) {
          if (format === 'zip' && (callers > 3 || atMs < 1000)) continue;
          const made = await finishing.file({ ...source, durationMs }, format, false);
          if (!made.ok) throw new Error(`${format} at ${atMs} ms: ${made.reason}`);
          if (format === 'wav' && !sealed) expect((await play(made.path)).length).toBe(durationMs * 48);
        }
      }
      await finishing.close(0);
    },
    120_000,
  );
});
