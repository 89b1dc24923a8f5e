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

  test('is gone when nobody has video any more', async () => {
    const { browser } = scene;
    await enter('anne');
    await browser.openRoom(TOKEN, scene.room);
    await picture().waitFor();
    await callers[0]!.changeVideo(null);
    await picture().waitFor({ state: 'detached' });
  });
});
