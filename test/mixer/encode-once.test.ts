import { describe, expect, it } from 'vitest';
import type { AudioEncoder } from '../../mixer/codec/codec.ts';
import { EncodeStream } from '../../mixer/encode-once.ts';

/** Writes each sample's low byte, so that a packet shows what went into it. */
class PlainEncoder implements AudioEncoder {
  readonly sampleRateHz = 8000;
  readonly hasMemory = false;
  closed = false;

  encode(pcm: Int16Array, offset: number, samples: number, out: Uint8Array, outOffset: number): number {
    for (let index = 0; index < samples; index++) out[outOffset + index] = pcm[offset + index]!;
    return samples;
  }

  adopt(): void {}

  close(): void {
    this.closed = true;
  }
}

const frame = (value: number): Int16Array => new Int16Array(160).fill(value);

/** All packets of some ticks: where each starts, and the values in it with how often they stand there. */
function packets(stream: EncodeStream, ticks: readonly number[], value = (tick: number) => tick): string[] {
  const made: string[] = [];
  for (const tick of ticks) {
    stream.encode(frame(value(tick)), tick);
    for (let index = 0; index < stream.packetCount; index++) {
      const payload = stream.payloads[index]!.subarray(0, stream.payloadLengths[index]);
      const runs = new Map<number, number>();
      for (const byte of payload) runs.set(byte, (runs.get(byte) ?? 0) + 1);
      const start = stream.firstPacketStart + index * stream.packetSamples;
      made.push(`${start}: ${[...runs].map(([byte, count]) => `${count}×${byte}`).join(' ')}`);
    }
  }
  return made;
}

describe('an encode stream', () => {
  it('makes one packet a tick at 20 ms', () => {
    expect(packets(new EncodeStream(new PlainEncoder(), 20), [0, 1, 2])).toEqual([
      '0: 160×0',
      '160: 160×1',
      '320: 160×2',
    ]);
  });

  it('makes two packets a tick at 10 ms', () => {
    expect(packets(new EncodeStream(new PlainEncoder(), 10), [0, 1])).toEqual([
      '0: 80×0',
      '80: 80×0',
      '160: 80×1',
      '240: 80×1',
    ]);
  });

  it('gathers ticks for longer packets, with nothing lost or doubled', () => {
    expect(packets(new EncodeStream(new PlainEncoder(), 30), [0, 1, 2, 3, 4, 5])).toEqual([
      '0: 160×0 80×1',
      '240: 80×1 160×2',
      '480: 160×3 80×4',
      '720: 80×4 160×5',
    ]);
    expect(packets(new EncodeStream(new PlainEncoder(), 60), [0, 1, 2])).toEqual(['0: 160×0 160×1 160×2']);
  });

  it('keeps packet borders on the room time line when it begins late', () => {
    const late = new EncodeStream(new PlainEncoder(), 40);
    expect(packets(late, [3, 4, 5])).toEqual(['320: 160×0 160×3', '640: 160×4 160×5']);
  });

  it('goes on from another stream in the middle of a packet', () => {
    const common = new EncodeStream(new PlainEncoder(), 40);
    packets(common, [0, 1, 2]);
    const own = new EncodeStream(new PlainEncoder(), 40);
    own.continueFrom(common);
    expect(packets(own, [3], () => 99)).toEqual(['320: 160×2 160×99']);
  });

  it('fills with silence what it had no part in', () => {
    const stream = new EncodeStream(new PlainEncoder(), 40);
    packets(stream, [0]);
    expect(packets(stream, [7], () => 7)).toEqual(['960: 160×0 160×7']);
  });
});
