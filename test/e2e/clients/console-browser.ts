import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import { CHROMIUM_ARGUMENTS } from './browser-phone.ts';

export interface ConsoleBrowserOptions {
  /** Path of Chromium. */
  program: string;
  /** The server's, without a path. */
  url: string;
  width?: number;
  height?: number;
  colorScheme?: 'light' | 'dark';
}

/** The moderator's console in a real Chromium, without a window. */
export class ConsoleBrowser {
  readonly page: Page;
  /** What the page complained of: errors, and what its policy forbade. */
  readonly complaints: string[] = [];
  /** Addresses that it asked for which are not the server's. */
  readonly elsewhere: string[] = [];
  readonly #context: BrowserContext;
  readonly #folder: string;
  readonly #first: Required<Pick<ConsoleBrowserOptions, 'width' | 'height' | 'colorScheme'>>;

  static async start(options: ConsoleBrowserOptions): Promise<ConsoleBrowser> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-console-'));
    const { program, url, width = 1_200, height = 800, colorScheme = 'light' } = options;
    const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
      executablePath: program,
      headless: true,
      args: [...CHROMIUM_ARGUMENTS, '--autoplay-policy=no-user-gesture-required'],
      baseURL: url,
      viewport: { width, height },
      colorScheme,
      locale: 'en-GB',
      acceptDownloads: true,
    });
    return new ConsoleBrowser(await context.newPage(), context, folder, { url, width, height, colorScheme });
  }

  private constructor(
    page: Page,
    context: BrowserContext,
    folder: string,
    { url, ...first }: Required<Omit<ConsoleBrowserOptions, 'program'>>,
  ) {
    this.page = page;
    this.#context = context;
    this.#folder = folder;
    this.#first = first;
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (message) => {
      if (/Content Security Policy|Uncaught/.test(message.text())) this.complaints.push(message.text());
    });
    page.on('request', (request) => {
      const asked = request.url();
      if (!asked.startsWith(url) && !asked.startsWith('blob:') && !asked.startsWith('data:'))
        this.elsewhere.push(asked);
    });
  }

  async signIn(token: string, path = '/'): Promise<void> {
    await this.page.goto(path);
    await this.page.getByLabel('Token').fill(token);
    await this.page.getByRole('button', { name: 'Sign in' }).click();
  }

  /** Signs in, and waits until what it shows is live. */
  async openRoom(token: string, room: string): Promise<void> {
    await this.signIn(token, `/rooms/${room}`);
    await this.page.getByText('Live', { exact: true }).waitFor();
  }

  /** The line of somebody in the room. */
  person(name: string): Locator {
    return this.page.locator('li.person').filter({ has: this.page.getByText(name, { exact: true }) });
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** As somebody would who is asked by the browser. */
  async allowClipboard(): Promise<void> {
    await this.#context.grantPermissions(['clipboard-read', 'clipboard-write']);
  }

  /** What a test did to it, as far as it went, is undone: nobody is signed in, and nothing is kept from the server. */
  async asAtFirst(): Promise<void> {
    const { width, height, colorScheme } = this.#first;
    await this.page.unrouteAll({ behavior: 'ignoreErrors' });
    await this.page.setViewportSize({ width, height });
    await this.page.emulateMedia({ colorScheme });
    await this.page.evaluate('sessionStorage.clear()').catch(() => {});
  }

  async stop(): Promise<void> {
    await this.#context.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
