import { join } from 'node:path';
import type { Config } from './config/schema.ts';
import { writeHost } from './sip/message/host.ts';

/** A token is shown when it is made, and to a person at a terminal; other starts may be logged for years. */
function tokenPlace(config: Config): string {
  return config.apiToken === undefined ? `in ${join(config.dataDir, 'api-token')}` : 'the configured one';
}

/** Tells the person who started it where to dial. */
export function announce(
  config: Config,
  ports: { sipPort: number; sipsPort: number | null; httpPort: number },
  { token, created }: { token: string; created: boolean },
): void {
  const host = writeHost(config.publicAddress[0] ?? config.domain);
  const at = (port: number, usual: number) => (port === usual ? host : `${host}:${port}`);
  const everywhere = config.httpBind === '0.0.0.0' || config.httpBind === '::';
  const web = `${everywhere ? host : writeHost(config.httpBind)}:${ports.httpPort}`;
  const secure = config.httpTls ? 's' : '';
  const room = config.rooms[0]?.name ?? 'ROOM';
  const lines = [
    `Dial     sip:${room}@${at(ports.sipPort, 5060)}`,
    ...(ports.sipsPort === null ? [] : [`TLS      sip:${room}@${at(ports.sipsPort, 5061)};transport=tls`]),
    `Browser  ws${secure}://${web}/sip`,
    `Console  http${secure}://${web}/`,
    `API      http${secure}://${web}/api/v1`,
    created || process.stdout.isTTY ? `Token    ${token}` : `Token    ${tokenPlace(config)}`,
  ];
  process.stdout.write(`\n${lines.map((line) => `  ${line}\n`).join('')}\n`);
}
