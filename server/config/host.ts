import { accessSync, constants, statSync } from 'node:fs';
import { availableParallelism, type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import { dirname } from 'node:path';

/** What the configuration must know of the machine; tests make one up. */
export interface Host {
  /** As `os.networkInterfaces()` gives them. */
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;
  cores: number;
  /** Null when the directory can be written to or made; otherwise why not. */
  cannotWriteTo(directory: string): string | null;
}

export const thisHost = (): Host => ({ interfaces: networkInterfaces(), cores: availableParallelism(), cannotWriteTo });

/** Makes nothing: looks at the directory, or at the nearest one above it that is there. */
function cannotWriteTo(directory: string): string | null {
  for (let path = directory; ; path = dirname(path)) {
    try {
      if (!statSync(path).isDirectory()) return `${path} is no directory`;
      accessSync(path, constants.W_OK | constants.X_OK);
      return null;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' && path !== dirname(path)) continue;
      return code === 'ENOTDIR' ? `${dirname(path)} is no directory` : `${path} cannot be written to (${code})`;
    }
  }
}
