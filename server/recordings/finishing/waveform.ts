import { Readable, Writable } from 'node:stream';
import { runFfmpeg } from './ffmpeg.ts';
import { JOINED_OPTIONS, joined } from './joined.ts';
import { runsOf } from './runs.ts';
import { soundFilter } from './sound-filter.ts';
import { mixFiles } from './source.ts';
import { failed, stepOf, type Work, type WorkResult } from './work.ts';

export const WAVEFORM = { width: 1_200, height: 200 };

type Colour = readonly [red: number, green: number, blue: number];
/** The console's (console/style.css): page, line, and the accents of its dark and its light look. */
const BACKGROUND: Colour = [0xf3, 0xf5, 0xf6];
const LINE: Colour = [0xc9, 0xd2, 0xd7];
const PEAK: Colour = [0x63, 0xcb, 0xc3];
const MEAN: Colour = [0x0b, 0x65, 0x66];

/** Enough to see how loud it is; what is above 4 kHz does not count. */
const PICTURE_RATE_HZ = 8_000;

/** Loudest sample and mean power of each column of the picture, out of 16-bit samples as they come. */
export class WaveformColumns {
  readonly peaks = new Float64Array(WAVEFORM.width);
  readonly #squares = new Float64Array(WAVEFORM.width);
  readonly #counts = new Float64Array(WAVEFORM.width);
  readonly #samples: number;
  #position = 0;
  /** An octet of which the other half has yet to come. */
  #half: Buffer = Buffer.alloc(0);

  constructor(samples: number) {
    this.#samples = Math.max(1, samples);
  }

  add(bytes: Buffer): void {
    const all = this.#half.length === 0 ? bytes : Buffer.concat([this.#half, bytes]);
    const even = all.length & ~1;
    for (let at = 0; at < even; at += 2) {
      const level = all.readInt16LE(at) / 32_768;
      const column = Math.min(WAVEFORM.width - 1, Math.floor((this.#position++ * WAVEFORM.width) / this.#samples));
      if (Math.abs(level) > this.peaks[column]!) this.peaks[column] = Math.abs(level);
      this.#squares[column]! += level * level;
      this.#counts[column]! += 1;
    }
    this.#half = Buffer.from(all.subarray(even));
  }

  mean(column: number): number {
    const count = this.#counts[column]!;
    return count === 0 ? 0 : Math.sqrt(this.#squares[column]! / count);
  }
}

/** RGB, row by row. Heights grow with the square root of the level, so that quiet speech is seen. */
export function drawWaveform(columns: WaveformColumns): Buffer {
  const { width, height } = WAVEFORM;
  const middle = height / 2;
  const pixels = Buffer.alloc(width * height * 3);
  for (let x = 0; x < width; x++) {
    const peak = Math.sqrt(columns.peaks[x]!) * middle;
    const mean = Math.sqrt(columns.mean(x)) * middle;
    for (let y = 0; y < height; y++) {
      const distance = Math.abs(y + 0.5 - middle);
      const onLine = distance < 1 ? LINE : BACKGROUND;
      const colour = distance <= mean ? MEAN : distance <= peak ? PEAK : onLine;
      pixels.set(colour, (y * width + x) * 3);
    }
  }
  return pixels;
}

/** A picture of how loud the whole recording is. */
export async function makeWaveform(work: Work): Promise<WorkResult> {
  const { source, open } = work;
  const runs = await runsOf(await mixFiles(source), open);
  if (runs.length === 0) return failed('there is no sound in what was captured');
  const columns = new WaveformColumns(Math.round((source.durationMs * PICTURE_RATE_HZ) / 1_000));
  const sound = joined({ runs, open, endMs: source.durationMs, gapless: false });
  const filter = soundFilter(runs, source.durationMs, [`aresample=${PICTURE_RATE_HZ}`]);
  const heard = await runFfmpeg({
    ...stepOf(work, 0, 1),
    inputs: [{ source: sound, options: JOINED_OPTIONS }],
    options: ['-filter_complex', filter, '-map', '[out]', '-c:a', 'pcm_s16le', '-f', 's16le'],
    target: new Writable({
      emitClose: false,
      write(chunk: Buffer, _encoding, done) {
        columns.add(chunk);
        done();
      },
    }),
  });
  return heard.ok ? paint(work, drawWaveform(columns)) : heard;
}

function paint(work: Work, pixels: Buffer): Promise<WorkResult> {
  const size = `${WAVEFORM.width}x${WAVEFORM.height}`;
  const options = ['-f', 'rawvideo', '-pixel_format', 'rgb24', '-video_size', size];
  return runFfmpeg({
    ...stepOf({ ...work, onProgress: () => undefined }, 0, 1),
    inputs: [{ source: Readable.from([pixels], { objectMode: false }), options }],
    options: ['-frames:v', '1', '-c:v', 'png', '-f', 'image2pipe'],
    target: work.targetPath,
  });
}
