import { expect, it } from 'vitest';
import { parseWav, wavFile } from '../../mixer/playback/wav.ts';

const made = wavFile(Int16Array.of(1, -2, 3), 16_000);
const layout = { sampleRateHz: 16_000, dataOffset: 44, dataBytes: 6 };

it('what is written is read again', () => {
  expect(parseWav(made, made.length)).toEqual(layout);
  expect(made.readInt16LE(46)).toBe(-2);
});

it('other chunks are passed over, also of odd length', () => {
  const list = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
  const file = Buffer.concat([made.subarray(0, 36), list, made.subarray(36)]);
  expect(parseWav(file, file.length)).toEqual({ ...layout, dataOffset: 56 });
});

it('the file’s length decides where the header does not know it, or is wrong; half a sample is none', () => {
  const open = Buffer.from(made);
  open.writeUInt32LE(0xffffffff, 40);
  expect(parseWav(open, made.length)).toEqual(layout);
  expect(parseWav(open, made.length - 1)).toEqual({ ...layout, dataBytes: 4 });
  expect(parseWav(open, 3e9)).toEqual({ ...layout, dataBytes: 3e9 - 44 });
});

it('anything that is cut off or damaged is an error, and nothing else', () => {
  let state = 1;
  for (let round = 0; round < 3000; round++) {
    const file = Buffer.from(made);
    for (let change = 0; change < 3; change++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      file[state % file.length] = state >>> 24;
    }
    const head = file.subarray(0, (state >>> 8) % (file.length + 1));
    try {
      const { dataOffset, dataBytes } = parseWav(head, head.length);
      expect(dataOffset + dataBytes).toBeLessThanOrEqual(head.length);
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
  }
});
