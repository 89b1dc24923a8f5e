import { afterEach, describe, expect, test } from 'vitest';
import { accessibilityFindings } from './clients/page-checks.ts';
import { eventually } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import type { VideoCaller } from './clients/video/video-caller.ts';
import { colourNumberOf, videoCaller } from './clients/video/video-party.ts';
import { codesInFile, LEFT_OF_TWO, RIGHT_OF_TWO, shows } from './clients/video/what-is-seen.ts';
import { ConsoleScene, TOKEN } from './console-scene.ts';

const ANNE = colourNumberOf('anne');
const BERT = colourNumberOf('bert');

describe.runIf(peersPresent('chromium', 'ffmpeg'))('the picture of a room in the console', () => {
  const scene = ConsoleScene.inDescribe('seen', { video: true });
  const callers: VideoCaller[] = [];

  afterEach(async () => {
    for (const caller of callers.splice(0)) await caller.stop();
  });

  const enter = async (name: 'anne' | 'bert'): Promise<void> => {
    const caller = await videoCaller(scene.parley, name);
    callers.push(caller);
    await caller.dial(scene.parley.sipUri(scene.room));
  };
  const opensWithBoth = async (): Promise<void> => {
    await enter('anne');
    await enter('bert');
    await scene.browser.openRoom(TOKEN, scene.room);
  };
  const picture = () => scene.browser.page.getByRole('region', { name: 'Picture of the room' }).getByRole('img');
  const codes = async () => codesInFile(await picture().screenshot());

  test('comes with the first video, moves on, and follows the layout that is chosen', async () => {
    const { browser } = scene;
    await browser.openRoom(TOKEN, scene.room);
    await enter('anne');
    await enter('bert');
    await picture().waitFor();
    const both = { [ANNE]: LEFT_OF_TWO, [BERT]: RIGHT_OF_TWO };
    const [first] = await eventually('both are seen', codes, (seen) => shows({ codes: seen }, both), 10_000);
    await eventually('it moves on', codes, ([next]) => next !== undefined && next.counter !== first?.counter);
    expect(await picture().getAttribute('alt')).toMatch(/anne.*bert/);
    expect(await accessibilityFindings(browser.page)).toEqual([]);

    await browser.page.getByRole('region', { name: 'Picture of the room' }).getByLabel('Layout').selectOption('single');
    await eventually('one alone is seen', codes, (seen) => seen.length === 1 && seen[0]!.rect.width > 0.95);
    const { layout } = await scene.call<{ layout: string }>('GET', `/rooms/${scene.room}`);
    expect(layout).toBe('single');
  });

  test('looks as is said in its settings, which what happens meanwhile does not undo', async () => {
    const { page } = scene.browser;
    await opensWithBoth();
    await picture().waitFor();
    await page.getByRole('button', { name: 'Settings of the picture' }).click();
    const dialog = page.getByRole('dialog', { name: 'Picture of the room' });
    expect(await accessibilityFindings(page)).toEqual([]);
    await dialog.getByLabel('Title').fill('Ünsere Runde');
    await dialog.getByLabel('Theme').selectOption('light');
    await dialog.getByLabel('Size').selectOption('540p');
    await dialog.getByLabel('Pictures a second').fill('15');
    await dialog.getByLabel('Show names').uncheck();
    const muted = page.getByText('muted by a moderator');
    await scene.call('POST', `/rooms/${scene.room}/mute`, { muted: true });
    await muted.first().waitFor({ state: 'attached' });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await scene.call('GET', `/rooms/${scene.room}`)).toMatchObject({
      ...{ videoTitle: 'Ünsere Runde', videoTheme: 'light', videoSize: '540p', videoFps: 15, videoNames: false },
      ...{ videoFill: 'crop', hideSelf: false },
    });
    await page.getByRole('button', { name: 'Settings of the picture' }).click();
    await dialog.getByLabel('Pictures a second').fill('31');
    await dialog.getByRole('button', { name: 'Save' }).click();
    expect(await dialog.isVisible()).toBe(true);
  });

  test('has somebody at the place that a moderator gives them, and figures of their pictures', async () => {
    const { page } = scene.browser;
    await opensWithBoth();
    await page.getByRole('region', { name: 'Picture of the room' }).getByLabel('Layout').selectOption('grid');
    await picture().waitFor();
    await scene.browser.button('More about bert').click();
    await page.getByLabel('Place of bert in the picture').selectOption({ label: '1' });
    const swapped = { [BERT]: LEFT_OF_TWO, [ANNE]: RIGHT_OF_TWO };
    await eventually('bert comes first', codes, (seen) => shows({ codes: seen }, swapped), 10_000);
    const cell = page.getByRole('row', { name: /^Picture/ }).getByRole('cell');
    await eventually(
      'figures',
      async () => (await cell.first().textContent()) ?? '',
      (text) => /^H264, 640 × 360, [1-9]\d*\/s$/.test(text),
      10_000,
    );
  });

  test('is gone when nobody has video any more', async () => {
    const { browser } = scene;
    await enter('anne');
    await browser.openRoom(TOKEN, scene.room);
    await picture().waitFor();
    await callers[0]!.changeVideo(null);
    await picture().waitFor({ state: 'detached' });
  });
});
