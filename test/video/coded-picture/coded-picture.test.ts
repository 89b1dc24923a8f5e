import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { peersPresent } from '../../e2e/clients/peer-programs.ts';
import { cellsOf, SENDERS, wordIn } from './code-word.ts';
import { CodedPicture, codeRect } from './draw-code.ts';
import { readCodes, type SeenCode } from './read-codes.ts';
import { bytesOfPicture, type Rect, type YuvPicture } from './yuv-picture.ts';

const words = (codes: readonly SeenCode[]) => codes.map(({ sender, counter }) => ({ sender, counter }));

function isNear(found: Rect, wanted: Rect, by: number): boolean {
  return (
    Math.abs(found.x - wanted.x) <= by &&
    Math.abs(found.y - wanted.y) <= by &&
    Math.abs(found.x + found.width - wanted.x - wanted.width) <= by &&
    Math.abs(found.y + found.height - wanted.y - wanted.height) <= by
  );
}

function runFfmpeg(args: readonly string[], input: Buffer): Buffer {
  const { stdout, stderr, status } = spawnSync('ffmpeg', ['-v', 'error', ...args, '-'], { input, maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(String(stderr));
  return stdout;
}

const AS_RAW = ['-f', 'rawvideo', '-pix_fmt', 'yuv420p'];

function toFfmpeg(pictures: readonly YuvPicture[], args: readonly string[]): Buffer {
  const { width, height } = pictures[0]!;
  const input = [...AS_RAW, '-s', `${width}x${height}`, '-r', '25', '-i', '-'];
  return runFfmpeg([...input, ...args], Buffer.concat(pictures.map(({ data }) => data)));
}

function picturesIn(raw: Buffer, width: number, height: number): YuvPicture[] {
  const bytes = bytesOfPicture(width, height);
  return Array.from({ length: Math.floor(raw.length / bytes) }, (_, index) => ({
    width,
    height,
    data: raw.subarray(index * bytes, (index + 1) * bytes),
  }));
}

function throughFilter(pictures: readonly YuvPicture[], filter: string, width: number, height: number): YuvPicture[] {
  return picturesIn(toFfmpeg(pictures, ['-vf', filter, ...AS_RAW]), width, height);
}

/** As stored: a second ffmpeg reads what the first wrote. */
function throughCodec(pictures: readonly YuvPicture[], codec: readonly string[], container: string): YuvPicture[] {
  const coded = toFfmpeg(pictures, [...codec, '-f', container]);
  const { width, height } = pictures[0]!;
  return picturesIn(runFfmpeg(['-f', container, '-i', '-', ...AS_RAW], coded), width, height);
}

/** Grey, with pictures of any senders in it. */
function montage(width: number, height: number, tiles: readonly { x: number; y: number; picture: YuvPicture }[]) {
  const data = new Uint8Array(bytesOfPicture(width, height));
  data.fill(40, 0, width * height);
  data.fill(128, width * height);
  for (const { x, y, picture } of tiles) {
    let from = 0;
    let to = 0;
    for (const half of [1, 2, 2]) {
      const columns = picture.width / half;
      for (let row = 0; row < picture.height / half; row++) {
        const line = picture.data.subarray(from + row * columns, from + (row + 1) * columns);
        data.set(line, to + ((y / half + row) * width) / half + x / half);
      }
      from += columns * (picture.height / half);
      to += (width / half) * (height / half);
    }
  }
  return { width, height, data };
}

describe('the code', () => {
  test('is read as it was written, for every sender', () => {
    for (let sender = 0; sender < SENDERS; sender++) {
      for (const counter of [0, 1, 2, 255, 256, 40_000, 65_535]) {
        expect(wordIn(cellsOf({ sender, counter }))).toEqual({ sender, counter });
      }
    }
  });

  test('with any one, two or three cells wrong is no code', () => {
    const cells = cellsOf({ sender: 5, counter: 12_345 });
    for (let first = 0; first < 32; first++) {
      for (let second = first; second < 32; second++) {
        for (let third = second; third < 32; third++) {
          const wrong = new Set([first, second, third]);
          expect(wordIn(cells.map((cell, index) => cell !== wrong.has(index)))).toBeNull();
        }
      }
    }
  });

  test('plain colour, all black and all white are none', () => {
    expect(wordIn(Array(32).fill(false))).toBeNull();
    expect(wordIn(Array(32).fill(true))).toBeNull();
    const plain = new CodedPicture(3, 320, 180);
    const { x, y, width, height } = codeRect(320, 180);
    for (let row = y; row < y + height; row++) plain.data.fill(120, row * 320 + x, row * 320 + x + width);
    expect(readCodes(plain)).toEqual([]);
  });
});

describe('a coded picture', () => {
  test.each([
    [640, 360],
    [640, 480],
    [160, 90],
    [360, 640],
    [1_920, 1_080],
  ])('of %i×%i is read', (width, height) => {
    for (let sender = 0; sender < SENDERS; sender++) {
      const [code, ...more] = readCodes(new CodedPicture(sender, width, height).draw(1_000 + sender));
      expect(more).toEqual([]);
      expect(code).toMatchObject({ sender, counter: 1_000 + sender, rect: { x: 0, y: 0, width, height } });
      expect(isNear(code!.code, codeRect(width, height), 0)).toBe(true);
    }
  });

  test('another one in its corner, or beside it, does not confuse', () => {
    const picture = montage(1_280, 720, [
      { x: 0, y: 0, picture: new CodedPicture(1, 1_280, 720).draw(7) },
      { x: 948, y: 526, picture: new CodedPicture(2, 320, 180).draw(8) },
      { x: 20, y: 20, picture: new CodedPicture(1, 160, 90).draw(6) },
    ]);
    expect(words(readCodes(picture))).toEqual([
      { sender: 1, counter: 6 },
      { sender: 1, counter: 7 },
      { sender: 2, counter: 8 },
    ]);
  });

  test('49 of them in a grid are found where they are', () => {
    const tiles = Array.from({ length: 49 }, (_, index) => ({
      x: 182 * (index % 7),
      y: 102 * Math.floor(index / 7),
      picture: new CodedPicture(index % 8, 180, 100).draw(index),
    }));
    const codes = readCodes(montage(1_280, 720, tiles));
    expect(codes).toHaveLength(49);
    for (const { counter, rect } of codes) {
      const { x, y } = tiles[counter]!;
      expect(rect).toEqual({ x, y, width: 180, height: 100 });
    }
  });
});

describe.runIf(peersPresent('ffmpeg'))('through ffmpeg', () => {
  const pictures = (sender: number, width: number, height: number, count = 25): YuvPicture[] =>
    Array.from({ length: count }, (_, counter) => {
      const { data } = new CodedPicture(sender, width, height).draw(counter * 991);
      return { width, height, data };
    });
  const isRead = (found: readonly YuvPicture[], sender: number, count = 25): void => {
    expect(found).toHaveLength(count);
    found.forEach((picture, index) => {
      expect(words(readCodes(picture)), `picture ${index}`).toEqual([{ sender, counter: index * 991 }]);
    });
  };

  test('scaled down to 160×90 they are read', () => {
    for (const sender of [0, 3, 6]) isRead(throughFilter(pictures(sender, 640, 360), 'scale=160:90', 160, 90), sender);
  });

  test('cut to half their width, or from 4:3 to 16:9, they are read, and fill all', () => {
    const cuts = [
      { from: [640, 360], filter: 'crop=320:360,scale=640:720', to: [640, 720] },
      { from: [640, 480], filter: 'crop=640:360,scale=320:180', to: [320, 180] },
    ] as const;
    for (const { from, filter, to } of cuts) {
      const cut = throughFilter(pictures(4, from[0], from[1]), filter, to[0], to[1]);
      isRead(cut, 4);
      for (const picture of cut)
        expect(readCodes(picture)[0]!.rect).toEqual({ x: 0, y: 0, width: to[0], height: to[1] });
    }
  });

  test.each([
    ['x264 at 60 kbit/s', ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-b:v', '60k'], 'h264'],
    ['libvpx at 60 kbit/s', ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '60k'], 'ivf'],
    ['MJPEG', ['-c:v', 'mjpeg', '-q:v', '10'], 'mjpeg'],
  ])('after %s they are read', (_, codec, container) => {
    isRead(throughCodec(pictures(1, 320, 180), codec, container), 1);
  });

  test('nine of 160×90 in one picture, after x264 at 300 kbit/s, are read where they are', () => {
    const tiles = (counter: number) =>
      Array.from({ length: 9 }, (_, index) => ({
        x: 20 + 200 * (index % 3),
        y: 20 + 110 * Math.floor(index / 3),
        picture: new CodedPicture(index % 8, 160, 90).draw(counter),
      }));
    const sent = Array.from({ length: 20 }, (_, counter) => montage(640, 360, tiles(counter * 991)));
    const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-b:v', '300k'];
    const got = throughCodec(sent, codec, 'h264');
    expect(got).toHaveLength(20);
    got.forEach((picture, index) => {
      const codes = readCodes(picture);
      expect(codes).toHaveLength(9);
      for (const { x, y, picture: tile } of tiles(0)) {
        const place = { x, y, width: tile.width, height: tile.height };
        const code = codes.find(({ rect }) => isNear(rect, place, 4));
        expect(code, JSON.stringify(codes)).toBeDefined();
        expect(code!.counter).toBe(index * 991);
      }
    });
  });

  test('as RGB in a PNG, as a screen shows them, they are read', () => {
    isRead(throughCodec(pictures(7, 320, 180, 3), ['-c:v', 'png', '-pix_fmt', 'rgb24'], 'image2pipe'), 7, 3);
  });
});
