export interface RetentionRules {
  /** Days after the end; 0: for ever. */
  keepDays: number;
  /** All recordings together, 10⁹ octets; 0: no limit. */
  keepGb: number;
}

export interface KeptRecording {
  id: string;
  /** ISO 8601; null while it is being recorded. */
  stoppedAt: string | null;
  /** All its sound on this machine; 0 when it is kept elsewhere alone. */
  bytes: number;
  /** Its files are being made: not now. */
  busy: boolean;
}

const DAY_MS = 86_400_000;

/**
 * Which recordings are to go, oldest end first: those past their age, and then as many as it takes for the rest to fit.
 * What is being recorded or worked on stays, whatever its size.
 */
export function outdated(recordings: readonly KeptRecording[], rules: RetentionRules, epochMs: number): string[] {
  const { keepDays, keepGb } = rules;
  const removable = recordings.filter(({ stoppedAt, busy }) => stoppedAt !== null && !busy).sort(byEnd);
  const oldest = epochMs - keepDays * DAY_MS;
  let left = recordings.reduce((sum, { bytes }) => sum + bytes, 0);
  const gone: string[] = [];
  for (const { id, stoppedAt, bytes } of removable) {
    const isOld = keepDays > 0 && Date.parse(stoppedAt ?? '') < oldest;
    // Where nothing of it is here, that it goes would make no room.
    const isTooMuch = keepGb > 0 && left > keepGb * 1e9 && bytes > 0;
    if (!isOld && !isTooMuch) continue;
    gone.push(id);
    left -= bytes;
  }
  return gone;
}

function byEnd(one: KeptRecording, other: KeptRecording): number {
  return Date.parse(one.stoppedAt ?? '') - Date.parse(other.stoppedAt ?? '');
}
