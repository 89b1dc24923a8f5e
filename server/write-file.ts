import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';

/**
 * A new file of what is streamed into it, on the disk when this resolves. It is there before the first byte is asked
 * for, and closed when this settles, so that who removes what a failure left has removed it. Rejects as `write` does.
 */
export async function writeFileBy(path: string, write: (file: Writable) => Promise<void>): Promise<void> {
  const file = await open(path, 'w', 0o640);
  try {
    await write(file.createWriteStream({ flush: true }));
  } finally {
    await file.close();
  }
}
