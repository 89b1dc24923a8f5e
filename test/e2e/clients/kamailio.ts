import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildProgram } from './child-program.ts';
import { freePort, LOOPBACK, tcpListens } from './free-ports.ts';
import { pause } from './pause.ts';

export interface KamailioOptions {
  /** Where calls go, and over what. */
  serverPort: number;
  serverTransport: 'udp' | 'tcp';
}

/** Record-Route for all calls, so that each request of a dialog comes by; nothing else is known of it. */
function configuration(port: number, { serverPort, serverTransport }: KamailioOptions): string {
  const modules = ['tm', 'sl', 'rr', 'pv', 'maxfwd', 'siputils', 'textops'];
  return `#!KAMAILIO
debug=0
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
dns=off
rev_dns=off
listen=udp:${LOOPBACK}:${port}
listen=tcp:${LOOPBACK}:${port}
${modules.map((name) => `loadmodule "${name}.so"`).join('\n')}
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
  if (has_totag()) {
    if (loose_route()) {
      if (is_method("INVITE")) { record_route(); }
      t_relay();
    } else if (is_method("ACK")) {
      if (t_check_trans()) { t_relay(); }
    } else {
      sl_send_reply("404", "Not Here");
    }
    exit;
  }
  t_check_trans();
  if (is_method("INVITE")) { record_route(); }
  $du = "sip:${LOOPBACK}:${serverPort};transport=${serverTransport}";
  if (!t_relay()) { sl_reply_error(); }
}
`;
}

/** A Kamailio of its own that stands before the server as a proxy, on loopback. */
export class Kamailio {
  readonly port: number;
  readonly #program: ChildProgram;
  readonly #folder: string;

  static async start(options: KamailioOptions): Promise<Kamailio> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-kamailio-'));
    const port = await freePort();
    const config = join(folder, 'kamailio.cfg');
    writeFileSync(config, configuration(port, options));
    // In the foreground, and with little memory: what it has by default is meant for a whole machine.
    const args = ['-DD', '-E', '-f', config, '-Y', folder, '-P', join(folder, 'pid'), '-m', '16', '-M', '4'];
    const program = new ChildProgram('kamailio', args, { cwd: folder });
    const kamailio = new Kamailio(port, program, folder);
    await kamailio.#listening();
    return kamailio;
  }

  private constructor(port: number, program: ChildProgram, folder: string) {
    this.port = port;
    this.#program = program;
    this.#folder = folder;
  }

  sipUri(room: string): string {
    return `sip:${room}@${LOOPBACK}:${this.port}`;
  }

  async stop(): Promise<void> {
    await this.#program.stop('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** It says nothing when it is ready, but listens. */
  async #listening(): Promise<void> {
    for (let attempt = 0; this.#program.running && attempt < 1_000; attempt++) {
      if (tcpListens(this.port)) return;
      await pause(25);
    }
    const { output } = this.#program;
    await this.stop();
    throw new Error(`kamailio does not listen:\n${output.slice(-3_000)}`);
  }
}
