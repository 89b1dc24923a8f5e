/** WAV: RIFF with a `fmt ` and a `data` chunk; PCM, 16 bit, mono. */

const HEADER_BYTES = 44;
const PCM = 1;
/** WAVE_FORMAT_EXTENSIBLE: the format is in the first two octets of its GUID. */
const EXTENSIBLE = 0xfffe;
const SAMPLING_RATES_HZ = [8000, 16_000, 48_000];

export interface WavLayout {
  sampleRateHz: number;
  /** Where samples begin, and how many octets of them there are. */
  dataOffset: number;
  dataBytes: number;
}

/**
 * @param head the file's beginning, up to its samples at least
 * @param fileBytes of the whole file; of a file whose length was not known when it was begun, this decides
 * @throws Error that says what is wrong, in words that go after the file's name
 */
export function parseWav(head: Buffer, fileBytes: number): WavLayout {
  if (head.toString('latin1', 0, 4) !== 'RIFF' || head.toString('latin1', 8, 12) !== 'WAVE') {
    throw new Error('is not a WAV file');
  }
  let sampleRateHz = 0;
  for (let at = 12; at + 8 <= head.length; ) {
    const chunk = head.toString('latin1', at, at + 4);
    const bytes = head.readUInt32LE(at + 4);
    const start = at + 8;
    if (chunk === 'fmt ' && start + 16 <= head.length) sampleRateHz = samplingRate(head, start, bytes);
    if (chunk === 'data') {
      if (sampleRateHz === 0) throw new Error('has no format before its samples');
      const there = Math.min(bytes, fileBytes - start);
      return { sampleRateHz, dataOffset: start, dataBytes: there - (there % 2) };
    }
    at = start + bytes + (bytes & 1);
  }
  throw new Error('has no samples');
}

function samplingRate(head: Buffer, start: number, bytes: number): number {
  const tag = head.readUInt16LE(start);
  const isPcm = tag === PCM || (tag === EXTENSIBLE && bytes >= 26 && head.readUInt16LE(start + 24) === PCM);
  const channels = head.readUInt16LE(start + 2);
  const sampleRateHz = head.readUInt32LE(start + 4);
  const bits = head.readUInt16LE(start + 14);
  if (!isPcm || bits !== 16) throw new Error(`has samples of format ${tag} with ${bits} bits; it must be PCM of 16`);
  if (channels !== 1) throw new Error(`has ${channels} channels; it must be mono`);
  if (!SAMPLING_RATES_HZ.includes(sampleRateHz)) {
    throw new Error(`has a sampling rate of ${sampleRateHz} Hz; it must be 8000, 16000 or 48000`);
  }
  return sampleRateHz;
}

/** A whole file. */
export function wavFile(pcm: Int16Array, sampleRateHz: number): Buffer {
  const file = Buffer.alloc(HEADER_BYTES + 2 * pcm.length);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(file.length - 8, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(PCM, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(sampleRateHz, 24);
  file.writeUInt32LE(2 * sampleRateHz, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(2 * pcm.length, 40);
  for (let index = 0; index < pcm.length; index++) file.writeInt16LE(pcm[index]!, HEADER_BYTES + 2 * index);
  return file;
}
