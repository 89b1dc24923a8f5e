import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogOutput } from '../../server/log-output.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parley-log-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Both ends of a pipe, as a supervisor has the other one. */
function pipe(): { reader: number; writer: number } {
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) };
}

function read(fd: number): string {
  const bytes = Buffer.alloc(1 << 20);
  try {
    return bytes.toString('utf8', 0, readSync(fd, bytes));
  } catch {
    return '';
  }
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setImmediate(resolve));
}

describe('the output of the log', () => {
  it('has every line once and in order, those of the last moment too', async () => {
    const path = join(directory, 'log');
    const fd = openSync(path, 'w');
    const output = new LogOutput(fd);
    const lines = Array.from({ length: 1000 }, (_, index) => `line ${index} ä\n`);
    for (const [index, line] of lines.entries()) {
      output.write(line);
      if (index % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => readFileSync(path, 'utf8').length > 0);
    output.flushSync();
    await until(() => readFileSync(path, 'utf8').length >= lines.join('').length);
    expect(readFileSync(path, 'utf8')).toBe(lines.join(''));
    closeSync(fd);
  });

  it('waits for a reader who is slow', async () => {
    const { reader, writer } = pipe();
    const output = new LogOutput(writer);
    const line = `${'x'.repeat(99_999)}\n`;
    for (let count = 0; count < 5; count++) output.write(line);
    let text = '';
    await until(() => {
      text += read(reader);
      return text.length === 5 * line.length;
    });
    expect(text).toBe(line.repeat(5));
    closeSync(reader);
    closeSync(writer);
  });

  it('ends when the reader is gone, and holds nobody up: not even the end of the process', async () => {
    const { reader, writer } = pipe();
    const output = new LogOutput(writer);
    output.write('heard\n');
    await until(() => read(reader) === 'heard\n');
    closeSync(reader);
    output.write('not heard\n');
    output.flushSync();
    await until(() => {
      output.write('nor this\n');
      return output.dropped > 0;
    });
    output.flushSync();
    closeSync(writer);
  });

  it('drops what is too much for a reader who does not read, and gives up on them at the end', async () => {
    const { reader, writer } = pipe();
    const output = new LogOutput(writer);
    const line = `${'x'.repeat(999_999)}\n`;
    for (let count = 0; count < 40; count++) output.write(line);
    expect(output.dropped).toBeGreaterThan(15);
    output.flushSync();
    closeSync(reader);
    closeSync(writer);
  });
});
