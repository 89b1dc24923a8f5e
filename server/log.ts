import pino from 'pino';

/** The structured log; `child()` binds what a call or request has in common. */
export type Log = pino.Logger;

/** What is called so holds a secret, at the top of a log line or one level down. */
const secretNames = [
  'authorization',
  'proxyAuthorization',
  '["proxy-authorization"]',
  'token',
  'apiToken',
  'pin',
  'moderatorPin',
  'password',
];

const redact = {
  paths: secretNames.flatMap((name) => {
    const step = name.startsWith('[') ? name : `.${name}`;
    return [name, `*${step}`, `*.headers${step}`];
  }),
  censor: '(hidden)',
};

/** Bytes that may wait for a reader who does not read, before lines are dropped: memory stays bounded. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

export interface LogOptions {
  level: string;
  /** A file descriptor; standard output by default. */
  fd?: number;
}

/**
 * Opens the log: JSON, one line an event, to standard output. Lines are written asynchronously, so that a slow reader
 * never holds up calls; at the end of the process what still waits is written at once.
 */
export function createLog({ level, fd = 1 }: LogOptions): Log {
  const destination = pino.destination({ dest: fd, sync: false, maxLength: MAX_WAITING_BYTES });
  return pino(
    {
      level,
      base: null,
      redact,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
}
