/** What one of the label's values has counted since its start. */
export interface Totals {
  /** The label's value. */
  name: string;
  /** By bucket, each alone; one more than there are bounds, or none at all when nothing is known yet. */
  counts: readonly number[];
  sum: number;
}

export interface HistogramDescription {
  name: string;
  help: string;
  label: string;
  /** Upper ends of the buckets, rising. */
  bounds: readonly number[];
}

/** A histogram in Prometheus' text format that others have counted: prom-client's own takes only single values. */
export function histogramText({ name, help, label, bounds }: HistogramDescription, all: readonly Totals[]): string {
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`];
  for (const { name: value, counts, sum } of all) {
    if (counts.length === 0) continue;
    let total = 0;
    counts.forEach((count, bucket) => {
      total += count;
      lines.push(`${name}_bucket{${label}="${value}",le="${bounds[bucket] ?? '+Inf'}"} ${total}`);
    });
    lines.push(`${name}_sum{${label}="${value}"} ${sum}`, `${name}_count{${label}="${value}"} ${total}`);
  }
  return `${lines.join('\n')}\n`;
}
