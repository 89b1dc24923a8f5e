import { type CaptureCodec, type CaptureHeader, captureCodec } from './capture-codec.ts';
import { CaptureReader } from './capture-reader.ts';
import type { CaptureFile, OpenFile } from './source.ts';

/** A capture that has sound in it. */
export interface RunFile extends CaptureFile {
  /** Of its first packet in the recording. */
  firstMs: number;
}

/** Captures that follow each other and are of one codec. */
export interface Run {
  header: CaptureHeader;
  codec: CaptureCodec;
  /** Where it begins in the recording; the first one at 0. */
  startMs: number;
  files: RunFile[];
}

/** Looks at the beginning of each file. Those without sound, or of a codec nobody knows, are left out. */
export async function runsOf(files: readonly CaptureFile[], open: OpenFile): Promise<Run[]> {
  const runs: Run[] = [];
  for (const file of files) {
    const found = await beginning(file, open);
    const codec = found === null ? null : captureCodec(found.header);
    if (found === null || codec === null) continue;
    const run = runs.at(-1);
    if (run !== undefined && isSame(run.header, found.header)) run.files.push(found.file);
    else {
      const startMs = run === undefined ? 0 : found.file.firstMs;
      runs.push({ header: found.header, codec, startMs, files: [found.file] });
    }
  }
  return runs;
}

async function beginning(file: CaptureFile, open: OpenFile): Promise<{ header: CaptureHeader; file: RunFile } | null> {
  const reader = new CaptureReader(open(file.path));
  for await (const [first] of reader.blocks()) {
    if (first === undefined) continue;
    return { header: withoutPreSkip(reader.header), file: { ...file, firstMs: file.startMs + first.ms } };
  }
  return null;
}

/** What is before the first packet's sound is no part of a capture that began in the middle of an encoder's life. */
function withoutPreSkip(header: CaptureHeader): CaptureHeader {
  if (header.codecId !== 'A_OPUS' || header.codecPrivate.length < 12) return header;
  const codecPrivate = Buffer.from(header.codecPrivate);
  codecPrivate.writeUInt16LE(0, 10); // RFC 7845 §5.1
  return { ...header, codecPrivate };
}

function isSame(a: CaptureHeader, b: CaptureHeader): boolean {
  return (
    a.codecId === b.codecId &&
    a.sampleRateHz === b.sampleRateHz &&
    a.channels === b.channels &&
    a.bitDepth === b.bitDepth &&
    a.codecPrivate.equals(b.codecPrivate)
  );
}
