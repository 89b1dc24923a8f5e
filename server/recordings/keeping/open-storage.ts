import type { S3Settings } from './s3-storage.ts';
import type { RecordingStorage } from './storage.ts';

/** Where finished files get a copy; at most one of the two. */
export interface StorageSettings {
  folder?: string | undefined;
  s3?: S3Settings | undefined;
}

/** Null: nowhere. The S3 client is large, and is only loaded by those who use it. */
export async function openStorage({ folder, s3 }: StorageSettings): Promise<RecordingStorage | null> {
  if (s3 !== undefined) {
    const { S3Storage } = await import('./s3-storage.ts');
    return new S3Storage(s3);
  }
  if (folder === undefined) return null;
  const { FolderStorage } = await import('./folder-storage.ts');
  return new FolderStorage(folder);
}
