import { stat } from 'node:fs/promises';
import { readSealed, sealedPlainSize } from '../../sealed/read-sealed.ts';
import type { FileOpener } from './sound-file.ts';

/** Opens sealed files, of which only what is asked for is read and decrypted, by whole records (see sealed-format.ts). */
export function openSealed(key: Uint8Array): FileOpener {
  return async (path) => {
    const size = await sealedPlainSize(path);
    const { mtimeMs } = await stat(path);
    return {
      async read(buffer, offset, length, position) {
        let bytesRead = 0;
        if (length === 0 || position >= size) return { bytesRead };
        for await (const piece of readSealed(path, key, { start: position, end: position + length - 1 })) {
          buffer.set(piece, offset + bytesRead);
          bytesRead += piece.length;
        }
        return { bytesRead };
      },
      stat: async () => ({ size, mtimeMs }),
      close: async () => undefined,
    };
  };
}
