/** Somewhere else to keep finished files. */
export interface RecordingStorage {
  /** For log lines: what it is, without secrets. */
  readonly name: string;
  /** Whether that is a place in here: locations are written down, and the configuration may have been another then. */
  holds(location: string): boolean;
  /**
   * Copies the file at `path` to `key`, a path of plain parts joined by `/`; says where it is then. A copy is whole or not
   * there. Rejects when it could not be stored.
   */
  put(key: string, path: string, options: PutOptions): Promise<string>;
  /** Copies what `put` said back to `path`, which is whole or not there. Rejects when it could not be had. */
  get(location: string, path: string, signal: AbortSignal): Promise<void>;
  /** Does nothing when it is gone. */
  remove(location: string): Promise<void>;
  close(): void;
}

export interface PutOptions {
  contentType: string;
  /** Hexadecimal, of the bytes of the file. */
  sha256: string;
  signal: AbortSignal;
}
