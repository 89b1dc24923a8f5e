import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { audioCodec } from '../../mixer/codec/registry.ts';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { TrackFile, type TrackFileOptions } from '../../mixer/recording/track-file.ts';
import { readSealed, sealedPlainSize } from '../../sealed/read-sealed.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { readMatroska } from './matroska-blocks.ts';
import { MemoryDisk, rest } from './memory-disk.ts';
import { play, toneDb } from './tone.ts';

const CODECS: AudioCodecName[] = ['opus', 'PCMU', 'PCMA', 'G722', 'L16/8000', 'L16/16000', 'L16/48000'];

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-track-file-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** 440 Hz in packets of 20 ms. */
function tonePackets(codec: AudioCodecName, seconds: number): Uint8Array[] {
  const options = { complexity: 5, bitrateBps: 32_000, inbandFec: false, dtx: false, expectedLossPercent: 0 };
  const encoder = audioCodec(codec).createEncoder(options);
  const samples = encoder.sampleRateHz / 50;
  const out = new Uint8Array(4000);
  return Array.from({ length: seconds * 50 }, (_, index) => {
    const pcm = Int16Array.from({ length: samples }, (_, i) => {
      return 10_000 * Math.sin((2 * Math.PI * 440 * (index * samples + i)) / encoder.sampleRateHz);
    });
    return out.slice(0, encoder.encode(pcm, 0, samples, out, 0));
  });
}

async function trackFile(name: string, options: Partial<TrackFileOptions> = {}): Promise<TrackFile> {
  const failed = (reason: string) => expect.unreachable(reason);
  const startedAt = new Date('2026-01-02T03:04:05Z');
  const path = join(directory, name);
  const file = new TrackFile({
    path,
    codec: 'opus',
    title: 'Büro 1',
    startedAt,
    key: null,
    diskSync: null,
    failed,
    ...options,
  });
  await file.open();
  return file;
}

/** As a room does: a tick, and time for others, again and again; and for the disk, which knows of no virtual time. */
async function write(file: TrackFile, packets: readonly Uint8Array[], fromMs = 0): Promise<void> {
  for (const [index, packet] of packets.entries()) {
    file.write(packet, packet.length, fromMs + index * 20);
    file.flushIfDue(fromMs + index * 20 + 20);
    do await rest();
    while (!file.idle);
  }
}

async function written(
  name: string,
  codec: AudioCodecName,
  seconds: number,
): Promise<{ path: string; octets: Buffer }> {
  const file = await trackFile(name, { codec });
  await write(file, tonePackets(codec, seconds));
  await file.finish();
  const path = join(directory, name);
  return { path, octets: await readFile(path) };
}

const mediabunnyInput = (octets: Uint8Array) => new Input({ formats: ALL_FORMATS, source: new BufferSource(octets) });

async function mediabunnyPackets(octets: Buffer): Promise<{ timestamp: number; data: Uint8Array }[]> {
  const track = await mediabunnyInput(Uint8Array.from(octets)).getPrimaryAudioTrack();
  const packets = [];
  if (track !== null) for await (const packet of new EncodedPacketSink(track).packets()) packets.push(packet);
  return packets;
}

