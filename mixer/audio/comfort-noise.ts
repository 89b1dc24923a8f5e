/** Noise so faint that it is not heard as such, in place of a silence that sounds as if the line were dead. */

const TABLE_SAMPLES = 8192;
const FULL_SCALE = 32768;
/** Uniform numbers that are added up for one that is nearly normal. */
const DRAWS = 4;

/** By level: the same for all rooms. */
const TABLES = new Map<number, Int16Array>();

/** White noise. Where in its table it goes on changes each tick, so it has no period. */
export class ComfortNoise {
  private readonly table: Int16Array;
  private state = 1;

  /** @param levelDb RMS, dBov; under some −100 nothing is left of it */
  constructor(levelDb: number) {
    let table = TABLES.get(levelDb);
    if (!table) {
      table = this.makeTable(levelDb);
      TABLES.set(levelDb, table);
    }
    this.table = table;
  }

  /** The next piece. */
  fill(out: Int16Array, offset: number, samples: number): void {
    const { table } = this;
    let at = (this.random() * TABLE_SAMPLES) | 0;
    for (let i = offset; i < offset + samples; i++) {
      out[i] = table[at]!;
      at = (at + 1) & (TABLE_SAMPLES - 1);
    }
  }

  private makeTable(levelDb: number): Int16Array {
    const table = new Int16Array(TABLE_SAMPLES);
    const scale = FULL_SCALE * 10 ** (levelDb / 20) * Math.sqrt(12 / DRAWS);
    for (let i = 0; i < TABLE_SAMPLES; i++) {
      let sum = 0;
      for (let draw = 0; draw < DRAWS; draw++) sum += this.random() - 0.5;
      table[i] = Math.round(sum * scale);
    }
    return table;
  }

  /** Evenly spread from 0 to 1, by a linear congruence (Numerical Recipes), which does for noise. */
  private random(): number {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return this.state / 2 ** 32;
  }
}
