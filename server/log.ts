import pino from 'pino';
import { LogOutput } from './log-output.ts';

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
  const output = new LogOutput(fd);
  process.once('exit', () => output.flushSync());
  return pino(
    {
      level,
      base: null,
      redact,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    output,
  );
}
