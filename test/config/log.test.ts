import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog, type Log } from '../../server/log.ts';

let directory: string;
let fd: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parley-log-'));
  fd = openSync(join(directory, 'log'), 'w');
});
afterEach(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

async function written(log: Log): Promise<Array<Record<string, unknown>>> {
  await new Promise((resolve) => log.flush(resolve));
  const text = readFileSync(join(directory, 'log'), 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

describe('the log', () => {
  it('is JSON, one line an event, with its time and level in words', async () => {
    const log = createLog({ level: 'info', fd });
    log.info({ call: 'c1', reason: 'remote-bye' }, 'call ended');
    expect(await written(log)).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        call: 'c1',
        reason: 'remote-bye',
        msg: 'call ended',
      },
    ]);
  });

  it('leaves out what is below its level', async () => {
    const log = createLog({ level: 'warn', fd });
    log.info('not told');
    log.warn('told');
    expect((await written(log)).map(({ msg }) => msg)).toEqual(['told']);
  });

  it('hides what is secret, wherever it usually stands', async () => {
    const log = createLog({ level: 'info', fd });
    const secret = 'hush';
    log.info({ apiToken: secret, pin: secret, room: { moderatorPin: secret }, config: { apiToken: secret } });
    log.info({ headers: { authorization: secret }, request: { headers: { 'proxy-authorization': secret } } });
    log.child({ token: secret }).info({ user: { password: secret } }, 'signed in');
    const lines = await written(log);
    expect(lines).toHaveLength(3);
    expect(JSON.stringify(lines)).not.toContain(secret);
    expect(lines[0]).toMatchObject({ apiToken: '(hidden)', room: { moderatorPin: '(hidden)' } });
  });
});
