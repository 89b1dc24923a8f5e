/** Reading and writing RIFF/WAVE with 16 bit PCM, as the test programs take and give it. */

export interface Pcm {
  sampleRateHz: number;
  /** Mono, 1 is full scale. */
  samples: Float32Array;
}

export interface WavLayout {
  sampleRateHz: number;
  channels: number;
  /** Where the samples begin. */
  dataOffset: number;
}

const PCM_FORMAT = 1;

/**
 * Finds the samples of a file that may still be growing; null as long as its header is not complete.
 *
 * The data chunk's length is not read: the programs write it only when they close the file.
 */
export function readWavLayout(file: Buffer): WavLayout | null {
  let layout: WavLayout | null = null;
  for (let offset = 12; offset + 8 <= file.length; ) {
    const name = file.toString('latin1', offset, offset + 4);
    const body = offset + 8;
    if (name === 'data') return layout && { ...layout, dataOffset: body };
    if (name === 'fmt ') {
      if (body + 16 > file.length) return null;
      if (file.readUInt16LE(body + 14) !== 16) throw new Error('only 16 bit PCM is read');
      layout = { channels: file.readUInt16LE(body + 2), sampleRateHz: file.readUInt32LE(body + 4), dataOffset: 0 };
    }
    offset = body + file.readUInt32LE(offset + 4) + (file.readUInt32LE(offset + 4) % 2);
  }
  return null;
}

/** Several channels are averaged into one. */
export function readWav(file: Buffer, layout = readWavLayout(file)): Pcm {
  if (!layout) throw new Error('not a WAV file');
  const { channels, dataOffset, sampleRateHz } = layout;
  const frames = Math.floor((file.length - dataOffset) / (2 * channels));
  const samples = new Float32Array(frames);
  for (let frame = 0; frame < frames; frame++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) {
      sum += file.readInt16LE(dataOffset + 2 * (frame * channels + channel));
    }
    samples[frame] = sum / channels / 32_768;
  }
  return { sampleRateHz, samples };
}

/** The same samples in every channel. */
export function writeWav(pcm: Pcm, channels = 1): Buffer {
  const dataBytes = pcm.samples.length * channels * 2;
  const file = Buffer.alloc(44 + dataBytes);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(36 + dataBytes, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(PCM_FORMAT, 20);
  file.writeUInt16LE(channels, 22);
  file.writeUInt32LE(pcm.sampleRateHz, 24);
  file.writeUInt32LE(pcm.sampleRateHz * channels * 2, 28);
  file.writeUInt16LE(channels * 2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(dataBytes, 40);
  let offset = 44;
  for (let frame = 0; frame < pcm.samples.length; frame++) {
    const value = Math.max(-32_768, Math.min(32_767, Math.round(pcm.samples[frame]! * 32_768)));
    for (let channel = 0; channel < channels; channel++) {
      file.writeInt16LE(value, offset);
      offset += 2;
    }
  }
  return file;
}

/** A sine; 0 dBFS is a sine that just reaches full scale. */
export function sine(frequencyHz: number, levelDbfs: number, seconds: number, sampleRateHz: number): Pcm {
  const samples = new Float32Array(Math.round(seconds * sampleRateHz));
  const amplitude = 10 ** (levelDbfs / 20);
  for (let index = 0; index < samples.length; index++) {
    samples[index] = amplitude * Math.sin((2 * Math.PI * frequencyHz * index) / sampleRateHz);
  }
  return { sampleRateHz, samples };
}
