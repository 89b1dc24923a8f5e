import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adminToken } from '../../server/store/admin-token.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'parley-token-')), 'data');
});
afterEach(() => rmSync(join(dataDir, '..'), { recursive: true }));

describe("the administrator's token", () => {
  it('is made at the first start, and stays', () => {
    const first = adminToken(dataDir, undefined);
    expect(first).toEqual({ token: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/), created: true });
    expect(adminToken(dataDir, undefined)).toEqual({ token: first.token, created: false });
  });

  it('can be read by nobody else', () => {
    adminToken(dataDir, undefined);
    expect(statSync(join(dataDir, 'api-token')).mode & 0o777).toBe(0o600);
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
  });

  it('is another on another server', () => {
    expect(adminToken(dataDir, undefined).token).not.toBe(adminToken(join(dataDir, 'other'), undefined).token);
  });

  it('is the configured one, where there is one, and nothing is written', () => {
    expect(adminToken(dataDir, 'configured')).toEqual({ token: 'configured', created: false });
    expect(() => statSync(dataDir)).toThrow();
  });

  it('is made again when a full disk left an empty file', () => {
    adminToken(dataDir, undefined);
    const path = join(dataDir, 'api-token');
    writeFileSync(path, '\n', { mode: 0o644 });
    const again = adminToken(dataDir, undefined);
    expect(again.created).toBe(true);
    expect(readFileSync(path, 'utf8')).toBe(`${again.token}\n`);
  });
});
