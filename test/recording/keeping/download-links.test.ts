import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DownloadLinks, linkSecret } from '../../../server/recordings/keeping/download-links.ts';

const file = { recording: '20261122-120000-0123456789ab', format: 'm4a', normalized: false };

describe('a download link', () => {
  let nowMs = 1_000_000;
  const links = new DownloadLinks(Buffer.alloc(32, 1), () => nowMs);

  beforeEach(() => {
    nowMs = 1_000_000;
  });

  it('is good for its file until it expires', () => {
    const proof = links.sign(file, 60);
    expect(proof.expires).toBe(1060);
    expect(links.verify(file, proof)).toBe(true);
    nowMs = 1_059_999;
    expect(links.verify(file, proof)).toBe(true);
    nowMs = 1_060_000;
    expect(links.verify(file, proof)).toBe(false);
  });

  it.each([
    ['another recording', { ...file, recording: '20261122-120000-0123456789ac' }],
    ['another format', { ...file, format: 'wav' }],
    ['the normalized file', { ...file, normalized: true }],
  ])('is not good for %s', (_what, other) => {
    expect(links.verify(other, links.sign(file, 60))).toBe(false);
  });

  it('is void with another time, another secret, or a signature that is cut or empty', () => {
    const proof = links.sign(file, 60);
    expect(links.verify(file, { ...proof, expires: proof.expires + 1 })).toBe(false);
    expect(links.verify(file, { ...proof, signature: proof.signature.slice(0, -2) })).toBe(false);
    expect(links.verify(file, { ...proof, signature: '' })).toBe(false);
    const others = new DownloadLinks(Buffer.alloc(32, 2), () => nowMs);
    expect(others.verify(file, proof)).toBe(false);
  });
});

describe('the secret of links', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'parley-links-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is made once, for this user alone', () => {
    const secret = linkSecret(directory);
    expect(secret).toHaveLength(32);
    expect(linkSecret(directory).equals(secret)).toBe(true);
    expect(statSync(join(directory, 'link-secret')).mode & 0o777).toBe(0o600);
  });

  it('is made anew where a full disk left an empty file', () => {
    writeFileSync(join(directory, 'link-secret'), '', { mode: 0o644 });
    const secret = linkSecret(directory);
    expect(secret).toHaveLength(32);
    expect(readFileSync(join(directory, 'link-secret'), 'utf8').trim()).toBe(secret.toString('base64url'));
    expect(statSync(join(directory, 'link-secret')).mode & 0o777).toBe(0o600);
  });
});
