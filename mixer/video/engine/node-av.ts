import type * as constants from 'node-av/constants';
import type * as lib from 'node-av/lib';

/** The library that decodes, scales and encodes: FFmpeg in this process. A type only; nothing is loaded by it. */
export type NodeAv = typeof lib & typeof constants;

/** Only what lies close to FFmpeg; the rest of the package takes 0.2 s and 8 MB more. */
export async function loadNodeAv(): Promise<NodeAv | Error> {
  try {
    const [native, names] = await Promise.all([import('node-av/lib'), import('node-av/constants')]);
    // What it would print is about single streams, which peers can make as broken as they like.
    native.Log.setLevel(names.AV_LOG_QUIET);
    return { ...native, ...names };
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** What the library says of a negative result. */
export function failure(av: NodeAv, action: string, code: number): Error {
  return new Error(`${action}: ${av.FFmpegError.strerror(code)}`);
}

/**
 * Options by their names in FFmpeg's documentation. Not by a `Dictionary`: `open2Sync` of node-av 6.1 frees what is in
 * one, which its finalizer does once more.
 * @throws Error for a name or value that the library does not know.
 */
export function setOptions(
  av: NodeAv,
  target: Pick<lib.CodecContext, 'setOption'>,
  options: Record<string, string | number>,
): void {
  for (const [name, value] of Object.entries(options)) {
    const code = target.setOption(name, String(value));
    if (code < 0) throw failure(av, `option ${name}=${value}`, code);
  }
}