describe('a file of a track', () => {
  it.each(CODECS)('plays as what was written (%s)', async (codec) => {
    const { path, octets } = await written(`plays-${codec.replace('/', '-')}.mka`, codec, 3);
    const samples = await play(path);
    expect(Math.abs(samples.length - 3 * 48_000)).toBeLessThanOrEqual(48);
    expect(Math.abs(toneDb(samples.subarray(4800, 2.9 * 48_000), 440) - -10.3)).toBeLessThan(1);
    const { title, blocks } = readMatroska(octets);
    expect(title).toBe('Büro 1');
    expect(blocks.map(({ packet }) => [...packet])).toEqual(tonePackets(codec, 3).map((packet) => [...packet]));
    expect(blocks.map(({ atMs }) => atMs)).toEqual(blocks.map((_, index) => index * 20));
  });

  it.each<AudioCodecName>(['opus', 'L16/16000'])('is read by mediabunny as well (%s)', async (codec) => {
    const { octets } = await written(`mediabunny-${codec.replace('/', '-')}.mka`, codec, 7);
    const packets = await mediabunnyPackets(octets);
    expect(packets.map(({ data }) => [...data])).toEqual(tonePackets(codec, 7).map((packet) => [...packet]));
    for (const [index, { timestamp }] of packets.entries()) expect(timestamp).toBeCloseTo(index / 50, 5);
  });

  it.each<AudioCodecName>(['opus', 'PCMU', 'G722'])(
    'is read wherever it is cut off (%s)',
    async (codec) => {
      const { octets } = await written(`cut-${codec}.mka`, codec, 8);
      const first = octets.indexOf(Buffer.of(0x1f, 0x43, 0xb6, 0x75));
      const all = readMatroska(octets).blocks;
      const path = join(directory, `cut-off-${codec}.mka`);
      const ends = all.map(({ packet }) => packet.byteOffset - octets.byteOffset + packet.length);
      const random = new SeededRandom(8794);
      for (let cut = 0; cut < 300; cut++) {
        const length = first + random.below(octets.length - first);
        const rest = octets.subarray(0, length);
        const whole = ends.filter((end) => end <= length).length;
        expect(readMatroska(rest).blocks).toHaveLength(whole);
        if (codec === 'opus' && cut % 4 === 0) {
          const packets = await mediabunnyPackets(rest);
          expect(packets.length, `cut at ${length}`).toBeGreaterThan(whole - 51);
          expect(packets.length, `cut at ${length}`).toBeLessThanOrEqual(whole);
        }
        if (cut % 30 !== 0 || whole === 0) continue;
        await writeFile(path, rest);
        const playedMs = (await play(path)).length / 48;
        expect(Math.abs(playedMs - whole * 20), `cut at ${length}`).toBeLessThanOrEqual(21);
      }
    },
    60_000,
  );

  it('says where sound begins again after hours of nothing', async () => {
    const file = await trackFile('hours.mka', { codec: 'PCMU' });
    const packet = new Uint8Array(160);
    const times = [0, 20, 40_000, 40_020, 36_000_000, 36_000_020, 30 * 3_600_000];
    for (const atMs of times) file.write(packet, packet.length, atMs);
    await file.finish();
    const octets = await readFile(join(directory, 'hours.mka'));
    expect(readMatroska(octets).blocks.map(({ atMs }) => atMs)).toEqual(times);
  });

  it('copies packets: the caller may use its memory again at once', async () => {
    const file = await trackFile('reuse.mka');
    const packets = tonePackets('opus', 2);
    const reused = new Uint8Array(1500);
    for (const [index, packet] of packets.entries()) {
      reused.set(packet);
      file.write(reused, packet.length, index * 20);
      reused.fill(0xaa);
    }
    await file.finish();
    const { blocks } = readMatroska(await readFile(join(directory, 'reuse.mka')));
    expect(blocks.map(({ packet }) => [...packet])).toEqual(packets.map((packet) => [...packet]));
  });

  it('is on the disk at most half a second and a write later', async () => {
    const file = await trackFile('prompt.mka');
    for (let half = 0; half < 10; half++) {
      await write(file, tonePackets('opus', 1).slice(0, 25), half * 500);
      const { blocks } = readMatroska(await readFile(join(directory, 'prompt.mka')));
      expect(blocks.length).toBeGreaterThanOrEqual(half * 25);
    }
    await file.finish();
    expect((await stat(join(directory, 'prompt.mka'))).size).toBe(file.bytesWritten);
  });

  it('never takes the place of another', async () => {
    await writeFile(join(directory, 'there.mka'), 'precious');
    await expect(trackFile('there.mka')).rejects.toThrow('EEXIST');
    await expect(trackFile('no/there.mka')).rejects.toThrow('ENOENT');
    expect(await readFile(join(directory, 'there.mka'), 'utf8')).toBe('precious');
  });

  it('is readable by nobody else', async () => {
    await written('private.mka', 'PCMU', 1);
    expect((await stat(join(directory, 'private.mka'))).mode & 0o007).toBe(0);
  });

  it.skipIf(!existsSync('/dev/full'))('says that the disk is full', async () => {
    const failures: string[] = [];
    const createFile = () => open('/dev/full', 'w');
    const file = await trackFile('full.mka', { createFile, failed: (reason) => void failures.push(reason) });
    await write(file, tonePackets('opus', 1));
    await expect.poll(() => failures).toEqual(['the disk is full']);
    await file.finish();
    expect(file.bytesWritten).toBe(0);
  });
});

