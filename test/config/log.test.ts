import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../server/log.ts';

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

/** The lines, as soon as so many have been written. */
async function written(count: number): Promise<Array<Record<string, unknown>>> {
  const lines = () => readFileSync(join(directory, 'log'), 'utf8').split('\n').slice(0, -1);
  await expect.poll(() => lines().length).toBe(count);
  return lines().map((line) => JSON.parse(line));
}

describe('the log', () => {
  it('is JSON, one line an event, with its time and level in words', async () => {
    const log = createLog({ level: 'info', fd });
    log.info({ call: 'c1', reason: 'remote-bye' }, 'call ended');
    expect(await written(1)).toEqual([
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
    expect((await written(1)).map(({ msg }) => msg)).toEqual(['told']);
  });

  it('hides what is secret, wherever it usually stands', async () => {
    const log = createLog({ level: 'info', fd });
    const secret = 'hush';
    log.info({ apiToken: secret, pin: secret, room: { moderatorPin: secret }, config: { apiToken: secret } });
    log.info({ headers: { authorization: secret }, request: { headers: { 'proxy-authorization': secret } } });
    log.child({ token: secret }).info({ user: { password: secret } }, 'signed in');
    const lines = await written(3);
    expect(JSON.stringify(lines)).not.toContain(secret);
    expect(lines[0]).toMatchObject({ apiToken: '(hidden)', room: { moderatorPin: '(hidden)' } });
  });
});
