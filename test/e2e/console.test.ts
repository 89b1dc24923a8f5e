import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { capturedIn } from '../diagnosis/read-pcap.ts';
import { ConsoleBrowser } from './clients/console-browser.ts';
import { accessibilityFindings } from './clients/page-checks.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { RefusingPhone } from './clients/refusing-phone.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { heardLevelDbfs, toneLevelDbfs } from './clients/tone-levels.ts';
import { readWav } from './clients/wav-file.ts';

const CHROMIUM = '/usr/bin/chromium';
const TOKEN = 'token-of-the-console-tests';

const ANN = { name: 'ann', frequencyHz: 425, levelDbfs: -12 };
const BEN = { name: 'ben', frequencyHz: 1_010, levelDbfs: -12 };
const CEM = { name: 'cem', frequencyHz: 1_750, levelDbfs: -12 };
const THERE = -20;
const GONE = -45;

describe.runIf(peersPresent('chromium'))("the moderator's console in Chromium", () => {
  let parley: Parley;
  let browser: ConsoleBrowser;
  let room = '';
  let serial = 0;
  const callers: ToneCaller[] = [];

  beforeAll(async () => {
    parley = await Parley.start({ env: { PARLEY_API_TOKEN: TOKEN, PARLEY_AUDIO_MIXERS: '1' } });
    browser = await ConsoleBrowser.start({ program: CHROMIUM, url: parley.httpUrl });
  }, 60_000);

  afterAll(async () => {
    await browser?.stop();
    await parley?.stop();
  });

  beforeEach(async () => {
    room = `console${++serial}`;
    await call('POST', '/rooms', { name: room });
  });

  afterEach(async () => {
    for (const caller of callers.splice(0)) await caller.stop();
    await browser.page.evaluate('sessionStorage.clear()').catch(() => {});
    expect(browser.complaints).toEqual([]);
    expect(browser.elsewhere).toEqual([]);
  });

  async function call<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const response = await fetch(`${parley.httpUrl}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (response.status === 204 ? undefined : response.json()) as Answer;
  }

  async function dial(voice: typeof ANN, to = room): Promise<ToneCaller> {
    const caller = await ToneCaller.start({ voice, serverPort: parley.sipPort });
    callers.push(caller);
    await caller.dial(parley.sipUri(to));
    return caller;
  }

  /** The level at which one hears another, over the last 400 ms. */
  function level(listener: ToneCaller, voice: typeof ANN): number {
    const toMs = performance.now() - 100;
    return heardLevelDbfs(listener.hearing(), voice.frequencyHz, toMs - 400, toMs);
  }

  const hears = (listener: ToneCaller, voice: typeof ANN) =>
    eventually(
      `${voice.name} is heard`,
      () => level(listener, voice),
      (dbfs) => dbfs > THERE,
    );

  const hearsNoMore = (listener: ToneCaller, voice: typeof ANN) =>
    eventually(
      `${voice.name} is not heard`,
      () => level(listener, voice),
      (dbfs) => dbfs < GONE,
    );

  const shows = (name: string, text: string) => browser.person(name).getByText(text).first().waitFor();

  test('lets in with the token alone, which is in no address; says in plain words what is wrong', async () => {
    const { page } = browser;
    await browser.signIn('a wrong one');
    await page.getByText('The token is not right, or it has expired.').waitFor();
    await page.getByLabel('Token').fill(TOKEN);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: room }).click();
    await page.getByRole('heading', { level: 1, name: room }).waitFor();
    expect(page.url()).toBe(`${parley.httpUrl}/rooms/${room}`);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: room }).waitFor();
    await browser.button('Sign out').click();
    await page.getByLabel('Token').waitFor();
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
  });

  test('shows who comes, who talks and who goes, and says it', async () => {
    await browser.openRoom(TOKEN, room);
    await browser.page.getByText('Nobody is here.').waitFor();
    const ann = await dial(ANN);
    await browser.person('ann').waitFor();
    await browser.page.getByTestId('spoken').getByText('ann joined').waitFor();
    await browser.page.locator('li.person.talking').waitFor();
    await eventually(
      'the level is drawn',
      () => browser.page.locator('li.person .level').evaluate((bar) => bar.getAttribute('style') ?? ''),
      (style) => Number(/--level: ([\d.]+)/.exec(style)?.[1] ?? 0) > 0.3,
    );
    await ann.hangUp();
    await browser.person('ann').waitFor({ state: 'detached' });
    await browser.page.getByTestId('spoken').getByText('ann left').waitFor();
  });

  test("mutes: the tone is gone at the other's; one's own mute is known apart", async () => {
    await browser.openRoom(TOKEN, room);
    const [ann, ben] = [await dial(ANN), await dial(BEN)];
    await browser.person('ben').waitFor();
    await hears(ann, BEN);
    await browser.button('Mute ben').click();
    await shows('ben', 'muted by a moderator');
    await hearsNoMore(ann, BEN);
    await browser.button('Unmute ben').click();
    await browser.button('Mute ben').waitFor();
    await hears(ann, BEN);
    await ben.sendKeys('*6');
    await shows('ben', 'muted themselves');
    await ben.sendKeys('*6');
    await call('PATCH', `/rooms/${room}/participants/${await idOf('ann')}`, { role: 'moderator' });
    await browser.button('Mute all but moderators').click();
    await shows('ben', 'muted by a moderator');
    await hears(ben, ANN);
  });

  async function idOf(name: string): Promise<string> {
    return (await browser.person(name).getAttribute('data-participant')) ?? '';
  }

  test('locks: who calls then is refused', async () => {
    await browser.openRoom(TOKEN, room);
    await dial(ANN);
    await dial(BEN);
    await browser.button('Lock the room').click();
    await browser.button('Unlock the room').waitFor();
    await expect(dial(CEM)).rejects.toThrow('403');
    await browser.button('Unlock the room').click();
    await browser.button('Lock the room').waitFor();
    await dial(CEM);
    await browser.person('cem').waitFor();
  });

  test('shows whose hand was raised first, and lowers it', async () => {
    await browser.openRoom(TOKEN, room);
    const [ann, ben] = [await dial(ANN), await dial(BEN)];
    await browser.person('ben').waitFor();
    await ben.sendKeys('*5');
    await browser.person('ben').getByText('raised hand, number').waitFor();
    await ann.sendKeys('*5');
    await browser.person('ann').locator('.hand', { hasText: '2' }).waitFor();
    await browser.button('Lower hand of ben').click();
    await browser.person('ann').locator('.hand', { hasText: '1' }).waitFor();
    expect(await browser.person('ben').locator('.hand').count()).toBe(0);
  });

  test('admits from the lobby, and refuses', async () => {
    await call('PATCH', `/rooms/${room}`, { lobby: true });
    await browser.openRoom(TOKEN, room);
    await dial(ANN);
    const ben = await dial(BEN);
    await browser.button('Admit ann').click();
    await browser.button('Mute ann').waitFor();
    await browser.button('Refuse ben').click();
    await ben.ended(15_000);
    await browser.person('ben').waitFor({ state: 'detached' });
  });

  test('sets role, volume and deafness, moves, and removes', async () => {
    const other = `${room}-other`;
    await call('POST', '/rooms', { name: other });
    await browser.openRoom(TOKEN, room);
    const [ann, ben] = [await dial(ANN), await dial(BEN)];
    await browser.button('More about ann').click();
    await browser.page.getByText(/No fault can be seen from here/).waitFor();
    await browser.page.getByLabel('Role of ann').selectOption('moderator');
    await shows('ann', 'Moderator');
    await browser.button('Make deaf ann').click();
    await shows('ann', 'hears nobody');
    await hearsNoMore(ann, BEN);
    await browser.button('Let hear ann').click();
    await browser.button('Make deaf ann').waitFor();
    await hears(ben, ANN);
    const id = await idOf('ann');
    const slider = browser.page.getByLabel('Heard of ann');
    await slider.focus();
    for (let press = 0; press < 12; press++) await slider.press('ArrowLeft');
    await eventually(
      'she is turned down',
      () => call<{ gainDb: number }>('GET', `/rooms/${room}/participants/${id}`),
      ({ gainDb }) => gainDb === -12,
    );
    await eventually(
      'ben hears less of her',
      () => level(ben, ANN),
      (dbfs) => dbfs < THERE,
    );
    await browser.page.getByLabel('Move ann to').selectOption(other);
    await browser.button('Move ann').click();
    await browser.person('ann').waitFor({ state: 'detached' });
    await browser.button('More about ben').click();
    await browser.button('Remove ben').click();
    await browser.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await ben.ended(10_000);
    await browser.page.getByText('Nobody is here.').waitFor();
  });

  test('says why somebody cannot be heard who sends nothing, and saves the SIP trace', async () => {
    const { page } = browser;
    const cem = await ToneCaller.start({ voice: CEM, serverPort: parley.sipPort });
    callers.push(cem);
    const { status } = await cem.sip.call(parley.sipUri(room)).invite(cem.media.sdp());
    expect(status).toBe(200);
    await browser.openRoom(TOKEN, room);
    await browser.button('More about cem').click();
    await browser
      .person('cem')
      .getByText(/^We have received nothing from the phone since the call was/)
      .waitFor();
    await browser.person('cem').getByText(`the phone gave 127.0.0.1:${cem.media.port}`).waitFor();
    await browser.person('cem').getByText('no media came that could be believed').waitFor();
    await browser.button('Mute cem').click();
    await browser.person('cem').getByText('They are muted by a moderator.').waitFor();
    await browser
      .person('cem')
      .getByText(/muted by a moderator$/)
      .last()
      .waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      browser.button('Download SIP trace of cem').click(),
    ]);
    expect(download.suggestedFilename()).toBe(`${room}-${await idOf('cem')}.pcap`);
    const [invite, ...rest] = capturedIn(readFileSync(await download.path()));
    expect(invite?.text).toMatch(/^INVITE /);
    expect(rest.some(({ text }) => text.startsWith('SIP/2.0 200'))).toBe(true);
  });

  test('calls somebody in, and says what is wrong with an address', async () => {
    const { page } = browser;
    const phone = await RefusingPhone.open('180 Ringing');
    try {
      await browser.openRoom(TOKEN, room);
      await browser.button('Call somebody').click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('SIP address').fill('sip:nobody here');
      await dialog.getByRole('button', { name: 'Call', exact: true }).click();
      await dialog.getByText('This cannot be called').waitFor();
      await dialog.getByLabel('SIP address').fill(phone.uri.replace('sip:', ''));
      await dialog.getByLabel('Name (optional)').fill('Dora');
      await dialog.getByLabel('Role').selectOption('moderator');
      await dialog.getByRole('button', { name: 'Call', exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
      await shows('Dora', 'being called');
      await shows('Dora', 'Moderator');
      await eventually(
        'the phone is called',
        () => phone.methods,
        (methods) => methods.includes('INVITE'),
      );
      await browser.button('More about Dora').click();
      await browser.button('Remove Dora').click();
      await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
      await browser.person('Dora').waitFor({ state: 'detached' });
      await eventually(
        'it is cancelled',
        () => phone.methods,
        (methods) => methods.includes('CANCEL'),
      );
    } finally {
      phone.close();
    }
  });

  test('records, plays and downloads what was said, and deletes it', async () => {
    const { page } = browser;
    await browser.openRoom(TOKEN, room);
    await dial(ANN);
    await dial(BEN);
    await browser.person('ben').waitFor();
    await browser.button('Record').click();
    await browser.button('Stop recording').waitFor();
    await pause(2_000);
    await browser.button('Stop recording').click();
    await browser.button('Record').waitFor();
    const line = page.locator('[data-recording]');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      line.getByRole('button', { name: /^WAV/ }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(new RegExp(`^${room}-[-\\dT]+\\.wav$`));
    const { samples, sampleRateHz } = readWav(readFileSync(await download.path()));
    const second = toneLevelDbfs({ samples, sampleRateHz }, ANN.frequencyHz, sampleRateHz / 2, sampleRateHz * 1.5);
    expect(second).toBeGreaterThan(THERE);
    await line.getByRole('button', { name: /^Play/ }).click();
    const player = line.locator('audio');
    await eventually(
      'it plays',
      () => player.evaluate((audio) => (audio as unknown as { currentTime: number }).currentTime),
      (seconds) => seconds > 0.2,
      10_000,
    );
    await line.getByRole('button', { name: /^Delete/ }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('There are none.').waitFor();
  });

  test('ends the conference after asking', async () => {
    await browser.openRoom(TOKEN, room);
    const ann = await dial(ANN);
    await browser.person('ann').waitFor();
    await browser.button('End the conference').click();
    await browser.page.keyboard.press('Escape');
    await browser.page.getByRole('dialog').waitFor({ state: 'detached' });
    await browser.button('End the conference').click();
    await browser.page.getByRole('dialog').getByRole('button', { name: 'End the conference' }).click();
    await ann.ended(15_000);
    await browser.page.getByText('Nobody is here.').waitFor();
  });

  test('can be used by keyboard alone, and keeps the focus where it was', async () => {
    const { page } = browser;
    const focused = () => page.evaluate<string>('document.activeElement?.textContent ?? ""');
    const tabTo = async (text: string) => {
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press('Tab');
        if ((await focused()).trim() === text) return;
      }
      throw new Error(`never came to ${text}`);
    };
    await dial(ANN);
    await page.goto('/');
    await page.keyboard.press('Tab');
    await page.keyboard.type(TOKEN);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: room }).waitFor();
    for (let presses = 0; !(await focused()).startsWith(`${room}1 person`); presses++) {
      if (presses > 60) throw new Error('never came to the room');
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await browser.person('ann').waitFor();
    expect(await focused()).toBe(room);
    await tabTo('Mute ann');
    await page.keyboard.press('Enter');
    await browser.button('Unmute ann').waitFor();
    expect(await focused()).toBe('Unmute ann');
    const ben = await dial(BEN);
    await browser.person('ben').waitFor();
    expect(await focused()).toBe('Unmute ann');
    await tabTo('Mute ben');
    await ben.hangUp();
    await browser.person('ben').waitFor({ state: 'detached' });
    await eventually('the focus is at the heading of the list', focused, (text) => text === '1 person');
  });

  test('goes on without a stream of events, and with it again', async () => {
    const { page } = browser;
    const refuse = { status: 503, contentType: 'application/problem+json', body: '{"code":"too-many-streams"}' };
    await page.route('**/api/v1/events', (route) => route.fulfill(refuse));
    await browser.signIn(TOKEN, `/rooms/${room}`);
    await page.getByText('Every 2 seconds').waitFor();
    await dial(ANN);
    await browser.person('ann').waitFor();
    await browser.button('Mute ann').click();
    await shows('ann', 'muted by a moderator');
    await page.unroute('**/api/v1/events');
    await page.getByText('Live', { exact: true }).waitFor({ timeout: 20_000 });
    await dial(BEN);
    await browser.person('ben').waitFor();
  });

  test('with a token to read, shows and changes nothing; a token that is taken away ends it', async () => {
    const { token, id } = await call<{ token: string; id: string }>('POST', '/tokens', {
      name: 'reader of the tests',
      scope: 'reader',
      room,
    });
    await dial(ANN);
    await browser.openRoom(token, room);
    await browser.person('ann').waitFor();
    const buttons = await browser.page.getByRole('button').allInnerTexts();
    expect(buttons.map((text) => text.split('\n')[0])).toEqual(['Sign out', 'More']);
    expect(await browser.page.getByRole('link', { name: /^console/ }).count()).toBe(1);
    await call('DELETE', `/tokens/${id}`);
    await dial(BEN);
    await browser.page.getByText('The token is not right, or it has expired.').waitFor({ timeout: 15_000 });
  });

  test.each([
    { colorScheme: 'light', width: 1_200 },
    { colorScheme: 'dark', width: 1_200 },
    { colorScheme: 'light', width: 360 },
    { colorScheme: 'dark', width: 360 },
  ] as const)('has names, contrast and room enough: $colorScheme, $width px', async ({ colorScheme, width }) => {
    const { page } = browser;
    await call('PATCH', `/rooms/${room}`, { lobby: true, displayName: 'The board of directors, every Tuesday' });
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 780 });
    await page.goto('/');
    await page.getByLabel('Token').waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await browser.openRoom(TOKEN, room);
    const ann = await dial(ANN);
    await dial(BEN);
    await browser.button('Admit ann').click();
    await browser.button('Mute ann').click();
    await ann.sendKeys('*5');
    await browser.button('Lower hand of ann').waitFor();
    await browser.button('More about ann').click();
    await browser.page.getByText('They are muted by a moderator.').waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await browser.button('Call somebody').click();
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.goto('/');
    await page.getByRole('link', { name: 'The board' }).first().waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 1_200, height: 800 });
  });
});
