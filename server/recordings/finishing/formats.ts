import type { RecordingFormat } from '../../rooms/views.ts';

export type SoundFormat = Extract<RecordingFormat, 'wav' | 'mp3' | 'm4a' | 'mp4' | 'webm' | 'mkv' | 'ogg' | 'mka'>;
/** Those that have the picture, too, where there is one. */
export type MovieFormat = Extract<SoundFormat, 'mp4' | 'webm' | 'mkv'>;

interface FormatDescription {
  /** What the finished file is called behind `finished-`. */
  name: string;
  contentType: string;
  extension: string;
}

const FORMATS: Record<RecordingFormat, FormatDescription> = {
  wav: { name: 'mix.wav', contentType: 'audio/wav', extension: 'wav' },
  mp3: { name: 'mix.mp3', contentType: 'audio/mpeg', extension: 'mp3' },
  m4a: { name: 'mix.m4a', contentType: 'audio/mp4', extension: 'm4a' },
  mp4: { name: 'mix.mp4', contentType: 'audio/mp4', extension: 'mp4' },
  webm: { name: 'mix.webm', contentType: 'audio/webm', extension: 'webm' },
  mkv: { name: 'mix.mkv', contentType: 'audio/matroska', extension: 'mkv' },
  ogg: { name: 'mix.ogg', contentType: 'audio/ogg', extension: 'ogg' },
  mka: { name: 'mix.mka', contentType: 'audio/matroska', extension: 'mka' }, // RFC 9559 §27.3
  poster: { name: 'poster.jpg', contentType: 'image/jpeg', extension: 'poster.jpg' },
  sheet: { name: 'sheet.jpg', contentType: 'image/jpeg', extension: 'sheet.jpg' },
  zip: { name: 'tracks.zip', contentType: 'application/zip', extension: 'zip' },
  tracks: { name: 'tracks.mka', contentType: 'audio/matroska', extension: 'tracks.mka' },
  png: { name: 'waveform.png', contentType: 'image/png', extension: 'png' },
  vtt: { name: 'captions.vtt', contentType: 'text/vtt; charset=utf-8', extension: 'vtt' },
  jsonl: { name: 'timeline.jsonl', contentType: 'application/jsonl', extension: 'jsonl' },
};

const SOUND: Record<SoundFormat, { codec: readonly string[]; container: readonly string[] }> = {
  // A WAV file ends at 4 GiB, 12 hours of this; RF64 (EBU Tech 3306) goes on.
  wav: { codec: ['-c:a', 'pcm_s16le'], container: ['-rf64', 'auto', '-f', 'wav'] },
  mp3: { codec: ['-c:a', 'libmp3lame', '-b:a', '96k'], container: ['-f', 'mp3'] },
  m4a: { codec: ['-c:a', 'aac', '-b:a', '96k'], container: ['-movflags', '+faststart', '-f', 'ipod'] },
  mp4: { codec: ['-c:a', 'aac', '-b:a', '96k'], container: ['-movflags', '+faststart', '-f', 'mp4'] },
  webm: { codec: ['-c:a', 'libopus', '-b:a', '64k'], container: ['-f', 'webm'] },
  mkv: { codec: ['-c:a', 'libopus', '-b:a', '64k'], container: ['-f', 'matroska'] },
  ogg: { codec: ['-c:a', 'libopus', '-b:a', '64k'], container: ['-f', 'ogg'] },
  mka: { codec: ['-c:a', 'libopus', '-b:a', '64k'], container: ['-f', 'matroska'] },
};

export function isSound(format: RecordingFormat): format is SoundFormat {
  return format in SOUND;
}

export function isMovie(format: RecordingFormat): format is MovieFormat {
  return format === 'mp4' || format === 'webm' || format === 'mkv';
}

/** Only the room's mix is ever brought to a common loudness; all else has one file for both. */
export function canBeNormalized(format: RecordingFormat): boolean {
  return isSound(format);
}

/** @param video whether the recording has a picture. */
export function contentTypeOf(format: RecordingFormat, video: boolean): string {
  const { contentType } = FORMATS[format];
  return video && isMovie(format) ? contentType.replace(/^audio/, 'video') : contentType;
}

/** For the name of a download, without a dot in front. */
export function extensionOf(format: RecordingFormat): string {
  return FORMATS[format].extension;
}

/** What the file is called in the recording's directory, when it is not encrypted. */
export function finishedName(format: RecordingFormat, normalized: boolean): string {
  const { name } = FORMATS[format];
  return normalized ? `finished-${name.replace('.', '-normalized.')}` : `finished-${name}`;
}

/** Opus goes into these as it is. */
export function takesOpus(format: SoundFormat): boolean {
  return format === 'ogg' || format === 'webm' || format === 'mka' || format === 'mkv';
}

export function codecOptions(format: SoundFormat): readonly string[] {
  return SOUND[format].codec;
}

export function containerOptions(format: SoundFormat): readonly string[] {
  return SOUND[format].container;
}
