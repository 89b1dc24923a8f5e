import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the sounds are that come with the project: in `assets/` at its top, seen from the sources or from `dist/`. */
export function assetsDirectory(): string {
  const here = fileURLToPath(import.meta.url);
  return join(here, here.endsWith('.ts') ? '../../../assets' : '../../../../assets');
}
