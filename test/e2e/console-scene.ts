import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { ConsoleBrowser } from './clients/console-browser.ts';
import { Parley, type ParleyOptions } from './clients/parley.ts';
import { eventually } from './clients/pause.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { heardLevelDbfs, type Voice } from './clients/tone-levels.ts';

const CHROMIUM = '/usr/bin/chromium';
export const TOKEN = 'token-of-the-console-tests';

export const ANN = { name: 'ann', frequencyHz: 425, levelDbfs: -12 };
export const BEN = { name: 'ben', frequencyHz: 1_010, levelDbfs: -12 };
export const CEM = { name: 'cem', frequencyHz: 1_750, levelDbfs: -12 };
export const THERE = -20;
export const GONE = -45;

/** A server, the console in Chromium, and for each test a room of its own, and callers who go when it is over. */
export class ConsoleScene {
  parley!: Parley;
  browser!: ConsoleBrowser;
  room = '';
  readonly #callers: ToneCaller[] = [];
  #serial = 0;

  /** To be called in a `describe`: has it made, and taken away again. */
  static inDescribe(
    prefix: string,
    { env = {}, video = false }: Pick<ParleyOptions, 'env' | 'video'> = {},
  ): ConsoleScene {
    const scene = new ConsoleScene();
    beforeAll(async () => {
      scene.parley = await Parley.start({ video, env: { PARLEY_API_TOKEN: TOKEN, PARLEY_AUDIO_MIXERS: '1', ...env } });
      scene.browser = await ConsoleBrowser.start({ program: CHROMIUM, url: scene.parley.httpUrl });
    }, 120_000);
    afterAll(async () => {
      await scene.browser?.stop();
      await scene.parley?.stop();
    });
    beforeEach(async () => {
      scene.room = `${prefix}${++scene.#serial}`;
      await scene.call('POST', '/rooms', { name: scene.room });
    });
    afterEach(async () => {
      for (const caller of scene.#callers.splice(0)) await caller.stop();
      await scene.browser.asAtFirst();
      // Taken out, so that they are of one attempt alone.
      const { complaints, elsewhere } = scene.browser;
      expect([complaints.splice(0), elsewhere.splice(0)]).toEqual([[], []]);
    });
    return scene;
  }

  /** By HTTP, as the administrator. */
  async call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${this.parley.httpUrl}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (response.status === 204 ? undefined : response.json()) as Answer;
  }

  async caller(voice: Voice): Promise<ToneCaller> {
    const caller = await ToneCaller.start({ voice, serverPort: this.parley.sipPort });
    this.#callers.push(caller);
    return caller;
  }

  async dial(voice: Voice, to = this.room): Promise<ToneCaller> {
    const caller = await this.caller(voice);
    await caller.dial(this.parley.sipUri(to));
    return caller;
  }

  /** The level at which one hears a tone, over the last 400 ms. */
  level(listener: ToneCaller, { frequencyHz }: Pick<Voice, 'frequencyHz'>): number {
    const toMs = performance.now() - 100;
    return heardLevelDbfs(listener.hearing(), frequencyHz, toMs - 400, toMs);
  }

  hears(listener: ToneCaller, voice: Voice): Promise<unknown> {
    return eventually(
      `${voice.name} is heard`,
      () => this.level(listener, voice),
      (dbfs) => dbfs > THERE,
    );
  }

  hearsNoMore(listener: ToneCaller, voice: Voice): Promise<unknown> {
    return eventually(
      `${voice.name} is not heard`,
      () => this.level(listener, voice),
      (dbfs) => dbfs < GONE,
    );
  }

  /** Waits until the line of somebody has that in it. */
  shows(name: string, text: string): Promise<void> {
    return this.browser.person(name).getByText(text).first().waitFor();
  }

  async idOf(name: string): Promise<string> {
    return (await this.browser.person(name).getAttribute('data-participant')) ?? '';
  }
}
