import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AudioCodecName } from '../../mixer/protocol.ts';
import { captureCodec } from '../../server/recordings/finishing/capture-codec.ts';
import { type CaptureBlock, CaptureReader } from '../../server/recordings/finishing/capture-reader.ts';
import { sine, writeCapture } from './captures.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'parley-reader-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function captured(codec: AudioCodecName): Promise<Buffer> {
  const path = join(directory, 'capture.mka');
  await writeCapture(
    path,
    codec,
    [
      { fromMs: 100, toMs: 400 },
      { fromMs: 5_300, toMs: 5_500 },
    ],
    sine(440),
  );
  return readFile(path);
}

async function* inPieces(bytes: Buffer, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function read(bytes: Buffer, pieceBytes = 1_000): Promise<{ blocks: CaptureBlock[]; reader: CaptureReader }> {
  const reader = new CaptureReader(inPieces(bytes, pieceBytes));
  const blocks: CaptureBlock[] = [];
  for await (const some of reader.blocks())
    for (const { ms, key, packet } of some) blocks.push({ ms, key, packet: Buffer.from(packet) });
  return { blocks, reader };
}

const TIMES = [
  ...Array.from({ length: 15 }, (_, i) => 100 + 20 * i),
  ...Array.from({ length: 10 }, (_, i) => 5_300 + 20 * i),
];

describe('a capture', () => {
  it.each<AudioCodecName>(['opus', 'PCMU', 'PCMA', 'G722', 'L16/8000', 'L16/16000', 'L16/48000'])(
    'of %s is read with its packets, their times and their lengths, however it comes in pieces',
    async (codec) => {
      const bytes = await captured(codec);
      const { blocks, reader } = await read(bytes);
      expect(blocks.map(({ ms }) => ms)).toEqual(TIMES);
      const known = captureCodec(reader.header)!;
      expect(blocks.map(({ packet }) => known.packetMs(packet))).toEqual(TIMES.map(() => 20));
      for (const pieceBytes of [1, 7, 64, 1 << 20]) expect((await read(bytes, pieceBytes)).blocks).toEqual(blocks);
      const silent = known.silence(20)!;
      expect(known.packetMs(silent.packet)).toBe(20);
      const short = known.silence(7)!;
      expect(short.ms).toBeLessThanOrEqual(7);
      expect(known.packetMs(short.packet)).toBe(short.ms);
      expect(known.silence(0.5)).toBeNull();
    },
  );

  it('that is cut off anywhere is read up to its last whole packet', async () => {
    const bytes = await captured('opus');
    const { blocks } = await read(bytes);
    let most = 0;
    for (let length = 0; length < bytes.length; length += 11) {
      const { blocks: some } = await read(bytes.subarray(0, length), 256);
      expect(some).toEqual(blocks.slice(0, some.length));
      expect(some.length).toBeGreaterThanOrEqual(most);
      most = some.length;
    }
    expect(most).toBe(blocks.length - 1);
  });

  it.each([
    ['zeros, as a power cut may leave', Buffer.alloc(100_000)],
    ['ones', Buffer.alloc(100_000, 0xff)],
    [
      'a block that says it is longer than any packet',
      Buffer.concat([Buffer.from('a3107fffff', 'hex'), Buffer.alloc(100_000)]),
    ],
  ])('ends at %s', async (_what, noise) => {
    const bytes = await captured('PCMU');
    const { blocks } = await read(bytes);
    expect((await read(Buffer.concat([bytes, noise]))).blocks).toEqual(blocks);
  });

  it('that is none has no packets', async () => {
    expect((await read(Buffer.from('RIFF....WAVEfmt and so on, for some more octets'))).blocks).toEqual([]);
    expect((await read(Buffer.alloc(0))).blocks).toEqual([]);
    expect(captureCodec((await read(Buffer.alloc(0))).reader.header)).toBeNull();
  });
});
