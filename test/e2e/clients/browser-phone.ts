import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { build } from 'vite';
import { LOOPBACK } from './free-ports.ts';
import { PROJECT_FOLDER } from './parley.ts';

/** Nothing of it may reach for the net. */
export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export interface BrowserAccount {
  user: string;
  password?: string;
}

/** What came of a request that JsSIP sent. */
export interface BrowserOutcome {
  status: number | null;
  /** JsSIP's own name for a failure. */
  cause: string | null;
}

/** A MESSAGE that came. */
export interface BrowserText {
  from: string;
  text: string;
}

/** Runs in the page; there is no such thing in Node. */
declare const phone: {
  connect(url: string, account: BrowserAccount): Promise<string>;
  register(): Promise<BrowserOutcome>;
  unregister(): Promise<BrowserOutcome>;
  options(target: string): Promise<BrowserOutcome>;
  message(target: string, text: string): Promise<BrowserOutcome>;
  received(): BrowserText[];
};

/** What the page does; the bundler puts JsSIP in it. */
const PAGE_SCRIPT = `
import JsSIP from 'jssip';
let ua;
const texts = [];
const once = (wire) => new Promise((resolve) => wire(resolve));
const handlers = (resolve) => ({
  succeeded: ({ response }) => resolve({ status: response.status_code, cause: null }),
  failed: ({ response, cause }) => resolve({ status: response ? response.status_code : null, cause }),
});
window.phone = {
  connect: (url, { user, password }) => once((resolve) => {
    const host = new URL(url).hostname;
    ua = new JsSIP.UA({
      sockets: [new JsSIP.WebSocketInterface(url)],
      uri: 'sip:' + user + '@' + host,
      password,
      register: false,
      connection_recovery_min_interval: 3600,
    });
    ua.on('newMessage', ({ originator, message, request }) => {
      if (originator !== 'remote') return;
      texts.push({ from: request.from.uri.toString(), text: request.body });
      message.accept();
    });
    ua.on('connected', () => resolve('connected'));
    ua.on('disconnected', ({ reason }) => resolve('disconnected ' + (reason || '')));
    ua.start();
  }),
  register: () => once((resolve) => {
    ua.once('registered', ({ response }) => resolve({ status: response.status_code, cause: null }));
    ua.once('registrationFailed', ({ response, cause }) => resolve({ status: response?.status_code ?? null, cause }));
    ua.register();
  }),
  unregister: () => once((resolve) => {
    ua.once('unregistered', ({ response }) => resolve({ status: response?.status_code ?? null, cause: null }));
    ua.unregister();
  }),
  options: (target) => once((resolve) => ua.sendOptions(target, null, { eventHandlers: handlers(resolve) })),
  received: () => texts,
  message: (target, text) => once((resolve) => ua.sendMessage(target, text, { eventHandlers: handlers(resolve) })),
};
`;

/** JsSIP in a real Chromium, without a window. */
export class BrowserPhone {
  /** The origin of its page. */
  readonly origin: string;
  /** What the page wrote to its console. */
  readonly console: string[] = [];
  readonly #page: Page;
  readonly #context: BrowserContext;
  readonly #server: Server;
  readonly #folder: string;

  /** `program` is the path of Chromium. */
  static async start(program: string): Promise<BrowserPhone> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-browser-'));
    const script = await bundle(folder);
    const server = createServer((request, response) => {
      const wanted = request.url === '/phone.js';
      response.setHeader('content-type', wanted ? 'text/javascript' : 'text/html');
      response.end(wanted ? script : '<!doctype html><title>phone</title><script src="/phone.js"></script>');
    });
    await new Promise<void>((resolve) => server.listen(0, LOOPBACK, resolve));
    const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
      executablePath: program,
      headless: true,
      args: CHROMIUM_ARGUMENTS,
      ignoreHTTPSErrors: true,
    });
    const origin = `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`;
    return new BrowserPhone(origin, await context.newPage(), context, server, folder);
  }

  private constructor(origin: string, page: Page, context: BrowserContext, server: Server, folder: string) {
    this.origin = origin;
    this.#page = page;
    this.#context = context;
    this.#server = server;
    this.#folder = folder;
    page.on('console', (message) => this.console.push(message.text()));
    page.on('pageerror', (error) => this.console.push(String(error)));
  }

  /** Loads the page anew and connects: `connected`, or why not. */
  async connect(url: string, account: BrowserAccount): Promise<string> {
    await this.#page.goto(this.origin);
    return this.#page.evaluate(([to, who]) => phone.connect(to, who), [url, account] as const);
  }

  register(): Promise<BrowserOutcome> {
    return this.#page.evaluate(() => phone.register());
  }

  unregister(): Promise<BrowserOutcome> {
    return this.#page.evaluate(() => phone.unregister());
  }

  options(target: string): Promise<BrowserOutcome> {
    return this.#page.evaluate((to) => phone.options(to), target);
  }

  message(target: string, text: string): Promise<BrowserOutcome> {
    return this.#page.evaluate(([to, said]) => phone.message(to, said), [target, text] as const);
  }

  /** The MESSAGEs that came since it connected. */
  received(): Promise<BrowserText[]> {
    return this.#page.evaluate(() => phone.received());
  }

  async stop(): Promise<void> {
    await this.#context.close();
    this.#server.close();
    this.#server.closeAllConnections();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The page's script in one piece. */
async function bundle(folder: string): Promise<string> {
  const entry = join(folder, 'phone.js');
  writeFileSync(entry, PAGE_SCRIPT);
  const output = await build({
    configFile: false,
    logLevel: 'silent',
    root: folder,
    resolve: { alias: { jssip: join(PROJECT_FOLDER, 'node_modules/jssip') } },
    build: { write: false, minify: false, lib: { entry, formats: ['iife'], name: 'page' } },
  });
  const [first] = Array.isArray(output) ? output : [output];
  if (first === undefined || !('output' in first)) throw new Error('nothing was bundled');
  return first.output[0].code;
}
