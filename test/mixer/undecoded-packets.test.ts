import { describe, expect, it } from 'vitest';
import type { AudioDecoder } from '../../mixer/codec/codec.ts';
import { UndecodedPackets } from '../../mixer/undecoded-packets.ts';

/** Notes what it is given. */
function notingDecoder(historyPackets: number) {
  const decoded: number[][] = [];
  const decode = (payload: Uint8Array) => decoded.push([...payload]);
  return { decoder: { historyPackets, decode } as unknown as AudioDecoder, decoded };
}

/** Of any length, some longer than all before. */
const payloadOf = (index: number) => Array.from({ length: (index * 37) % (20 + index) }, (_, at) => (index + at) & 255);

function decodedAfter(packets: number, historyPackets: number, share = 1): number[][] {
  const undecoded = new UndecodedPackets();
  const { decoder, decoded } = notingDecoder(historyPackets);
  // The caller's memory is used again for each.
  const memory = new Uint8Array(2000);
  for (let index = 0; index < packets; index++) {
    memory.set(payloadOf(index));
    undecoded.add(memory.subarray(0, payloadOf(index).length), historyPackets);
  }
  expect(undecoded.count).toBe(packets);
  undecoded.decode(decoder, new Int16Array(0), 0, share);
  expect(undecoded.count).toBe(0);
  return decoded;
}

describe('packets that were not decoded', () => {
  it.each([1, 3, 4, 5, 60, 211])('are, of %i, the last four, in their order and as they came', (packets) => {
    const first = Math.max(0, packets - 4);
    const last = Array.from({ length: packets - first }, (_, index) => payloadOf(first + index));
    expect(decodedAfter(packets, 4)).toEqual(last);
  });

  it('are fewer where the history need not be whole', () => {
    expect(decodedAfter(60, 7, 0.5)).toEqual([56, 57, 58, 59].map(payloadOf));
  });

  it('are none for a decoder without memory', () => {
    expect(decodedAfter(60, 0)).toEqual([]);
  });
});
