import { describe, expect, test } from 'vitest';
import type { ParticipantView } from '../../server/rooms/views.ts';
import { accessibilityFindings } from './clients/page-checks.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { sine, writeWav } from './clients/wav-file.ts';
import { ANN, BEN, CEM, ConsoleScene, THERE, TOKEN } from './console-scene.ts';

const CHIME = { name: 'the chime', frequencyHz: 2_300, levelDbfs: -12 };

describe.runIf(peersPresent('chromium'))('a conference run from the console', () => {
  const scene = ConsoleScene.inDescribe('run');

  test('gives the floor and takes it back: who has it not is not heard', async () => {
    const { browser } = scene;
    await browser.openRoom(TOKEN, scene.room);
    const [ann, ben] = [await scene.dial(ANN), await scene.dial(BEN)];
    await browser.person('ben').waitFor();
    await scene.hears(ann, BEN);
    await browser.button('More about ann').click();
    await browser.button('Give the floor to ann').click();
    await scene.shows('ann', 'has the floor');
    await browser.page.getByTestId('spoken').getByText('ann has the floor').waitFor();
    await browser.page.getByText('only who has the floor is heard').waitFor();
    await scene.hearsNoMore(ann, BEN);
    await scene.hears(ben, ANN);
    await browser.button('More about ben').click();
    await browser.button('Give the floor to ben').click();
    await scene.shows('ben', 'has the floor');
    await scene.hears(ann, BEN);
    await browser.button('Take the floor back from ann').click();
    await browser.button('Give the floor to ann').waitFor();
    await scene.hearsNoMore(ben, ANN);
    await browser.button('Free the floor').click();
    await browser.button('Free the floor').waitFor({ state: 'detached' });
    await scene.hears(ben, ANN);
  });

  test('says who may not be recorded; a slider that was moved away and back follows others', async () => {
    const { browser } = scene;
    const look = async () => scene.call<ParticipantView>('GET', `/rooms/${scene.room}/participants/${id}`);
    await browser.openRoom(TOKEN, scene.room);
    await scene.dial(ANN);
    await browser.button('More about ann').click();
    const id = await scene.idOf('ann');
    const mayBe = browser.page.getByLabel('May be recorded: ann');
    await mayBe.uncheck();
    await scene.shows('ann', 'not recorded');
    expect((await look()).recorded).toBe(false);
    await scene.call('PATCH', `/rooms/${scene.room}/participants/${id}`, { recorded: true });
    await browser.person('ann').getByText('not recorded').waitFor({ state: 'detached' });
    expect(await mayBe.isChecked()).toBe(true);

    const slider = browser.page.getByLabel('Heard of ann');
    const move = (to: string) =>
      slider.evaluate((element, value) => {
        (element as unknown as { value: string }).value = value;
        element.dispatchEvent(new Event('input', { bubbles: true }));
      }, to);
    await move('5');
    await browser.page.getByText('+5 dB').waitFor();
    await move('0');
    await scene.call('PATCH', `/rooms/${scene.room}/participants/${id}`, { gainDb: 7 });
    await browser.page.getByText('+7 dB').waitFor();
    expect(await slider.inputValue()).toBe('7');
  });

  test('sends a text to all, or to one, and says who has got it', async () => {
    const { browser } = scene;
    const { page } = browser;
    await browser.openRoom(TOKEN, scene.room);
    const [ann, ben] = [await scene.dial(ANN), await scene.dial(BEN)];
    await browser.person('ben').waitFor();
    await browser.person('ann').waitFor();
    const text = page.getByLabel('Text', { exact: true });
    await text.fill('Grüße an alle');
    await text.press('Enter');
    await page.getByRole('status').getByText('Delivered to 2 people.').waitFor();
    expect([ann.sip.messages, ben.sip.messages]).toEqual([['Grüße an alle'], ['Grüße an alle']]);
    expect(await text.inputValue()).toBe('');
    await page.getByLabel('To', { exact: true }).selectOption('ben');
    await text.fill('for ben alone');
    await browser.button('Send the text').click();
    await page.getByRole('status').getByText('Delivered to 1 person.').waitFor();
    expect([ann.sip.messages.length, ben.sip.messages[1]]).toEqual([1, 'for ben alone']);
    await ben.hangUp();
    await browser.person('ben').waitFor({ state: 'detached' });
    await text.fill('for ben alone, again');
    await browser.button('Send the text').click();
    await page.getByRole('alert').getByText('They have left already.').waitFor();
    expect(ann.sip.messages).toHaveLength(1);
    await page.getByLabel('To', { exact: true }).selectOption('All who are here');
    await browser.button('Send the text').click();
    await page.getByRole('status').getByText('Delivered to 1 person.').waitFor();
    expect(ann.sip.messages).toHaveLength(2);
    expect(await accessibilityFindings(page)).toEqual([]);
  });

  test('plays a sound that was uploaded to all, with volume, position and stop', async () => {
    const { page } = scene.browser;
    const sound = `chime of ${scene.room}`;
    await scene.browser.openRoom(TOKEN, scene.room);
    const ann = await scene.dial(ANN);
    await scene.browser.person('ann').waitFor();
    await scene.browser.button('Add a sound').click();
    const dialog = page.getByRole('dialog');
    const broken = { name: 'broken.wav', mimeType: 'audio/wav', buffer: Buffer.from('no sound at all') };
    await dialog.getByLabel('Audio file').setInputFiles(broken);
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog
      .getByRole('alert')
      .getByText(/sound|audio/i)
      .waitFor();
    const wav = writeWav(sine(CHIME.frequencyHz, CHIME.levelDbfs, 60, 8_000));
    await dialog.getByLabel('Audio file').setInputFiles({ ...broken, name: 'chime.wav', buffer: wav });
    await dialog.getByLabel('Name').fill(sound);
    expect(await accessibilityFindings(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByLabel('Sound or recording').getByText(`${sound} (1:00)`).waitFor({ state: 'attached' });

    await scene.browser.button('Play into the room').click();
    const playing = page.locator('[data-announcement]');
    await playing.getByText(sound, { exact: true }).first().waitFor();
    await scene.hears(ann, CHIME);
    const position = playing.getByLabel(`Position of ${sound}`);
    await eventually(
      'it goes on',
      async () => Number(await position.inputValue()),
      (seconds) => seconds >= 2,
      10_000,
    );
    await position.fill('40');
    await eventually(
      'it goes on from there',
      async () => Number(await position.inputValue()),
      (seconds) => seconds > 40 && seconds < 50,
    );
    expect(await accessibilityFindings(page)).toEqual([]);
    const before = scene.level(ann, CHIME);
    await playing.getByLabel(`Volume of ${sound}`).fill('-20');
    await eventually(
      'it is quieter',
      () => scene.level(ann, CHIME),
      (dbfs) => dbfs < before - 15 && dbfs > before - 25,
    );
    await scene.browser.button(`Stop ${sound}`).click();
    await playing.waitFor({ state: 'detached' });
    await scene.hearsNoMore(ann, CHIME);

    await scene.browser.button(`Remove the sound ${sound}`).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await page.getByText(`${sound} (1:00)`).waitFor({ state: 'detached' });
  });

  test('plays a recording of the room to who is there later', async () => {
    const { page } = scene.browser;
    const path = `/rooms/${scene.room}/recordings`;
    const ann = await scene.dial(ANN);
    const { id } = await scene.call<{ id: string }>('POST', path, { announced: false });
    await pause(1_500);
    await scene.call('PATCH', `${path}/${id}`, { state: 'stopped' });
    await ann.hangUp();
    const cem = await scene.dial(CEM);
    await scene.browser.openRoom(TOKEN, scene.room);
    await page.getByLabel('Sound or recording').selectOption(`recording ${id}`);
    await page.getByLabel('Again and again').check();
    await scene.browser.button('Play into the room').click();
    await page.locator('[data-announcement]').getByText('again and again').waitFor();
    await eventually(
      'cem hears what ann sent before',
      () => scene.level(cem, ANN),
      (dbfs) => dbfs > THERE,
      10_000,
    );
    await page.locator('[data-announcement]').getByRole('button', { name: /^Stop/ }).click();
    await scene.hearsNoMore(cem, ANN);
  });
});
