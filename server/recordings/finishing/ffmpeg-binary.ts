import { constants } from 'node:fs';
import { access, chmod, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

const EXECUTABLE_NAME = process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg';

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The binary that npm brought, or null: it exists for some platforms only, and its package throws on the others. */
async function packagedBinary(): Promise<string | null> {
  try {
    const { path } = createRequire(import.meta.url)('@ffmpeg-installer/ffmpeg') as { path: string };
    // The package makes its binary executable in an install script, which `npm ci --ignore-scripts` leaves out.
    if (!(await isExecutable(path))) await chmod(path, 0o755);
    return path;
  } catch {
    return null;
  }
}

/** Finds ffmpeg: the system's, by `searchPath` (as `PATH`), else the one that npm brought; null when there is none. */
export async function findFfmpeg(searchPath: string, packaged = packagedBinary): Promise<string | null> {
  for (const directory of searchPath.split(delimiter)) {
    if (directory === '') continue;
    const candidate = join(directory, EXECUTABLE_NAME);
    if (await isExecutable(candidate)) return candidate;
  }
  return packaged();
}
