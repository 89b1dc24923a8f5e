/** The samples of one scrape of `/metrics` (Prometheus text format). */
export class Metrics {
  readonly samples: ReadonlyMap<string, number>;

  /** Keys are as written: a name, or a name with its labels in braces. */
  constructor(samples: ReadonlyMap<string, number>) {
    this.samples = samples;
  }

  /** The sum over all labels; throws when there is no such metric, so that a wrong name is not a zero. */
  sum(name: string): number {
    let sum = 0;
    let found = false;
    for (const [key, value] of this.samples) {
      if (key !== name && !key.startsWith(`${name}{`)) continue;
      found = true;
      sum += value;
    }
    if (!found) throw new Error(`no metric ${name}; there are ${[...this.samples.keys()].join(', ')}`);
    return sum;
  }
}

export function readMetrics(text: string): Metrics {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const sample = /^([a-zA-Z_:][\w:]*(?:\{.*\})?)\s+(\S+)/.exec(line);
    if (sample) samples.set(sample[1]!, Number(sample[2]));
  }
  return new Metrics(samples);
}
