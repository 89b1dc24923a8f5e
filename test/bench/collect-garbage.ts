import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** All of it, now; the program need not have been started with `--expose-gc`. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  // What only finalizers held is free after theirs.
  collect();
}
