import type { RecordingFileView, RecordingFormat, RecordingView } from '../rooms/views.ts';
import { canBeNormalized, extensionOf } from './finishing/formats.ts';

/** Which file of a recording. */
export interface FileName {
  format: RecordingFormat;
  normalized: boolean;
}

/** Only sound is; of all else there is one file for both. */
export function isNormalized({ format, normalized }: FileName): boolean {
  return normalized && canBeNormalized(format);
}

export function isSameFile(one: FileName, other: FileName): boolean {
  return one.format === other.format && isNormalized(one) === isNormalized(other);
}

export function fileOf({ files }: RecordingView, name: FileName): RecordingFileView | undefined {
  return files.find((file) => isSameFile(file, name));
}

/** For a download: what a user may have put into the room's name is kept only where every system takes it. */
export function downloadName({ room, id }: RecordingView, name: FileName): string {
  const normalized = isNormalized(name) ? '-normalized' : '';
  return `${safeRoom(room)}-${id.slice(0, 15)}${normalized}.${extensionOf(name.format)}`;
}

/** In a store: of plain parts, and unlike that of any other file. */
export function storageKey(view: RecordingView, name: FileName): string {
  return `${safeRoom(view.room)}/${view.id}/${downloadName(view, name)}${view.encrypted ? '.sealed' : ''}`;
}

function safeRoom(room: string): string {
  return room.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 60);
}
