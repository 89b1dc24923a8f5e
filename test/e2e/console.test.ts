import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { capturedIn } from '../diagnosis/read-pcap.ts';
import { accessibilityFindings } from './clients/page-checks.ts';
import { eventually } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { RefusingPhone } from './clients/refusing-phone.ts';
import { ANN, BEN, CEM, ConsoleScene, THERE, TOKEN } from './console-scene.ts';

describe.runIf(peersPresent('chromium'))("the moderator's console in Chromium", () => {
  const scene = ConsoleScene.inDescribe('console');

  test('lets in with the token alone, which is in no address; says in plain words what is wrong', async () => {
    const { page } = scene.browser;
    await scene.browser.signIn('a wrong one');
    await page.getByText('The token is not right, or it has expired.').waitFor();
    await page.getByLabel('Token').fill(TOKEN);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('link', { name: scene.room }).click();
    await page.getByRole('heading', { level: 1, name: scene.room }).waitFor();
    expect(page.url()).toBe(`${scene.parley.httpUrl}/rooms/${scene.room}`);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: scene.room }).waitFor();
    await scene.browser.button('Sign out').click();
    await page.getByLabel('Token').waitFor();
    expect(await page.evaluate('sessionStorage.length + localStorage.length')).toBe(0);
  });

  test('shows who comes, who talks and who goes, and says it', async () => {
    await scene.browser.openRoom(TOKEN, scene.room);
    await scene.browser.page.getByText('Nobody is here.').waitFor();
    const ann = await scene.dial(ANN);
    await scene.browser.person('ann').waitFor();
    await scene.browser.page.getByTestId('spoken').getByText('ann joined').waitFor();
    await scene.browser.page.locator('li.person.talking').waitFor();
    await eventually(
      'the level is drawn',
      () => scene.browser.page.locator('li.person .level').evaluate((bar) => bar.getAttribute('style') ?? ''),
      (style) => Number(/--level: ([\d.]+)/.exec(style)?.[1] ?? 0) > 0.3,
    );
    await ann.hangUp();
    await scene.browser.person('ann').waitFor({ state: 'detached' });
    await scene.browser.page.getByTestId('spoken').getByText('ann left').waitFor();
  });

  test("mutes: the tone is gone at the other's; one's own mute is known apart", async () => {
    await scene.browser.openRoom(TOKEN, scene.room);
    const [ann, ben] = [await scene.dial(ANN), await scene.dial(BEN)];
    await scene.browser.person('ben').waitFor();
    await scene.hears(ann, BEN);
    await scene.browser.button('Mute ben').click();
    await scene.shows('ben', 'muted by a moderator');
    await scene.hearsNoMore(ann, BEN);
    await scene.browser.button('Unmute ben').click();
    await scene.browser.button('Mute ben').waitFor();
    await scene.hears(ann, BEN);
    await ben.sendKeys('*6');
    await scene.shows('ben', 'muted themselves');
    await ben.sendKeys('*6');
    await scene.call('PATCH', `/rooms/${scene.room}/participants/${await scene.idOf('ann')}`, { role: 'moderator' });
    await scene.browser.button('Mute all but moderators').click();
    await scene.shows('ben', 'muted by a moderator');
    await scene.hears(ben, ANN);
  });

  test('locks: who calls then is refused', async () => {
    await scene.browser.openRoom(TOKEN, scene.room);
    await scene.dial(ANN);
    await scene.dial(BEN);
    await scene.browser.button('Lock the room').click();
    await scene.browser.button('Unlock the room').waitFor();
    await expect(scene.dial(CEM)).rejects.toThrow('403');
    await scene.browser.button('Unlock the room').click();
    await scene.browser.button('Lock the room').waitFor();
    await scene.dial(CEM);
    await scene.browser.person('cem').waitFor();
  });

  test('shows whose hand was raised first, and lowers it', async () => {
    await scene.browser.openRoom(TOKEN, scene.room);
    const [ann, ben] = [await scene.dial(ANN), await scene.dial(BEN)];
    await scene.browser.person('ben').waitFor();
    await ben.sendKeys('*5');
    await scene.browser.person('ben').getByText('raised hand, number').waitFor();
    await ann.sendKeys('*5');
    await scene.browser.person('ann').locator('.hand', { hasText: '2' }).waitFor();
    await scene.browser.button('Lower hand of ben').click();
    await scene.browser.person('ann').locator('.hand', { hasText: '1' }).waitFor();
    expect(await scene.browser.person('ben').locator('.hand').count()).toBe(0);
  });

  test('admits from the lobby, and refuses', async () => {
    await scene.call('PATCH', `/rooms/${scene.room}`, { lobby: true });
    await scene.browser.openRoom(TOKEN, scene.room);
    await scene.dial(ANN);
    const ben = await scene.dial(BEN);
    await scene.browser.button('Admit ann').click();
    await scene.browser.button('Mute ann').waitFor();
    await scene.browser.button('Refuse ben').click();
    await ben.ended(15_000);
    await scene.browser.person('ben').waitFor({ state: 'detached' });
  });

  test('sets role, volume and deafness, moves, and removes', async () => {
    const other = `${scene.room}-other`;
    await scene.call('POST', '/rooms', { name: other });
    await scene.browser.openRoom(TOKEN, scene.room);
    const [ann, ben] = [await scene.dial(ANN), await scene.dial(BEN)];
    await scene.browser.button('More about ann').click();
    await scene.browser.page.getByText(/No fault can be seen from here/).waitFor();
    await scene.browser.page.getByLabel('Role of ann').selectOption('moderator');
    await scene.shows('ann', 'Moderator');
    await scene.browser.button('Make deaf ann').click();
    await scene.shows('ann', 'hears nobody');
    await scene.hearsNoMore(ann, BEN);
    await scene.browser.button('Let hear ann').click();
    await scene.browser.button('Make deaf ann').waitFor();
    await scene.hears(ben, ANN);
    const id = await scene.idOf('ann');
    const slider = scene.browser.page.getByLabel('Heard of ann');
    await slider.focus();
    for (let press = 0; press < 12; press++) await slider.press('ArrowLeft');
    await eventually(
      'she is turned down',
      () => scene.call<{ gainDb: number }>('GET', `/rooms/${scene.room}/participants/${id}`),
      ({ gainDb }) => gainDb === -12,
    );
    await eventually(
      'ben hears less of her',
      () => scene.level(ben, ANN),
      (dbfs) => dbfs < THERE,
    );
    await scene.browser.page.getByLabel('Move ann to').selectOption(other);
    await scene.browser.button('Move ann').click();
    await scene.browser.person('ann').waitFor({ state: 'detached' });
    await scene.browser.button('More about ben').click();
    await scene.browser.button('Remove ben').click();
    await scene.browser.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await ben.ended(10_000);
    await scene.browser.page.getByText('Nobody is here.').waitFor();
  });

  test('says why somebody cannot be heard who sends nothing, and saves the SIP trace', async () => {
    const { page } = scene.browser;
    const cem = await scene.caller(CEM);
    const { status } = await cem.sip.call(scene.parley.sipUri(scene.room)).invite(cem.media.sdp());
    expect(status).toBe(200);
    await scene.browser.openRoom(TOKEN, scene.room);
    await scene.browser.button('More about cem').click();
    await scene.browser
      .person('cem')
      .getByText(/^We have received nothing from the phone since the call was/)
      .waitFor();
    await scene.browser.person('cem').getByText(`the phone gave 127.0.0.1:${cem.media.port}`).waitFor();
    await scene.browser.person('cem').getByText('no media came that could be believed').waitFor();
    await scene.browser.button('Mute cem').click();
    await scene.browser.person('cem').getByText('They are muted by a moderator.').waitFor();
    await scene.browser
      .person('cem')
      .getByText(/muted by a moderator$/)
      .last()
      .waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      scene.browser.button('Download SIP trace of cem').click(),
    ]);
    expect(download.suggestedFilename()).toBe(`${scene.room}-${await scene.idOf('cem')}.pcap`);
    const [invite, ...rest] = capturedIn(readFileSync(await download.path()));
    expect(invite?.text).toMatch(/^INVITE /);
    expect(rest.some(({ text }) => text.startsWith('SIP/2.0 200'))).toBe(true);
  });

  test('calls somebody in, and says what is wrong with an address', async () => {
    const { page } = scene.browser;
    const phone = await RefusingPhone.open('180 Ringing');
    try {
      await scene.browser.openRoom(TOKEN, scene.room);
      await scene.browser.button('Call somebody').click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('SIP address').fill('sip:nobody here');
      await dialog.getByRole('button', { name: 'Call', exact: true }).click();
      await dialog.getByText('This cannot be called').waitFor();
      await dialog.getByLabel('SIP address').fill(phone.uri.replace('sip:', ''));
      await dialog.getByLabel('Name (optional)').fill('Dora');
      await dialog.getByLabel('Role').selectOption('moderator');
      await dialog.getByRole('button', { name: 'Call', exact: true }).click();
      await dialog.waitFor({ state: 'detached' });
      await scene.shows('Dora', 'being called');
      await scene.shows('Dora', 'Moderator');
      await eventually(
        'the phone is called',
        () => phone.methods,
        (methods) => methods.includes('INVITE'),
      );
      await scene.browser.button('More about Dora').click();
      await scene.browser.button('Remove Dora').click();
      await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
      await scene.browser.person('Dora').waitFor({ state: 'detached' });
      await eventually(
        'it is cancelled',
        () => phone.methods,
        (methods) => methods.includes('CANCEL'),
      );
    } finally {
      phone.close();
    }
  });

  test('ends the conference after asking', async () => {
    await scene.browser.openRoom(TOKEN, scene.room);
    const ann = await scene.dial(ANN);
    await scene.browser.person('ann').waitFor();
    await scene.browser.button('End the conference').click();
    await scene.browser.page.keyboard.press('Escape');
    await scene.browser.page.getByRole('dialog').waitFor({ state: 'detached' });
    await scene.browser.button('End the conference').click();
    await scene.browser.page.getByRole('dialog').getByRole('button', { name: 'End the conference' }).click();
    await ann.ended(15_000);
    await scene.browser.page.getByText('Nobody is here.').waitFor();
  });

  test('can be used by keyboard alone, and keeps the focus where it was', async () => {
    const { page } = scene.browser;
    const focused = () => page.evaluate<string>('document.activeElement?.textContent ?? ""');
    const tabTo = async (text: string) => {
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press('Tab');
        if ((await focused()).trim() === text) return;
      }
      throw new Error(`never came to ${text}`);
    };
    await scene.dial(ANN);
    await page.goto('/');
    await page.keyboard.press('Tab');
    await page.keyboard.type(TOKEN);
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: scene.room }).waitFor();
    for (let presses = 0; !(await focused()).startsWith(`${scene.room}1 person`); presses++) {
      if (presses > 60) throw new Error('never came to the room');
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await scene.browser.person('ann').waitFor();
    expect(await focused()).toBe(scene.room);
    await tabTo('Mute ann');
    await page.keyboard.press('Enter');
    await scene.browser.button('Unmute ann').waitFor();
    expect(await focused()).toBe('Unmute ann');
    const ben = await scene.dial(BEN);
    await scene.browser.person('ben').waitFor();
    expect(await focused()).toBe('Unmute ann');
    await tabTo('Mute ben');
    await ben.hangUp();
    await scene.browser.person('ben').waitFor({ state: 'detached' });
    await eventually('the focus is at the heading of the list', focused, (text) => text === '1 person');
  });

  test('goes on without a stream of events, and with it again', async () => {
    const { page } = scene.browser;
    const refuse = { status: 503, contentType: 'application/problem+json', body: '{"code":"too-many-streams"}' };
    await page.route('**/api/v1/events', (route) => route.fulfill(refuse));
    await scene.browser.signIn(TOKEN, `/rooms/${scene.room}`);
    await page.getByText('Every 2 seconds').waitFor();
    await scene.dial(ANN);
    await scene.browser.person('ann').waitFor();
    await scene.browser.button('Mute ann').click();
    await scene.shows('ann', 'muted by a moderator');
    await page.unroute('**/api/v1/events');
    await page.getByText('Live', { exact: true }).waitFor({ timeout: 20_000 });
    await scene.dial(BEN);
    await scene.browser.person('ben').waitFor();
  });

  test('with a token to read, shows and changes nothing; a token that is taken away ends it', async () => {
    const { token, id } = await scene.call<{ token: string; id: string }>('POST', '/tokens', {
      name: 'reader of the tests',
      scope: 'reader',
      room: scene.room,
    });
    await scene.dial(ANN);
    await scene.browser.openRoom(token, scene.room);
    await scene.browser.person('ann').waitFor();
    const buttons = await scene.browser.page.getByRole('button').allInnerTexts();
    expect(buttons.map((text) => text.split('\n')[0])).toEqual(['Sign out', 'More']);
    expect(await scene.browser.page.getByRole('link', { name: /^console/ }).count()).toBe(1);
    await scene.call('DELETE', `/tokens/${id}`);
    await scene.dial(BEN);
    await scene.browser.page.getByText('The token is not right, or it has expired.').waitFor({ timeout: 15_000 });
  });

  test.each([
    { colorScheme: 'light', width: 1_200 },
    { colorScheme: 'dark', width: 1_200 },
    { colorScheme: 'light', width: 360 },
    { colorScheme: 'dark', width: 360 },
  ] as const)('has names, contrast and room enough: $colorScheme, $width px', async ({ colorScheme, width }) => {
    const { page } = scene.browser;
    await scene.call('PATCH', `/rooms/${scene.room}`, {
      lobby: true,
      displayName: 'The board of directors, every Tuesday',
    });
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 780 });
    await page.goto('/');
    await page.getByLabel('Token').waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await scene.browser.openRoom(TOKEN, scene.room);
    const ann = await scene.dial(ANN);
    await scene.dial(BEN);
    await scene.browser.button('Admit ann').click();
    await scene.browser.button('Mute ann').click();
    await ann.sendKeys('*5');
    await scene.browser.button('Lower hand of ann').waitFor();
    await scene.browser.button('More about ann').click();
    await scene.browser.page.getByText('They are muted by a moderator.').waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await scene.browser.button('Call somebody').click();
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.goto('/');
    await page.getByRole('link', { name: 'The board' }).first().waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.setViewportSize({ width: 1_200, height: 800 });
  });
});
