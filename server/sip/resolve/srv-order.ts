import type { SrvRecord } from './dns-resolver.ts';

/**
 * The order in which to try them: by priority, and within one at random by weight (RFC 2782, "Weight").
 * `random` gives numbers from 0 to below 1.
 */
export function orderServers(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const ordered: SrvRecord[] = [];
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b);
  for (const priority of priorities) {
    // Those without weight stand first, so that they are chosen only when the dice show nothing.
    const left = records
      .filter((record) => record.priority === priority)
      .sort((a, b) => Math.min(a.weight, 1) - Math.min(b.weight, 1));
    while (left.length > 0) ordered.push(...left.splice(drawn(left, random), 1));
  }
  return ordered;
}

function drawn(records: readonly SrvRecord[], random: () => number): number {
  const sum = records.reduce((total, { weight }) => total + weight, 0);
  const wanted = Math.floor(random() * (sum + 1));
  let running = 0;
  return records.findIndex(({ weight }) => {
    running += weight;
    return running >= wanted;
  });
}
