import { readFileSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { RecordingFileView, RecordingView, RoomView } from '../../server/rooms/views.ts';
import { someRecording } from '../rooms/some-recording.ts';
import { accessibilityFindings } from './clients/page-checks.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { toneLevelDbfs } from './clients/tone-levels.ts';
import { readWav } from './clients/wav-file.ts';
import { ANN, BEN, ConsoleScene, GONE, THERE, TOKEN } from './console-scene.ts';

const PLAYED_S = (audio: unknown) => (audio as { currentTime: number }).currentTime;

describe.runIf(peersPresent('chromium'))('recordings in the console', () => {
  const scene = ConsoleScene.inDescribe('recorded');

  /** Starts one without a word to the callers, whose tones are measured. */
  async function record(options: { tracks?: boolean } = {}): Promise<Locator> {
    const { page } = scene.browser;
    await scene.browser.button('Record').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Tell everybody').uncheck();
    expect(await accessibilityFindings(page)).toEqual([]);
    await dialog.getByLabel('Keep a track').setChecked(options.tracks ?? false);
    await dialog.getByRole('button', { name: 'Start recording' }).click();
    const running = page.getByRole('region', { name: 'Recording', exact: true });
    await running.getByText('Recording', { exact: true }).waitFor();
    return running;
  }

  /** Of a room with one caller, for so long; the console is not used. */
  async function recordByApi(ms: number): Promise<RecordingView> {
    const path = `/rooms/${scene.room}/recordings`;
    const { id } = await scene.call<RecordingView>('POST', path, { announced: false });
    await pause(ms);
    return scene.call<RecordingView>('PATCH', `${path}/${id}`, { state: 'stopped' });
  }

  const secondsOf = async (running: Locator) => {
    const [minutes, seconds] = (await running.getByRole('timer').innerText()).split(':').map(Number);
    return minutes! * 60 + seconds!;
  };

  test('starts one with options, shows how long it runs, pauses, marks and stops it', async () => {
    const { page } = scene.browser;
    await scene.browser.openRoom(TOKEN, scene.room);
    const ann = await scene.dial(ANN);
    await scene.browser.person('ann').waitFor();
    const running = await record({ tracks: true });
    await running.getByText('with a track of each participant').waitFor();
    await eventually(
      'the time goes on',
      () => secondsOf(running),
      (seconds) => seconds >= 1,
    );
    await running.getByLabel('Mark this moment').fill('a decision');
    await page.keyboard.press('Enter');
    await running.getByText(/^“a decision” is marked at 0:0[1-9]\.$/).waitFor();
    await scene.browser.button('Pause recording').click();
    await running.getByText('Paused', { exact: true }).waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.getByTestId('spoken').getByText('The recording is paused').waitFor();
    const pausedAt = await secondsOf(running);
    await pause(1_500);
    expect(await secondsOf(running)).toBe(pausedAt);
    await scene.browser.button('Go on recording').click();
    await running.getByText('Recording', { exact: true }).waitFor();
    await eventually(
      'it goes on where it was',
      () => secondsOf(running),
      (seconds) => seconds === pausedAt + 1,
    );
    await scene.browser.button('Stop recording').click();
    await running.waitFor({ state: 'detached' });
    await scene.browser.button('Record').waitFor();
    const [recording] = (await scene.call<{ recordings: RecordingView[] }>('GET', `/rooms/${scene.room}/recordings`))
      .recordings;
    expect(recording).toMatchObject({ state: 'stopped', tracks: true, participants: ['ann'] });
    expect(recording!.durationMs! / 1000).toBeGreaterThan(pausedAt);
    expect(recording!.durationMs! / 1000).toBeLessThan(pausedAt + 3);
    // Nobody was told aloud: all that she heard was silence.
    expect(scene.level(ann, BEN)).toBeLessThan(GONE);
  });

  test('plays one over its waveform, leads to who spoke and to marks, and passes files on', async () => {
    const { page } = scene.browser;
    await scene.browser.openRoom(TOKEN, scene.room);
    await scene.dial(ANN);
    await scene.dial(BEN);
    await scene.browser.person('ben').waitFor();
    const running = await record();
    await eventually(
      'two seconds are recorded',
      () => secondsOf(running),
      (seconds) => seconds >= 2,
    );
    await running.getByLabel('Mark this moment').fill('a decision');
    await scene.browser.button('Mark').click();
    await running.getByText('is marked at').waitFor();
    await pause(500);
    await scene.browser.button('Stop recording').click();

    const line = page.locator('[data-recording]');
    await line.getByText('ann, ben').waitFor();
    await line.getByRole('button', { name: /^Play/ }).click();
    const player = line.locator('audio');
    await eventually(
      'it plays',
      () => player.evaluate(PLAYED_S),
      (seconds) => seconds > 0.2,
      10_000,
    );
    await line.getByRole('button', { name: /^0:00 ann$/ }).waitFor();
    await eventually(
      'the waveform is there',
      () =>
        line.locator('.waveform img').evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth),
      (width) => width === 1_200,
      10_000,
    );
    await player.evaluate((audio) => (audio as unknown as { pause(): void }).pause());
    await line.getByRole('button', { name: /^0:0[2-4] a decision$/ }).click();
    await eventually(
      'it plays from the mark on',
      () => player.evaluate(PLAYED_S),
      (seconds) => seconds >= 2,
    );
    await line.locator('.waveform').click({ position: { x: 20, y: 20 } });
    await eventually(
      'it plays from where the picture was pressed',
      () => player.evaluate(PLAYED_S),
      (seconds) => seconds < 2,
    );
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [360, 1_200]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await accessibilityFindings(page)).toEqual([]);
      }
    }
    await line.getByRole('button', { name: /^Close player/ }).click();

    await line.getByRole('button', { name: /^Files/ }).click();
    expect(await line.getByRole('option', { name: /ZIP/ }).count()).toBe(0);
    await line.getByLabel('File of').selectOption('wav');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      line.getByRole('button', { name: /^Download/ }).click(),
    ]);
    await line.getByText(/^It is ready: \d+ kB\.$/).waitFor();
    expect(download.suggestedFilename()).toMatch(new RegExp(`^${scene.room}-[-\\d]+\\.wav$`));
    const { samples, sampleRateHz } = readWav(readFileSync(await download.path()));
    const second = toneLevelDbfs({ samples, sampleRateHz }, ANN.frequencyHz, sampleRateHz / 2, sampleRateHz * 1.5);
    expect(second).toBeGreaterThan(THERE);

    await line.getByRole('button', { name: /^Link/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Good for').selectOption('1 hour');
    await dialog.getByRole('button', { name: 'Make the link' }).click();
    const url = await dialog.getByLabel(/^Link, until/).inputValue();
    const answer = await fetch(url);
    expect(answer.status).toBe(200);
    expect((await answer.arrayBuffer()).byteLength).toBe(readFileSync(await download.path()).length);
    expect((await fetch(url.replace('wav', 'mp3'))).status).toBe(403);
    await scene.browser.allowClipboard();
    await dialog.getByRole('button', { name: 'Copy' }).click();
    await dialog.getByText('It is copied.').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(url);
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });

    await line.getByRole('button', { name: /^Delete/ }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByText('There are none.').waitFor();
    expect((await fetch(url)).status).toBe(404);
  });

  test('shows how far files are that are being made', async () => {
    const { page } = scene.browser;
    const view = await scene.call<RoomView>('GET', `/rooms/${scene.room}`);
    const file = { normalized: false, progress: 0, bytes: null, sha256: null, error: null, stored: null };
    const files: RecordingFileView[] = [
      { ...file, format: 'mp3', state: 'working', progress: 0.45, normalized: true },
      { ...file, format: 'wav', state: 'queued' },
      { ...file, format: 'ogg', state: 'failed', error: 'the disk is full' },
    ];
    const recording = someRecording('one', { room: scene.room, state: 'stopped', durationMs: 61_000, files });
    const state = JSON.stringify({ rooms: [{ ...view, recordings: [recording] }] });
    const body = `event: state\nid: one\ndata: ${state}\n\n`;
    await page.route('**/api/v1/events', (route) => route.fulfill({ contentType: 'text/event-stream', body }));
    await scene.browser.signIn(TOKEN, `/rooms/${scene.room}`);
    const line = page.locator('[data-recording]');
    const bar = line.getByRole('progressbar', { name: 'MP3, even loudness is being made' });
    expect(await bar.getAttribute('value')).toBe('0.45');
    await line.getByText('45 %').waitFor();
    await line.getByText('waits').waitFor();
    await line.getByRole('button', { name: /^Files/ }).click();
    await line.getByLabel('File of').selectOption('ogg');
    await line.getByText('It could not be made: the disk is full. Download tries again.').waitFor();
    expect(await accessibilityFindings(page)).toEqual([]);
    await page.unroute('**/api/v1/events');
  });

  test('finds recordings of all rooms, of closed ones too, and follows what becomes of them', async () => {
    const { page } = scene.browser;
    const ann = await scene.dial(ANN);
    const closed = await recordByApi(1_000);
    await ann.hangUp();
    await scene.call('DELETE', `/rooms/${scene.room}`);
    const first = scene.room;
    scene.room = `${first}-second`;
    await scene.call('POST', '/rooms', { name: scene.room });
    await scene.dial(BEN);

    await scene.browser.signIn(TOKEN);
    await page.getByRole('link', { name: 'All recordings' }).click();
    await page.getByRole('heading', { level: 1, name: 'All recordings' }).waitFor();
    const lines = page.locator('[data-recording]');
    await page.locator(`[data-recording="${closed.id}"]`).waitFor();
    await page.getByLabel('Room or person').fill(`${first} ann`);
    await page.getByText('1 recording', { exact: true }).waitFor();
    await page.getByLabel('Room or person').fill('nobody at all');
    await page.getByText('None is found.').waitFor();
    await page.getByLabel('Room or person').fill('');
    await page.getByLabel('In the room').fill(scene.room);
    await page.getByText('None is found.').waitFor();
    // Begins while it is looked at.
    const second = await recordByApi(1_000);
    await page.getByText('1 recording', { exact: true }).waitFor();
    await lines.getByText('ben').waitFor();
    await page.getByLabel('Until').fill('2020-01-01');
    await page.getByText('None is found.').waitFor();
    await page.getByLabel('Until').fill('');
    await lines.getByRole('button', { name: /^Play/ }).waitFor();
    await scene.call('DELETE', `/recordings/${second.id}`);
    await page.getByText('None is found.').waitFor();

    await page.reload();
    await page.locator(`[data-recording="${closed.id}"]`).getByText(first).waitFor();
    for (const width of [1_200, 360]) {
      await page.setViewportSize({ width, height: 800 });
      expect(await accessibilityFindings(page)).toEqual([]);
    }
    await page.setViewportSize({ width: 1_200, height: 800 });
    await page
      .locator(`[data-recording="${closed.id}"]`)
      .getByRole('button', { name: /^Delete/ })
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.locator(`[data-recording="${closed.id}"]`).waitFor({ state: 'detached' });
  });

  test('shows more of a room than its latest when asked', async () => {
    await scene.dial(ANN);
    for (let number = 0; number < 21; number++) await recordByApi(0);
    await scene.browser.openRoom(TOKEN, scene.room);
    const lines = scene.browser.page.locator('[data-recording]');
    await lines.first().waitFor();
    expect(await lines.count()).toBe(20);
    await scene.browser.button('Show all recordings of the room').click();
    await lines.nth(20).waitFor();
    expect(await lines.count()).toBe(21);
  });

  test('who may only read plays and saves, and changes nothing', async () => {
    const { page } = scene.browser;
    const { token } = await scene.call<{ token: string }>('POST', '/tokens', {
      name: 'reader of recordings',
      scope: 'reader',
      room: scene.room,
    });
    await scene.dial(ANN);
    await recordByApi(1_000);
    await scene.browser.openRoom(token, scene.room);
    const line = page.locator('[data-recording]');
    await line.getByRole('button', { name: /^Play/ }).click();
    await eventually(
      'it plays',
      () => line.locator('audio').evaluate(PLAYED_S),
      (seconds) => seconds > 0.2,
      10_000,
    );
    await line.getByRole('button', { name: /^Files/ }).click();
    await line.getByLabel('File of').selectOption('mp3');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      line.getByRole('button', { name: /^Download/ }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.mp3$/);
    expect(readFileSync(await download.path()).length).toBeGreaterThan(1_000);
    for (const name of [/^Link/, /^Delete/, /^Record$/]) {
      expect(await page.getByRole('button', { name }).count()).toBe(0);
    }
    expect(await page.getByRole('link', { name: 'All recordings' }).count()).toBe(0);
  });
});