describe('a sealed file', () => {
  const key = Buffer.alloc(32, 7);
  const options = { key, codec: 'PCMU' } as const;

  async function unsealed(path: string, unfinished = false): Promise<Buffer> {
    const pieces: Buffer[] = [];
    for await (const piece of readSealed(path, key, { unfinished })) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  it('is the same when it is unsealed, and looks like nothing', async () => {
    const file = await trackFile('sealed.mka', options);
    await write(file, tonePackets('PCMU', 5));
    await file.finish();
    const path = join(directory, 'sealed.mka');
    const plain = await unsealed(path);
    expect(await sealedPlainSize(path)).toBe(plain.length);
    expect(plain).toEqual((await written('unsealed.mka', 'PCMU', 5)).octets);
    const octets = await readFile(path);
    expect(octets.includes('matroska')).toBe(false);
    expect(octets.includes('Büro')).toBe(false);
    expect(octets.length).toBe(file.bytesWritten);
  });

  it('is read up to its last whole record wherever it was cut off', async () => {
    const disk = new MemoryDisk();
    const file = await trackFile('sealed-cut.mka', { ...options, createFile: disk.createFile });
    await write(file, tonePackets('PCMU', 10));
    await file.finish();
    const octets = disk.octets('sealed-cut.mka');
    const path = join(directory, 'sealed-torn.mka');
    const random = new SeededRandom(8794);
    for (let cut = 0; cut < 300; cut++) {
      const length = 22 + random.below(octets.length - 22);
      await writeFile(path, octets.subarray(0, length));
      const { blocks } = readMatroska(await unsealed(path, true));
      // Each write-out holds half a second.
      expect(blocks.length).toBeGreaterThanOrEqual(Math.floor(((length - 700) / octets.length) * 500) - 26);
      for (const [index, { atMs }] of blocks.entries()) expect(atMs).toBe(index * 20);
    }
  });
});

it('that begins late in a recording has ten seconds for its disk, too', async () => {
  const disk = new MemoryDisk();
  const reasons: string[] = [];
  const [path, title, startedAt] = ['/late.mka', 'late', new Date(0)];
  const options = { path, title, startedAt, key: null, diskSync: null, createFile: disk.createFile };
  const file = new TrackFile({ ...options, codec: 'PCMU', failed: (reason) => reasons.push(reason) });
  disk.stall();
  file.openLater();
  for (let ms = 60_000; ms <= 69_900; ms += 20) {
    file.write(new Uint8Array(160), 160, ms);
    file.flushIfDue(ms);
    if (ms % 500 === 0) await rest();
  }
  expect(reasons).toEqual([]);
  disk.release();
  await file.finish();
  expect(
    disk
      .matroska('late.mka')
      .blocks.map(({ atMs }) => atMs)
      .at(-1),
  ).toBe(69_900);
});

it('is what ffprobe takes it for', async () => {
  const { path } = await written('probed.mka', 'G722', 2);
  const probe = await promisify(execFile)('ffprobe', ['-v', 'error', '-show_streams', '-of', 'json', path]).catch(
    () => null,
  );
  if (probe === null) return;
  const [stream] = JSON.parse(probe.stdout).streams;
  expect(stream).toMatchObject({ codec_name: 'adpcm_g722', sample_rate: '16000', channels: 1 });
});
