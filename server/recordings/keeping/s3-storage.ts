import { open, rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { writeFileBy } from '../../write-file.ts';
import type { PutOptions, RecordingStorage } from './storage.ts';

export interface S3Settings {
  bucket: string;
  /** Such as https://s3.example.com; undefined: Amazon's, by region. */
  endpoint: string | undefined;
  region: string;
  /** Undefined: found as the client library finds them, such as in the environment. */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  /** Before all keys, without `/` at its ends; may be empty. */
  prefix: string;
  /** The bucket in the path and not in the host name, as most servers but Amazon's want it. */
  pathStyle: boolean;
}

/** A server that is there answers; one that is not must not hold up the others for ever. */
const CONNECT_TIMEOUT_MS = 10_000;
const IDLE_TIMEOUT_MS = 60_000;

/** Copies in an S3-compatible object store, through its vendor's client. */
export class S3Storage implements RecordingStorage {
  readonly name: string;
  readonly #settings: S3Settings;
  readonly #client: S3Client;

  constructor(settings: S3Settings) {
    const { bucket, endpoint, region, credentials, pathStyle } = settings;
    this.#settings = settings;
    this.name = `s3://${bucket}`;
    this.#client = new S3Client({
      region,
      forcePathStyle: pathStyle,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(credentials === undefined ? {} : { credentials }),
      // Servers other than Amazon's do not all know the newer checksums; the length is checked, and the transport signed.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: IDLE_TIMEOUT_MS },
    });
  }

  holds(location: string): boolean {
    return location.startsWith(`${this.name}/`);
  }

  async put(key: string, path: string, { contentType, sha256, signal }: PutOptions): Promise<string> {
    const { bucket, prefix } = this.#settings;
    const Key = prefix === '' ? key : `${prefix}/${key}`;
    signal.throwIfAborted();
    const file = await open(path);
    try {
      const Body = file.createReadStream({ autoClose: false });
      const params = { Bucket: bucket, Key, Body, ContentType: contentType, Metadata: { sha256 } };
      await this.#upload(new Upload({ client: this.#client, params }), signal);
      await this.#checkLength(Key, (await file.stat()).size);
    } finally {
      await file.close();
    }
    return `s3://${bucket}/${Key}`;
  }

  async get(location: string, path: string, signal: AbortSignal): Promise<void> {
    const part = `${path}.part`;
    try {
      const command = new GetObjectCommand(this.#place(location));
      await writeFileBy(part, async (file) => {
        const { Body } = await this.#client.send(command, { abortSignal: signal });
        await pipeline(Body as Readable, file, { signal });
      });
      await rename(part, path);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }

  async remove(location: string): Promise<void> {
    await this.#client.send(new DeleteObjectCommand(this.#place(location)));
  }

  close(): void {
    this.#client.destroy();
  }

  async #upload(upload: Upload, signal: AbortSignal): Promise<void> {
    const abort = () => void upload.abort();
    signal.addEventListener('abort', abort);
    try {
      await upload.done();
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  async #checkLength(key: string, bytes: number): Promise<void> {
    const { ContentLength } = await this.#client.send(
      new HeadObjectCommand({ Bucket: this.#settings.bucket, Key: key }),
    );
    if (ContentLength !== bytes) throw new Error(`${key} has ${ContentLength} octets there instead of ${bytes}`);
  }

  #place(location: string): { Bucket: string; Key: string } {
    if (!this.holds(location)) throw new Error(`${location} is not in ${this.name}`);
    return { Bucket: this.#settings.bucket, Key: location.slice(this.name.length + 1) };
  }
}
