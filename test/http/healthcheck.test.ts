import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createSelfSigned } from '../../server/certificate/self-signed.ts';
import { type RunningApi, startApi } from './running-api.ts';

const HEALTHCHECK = fileURLToPath(new URL('../../docker/healthcheck.mjs', import.meta.url));

/** With what code the health check of the image ends. */
function healthcheck({ port }: Pick<RunningApi, 'port'>, more: Record<string, string>): Promise<number> {
  const env = { PARLEY_HTTP_PORT: String(port), ...more };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [HEALTHCHECK], { env }, () => resolve(child.exitCode ?? -1));
  });
}

it('the image asks the server over HTTP or HTTPS, as it is configured, and finds it well only where it answers', async () => {
  const tls = await createSelfSigned(['conference.example.com'], new Date());
  const [plain, secure] = [await startApi(), await startApi({}, { tls })];
  expect(await healthcheck(plain, { PARLEY_HTTP_BIND: '0.0.0.0' })).toBe(0);
  expect(await healthcheck(secure, { PARLEY_HTTP_TLS: 'true' })).toBe(0);
  expect(await healthcheck(secure, {})).toBe(1);
  expect(await healthcheck({ port: 1 }, {})).toBe(1);
});
