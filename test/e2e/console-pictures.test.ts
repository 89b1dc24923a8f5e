import { join } from 'node:path';
import { describe, test } from 'vitest';
import type { ParticipantView, RecordingView } from '../../server/rooms/views.ts';
import { PROJECT_FOLDER } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import type { ToneCaller } from './clients/tone-caller.ts';
import { ConsoleScene, TOKEN } from './console-scene.ts';

const PICTURES = join(PROJECT_FOLDER, 'docs/images');

/**
 * Takes the pictures in docs/images: `TAKE_PICTURES=1 npm test -- --project e2e test/e2e/console-pictures.test.ts`. Else it
 * is left out.
 */
describe.runIf(process.env['TAKE_PICTURES'] === '1')('pictures of the console', () => {
  const scene = ConsoleScene.inDescribe('picture', { env: { PARLEY_RECORDING_FORMATS: 'm4a' } });
  const FREQUENCIES_HZ = [310, 420, 540, 660, 770, 880, 990];
  let serial = 0;

  const joins = (name: string, room: string) =>
    scene.dial({ name, frequencyHz: FREQUENCIES_HZ[serial++ % 7]!, levelDbfs: -14 }, room);

  /** Somebody talks: syllables and pauses, the same each time. */
  async function talk(caller: ToneCaller, seconds: number): Promise<void> {
    const until = performance.now() + seconds * 1000;
    for (let step = 0; performance.now() < until; step++) {
      caller.media.silent = false;
      await pause(120 + ((step * 73) % 160));
      caller.media.silent = true;
      await pause(40 + ((step * 131) % 120));
    }
  }

  async function participant(room: string, name: string): Promise<ParticipantView> {
    const found = await eventually(
      `${name} is there`,
      async () =>
        (await scene.call<{ participants: ParticipantView[] }>('GET', `/rooms/${room}/participants`)).participants.find(
          ({ uri }) => uri.includes(`:${name}@`),
        ),
      (view) => view !== undefined,
    );
    return found!;
  }

  const change = async (room: string, name: string, what: object) =>
    scene.call('PATCH', `/rooms/${room}/participants/${(await participant(room, name)).id}`, what);

  test('taken', async () => {
    const { page } = scene.browser;
    await scene.call('DELETE', `/rooms/${scene.room}`);
    await scene.call('POST', '/rooms', { name: 'board', displayName: 'Board' });
    await scene.call('POST', '/rooms', { name: 'choir', displayName: 'Choir rehearsal' });
    await scene.call('POST', '/rooms', { name: 'support', displayName: 'Support' });
    for (const [name, room] of [
      ['fay', 'choir'],
      ['gus', 'support'],
      ['hua', 'support'],
    ] as const) {
      (await joins(name, room)).media.silent = true;
    }
    await scene.call('PATCH', '/rooms/choir', { locked: true });
    const [ann, ben, carla, dora] = [
      await joins('ann', 'board'),
      await joins('ben', 'board'),
      await joins('carla', 'board'),
      await joins('dora', 'board'),
    ];
    for (const one of [ann, ben, carla, dora]) one.media.silent = true;
    await change('board', 'ann', { role: 'moderator' });

    const recordings = '/rooms/board/recordings';
    const first = await scene.call<RecordingView>('POST', recordings, { tracks: true, announced: false });
    const mark = (text: string) => scene.call('POST', `${recordings}/${first.id}/marks`, { text });
    await talk(ann, 5);
    await talk(carla, 4);
    await mark('The budget is agreed');
    await talk(ann, 3);
    await talk(ben, 5);
    await mark('Next meeting: 3 March');
    await Promise.all([talk(ann, 3), talk(carla, 2)]);
    await scene.call('PATCH', `${recordings}/${first.id}`, { state: 'stopped' });

    await scene.call('PATCH', '/rooms/board', { lobby: true });
    await joins('emre', 'board');
    await change('board', 'dora', { muted: true });
    for (const one of [carla, ben]) await one.sendKeys('*5');
    await scene.call('POST', recordings, { tracks: true, announced: false });
    ann.media.silent = false;
    carla.media.silent = false;

    await scene.browser.openRoom(TOKEN, 'board');
    await scene.browser.button('More about carla').click();
    await page.getByText('No fault can be seen from here').waitFor();
    const line = page.locator(`[data-recording="${first.id}"]`);
    await line.getByRole('button', { name: /^Play/ }).click();
    await line.locator('.waveform img').waitFor();
    await line.locator('audio').evaluate((audio) => {
      const player = audio as unknown as { muted: boolean; currentTime: number; pause(): void };
      player.pause();
      player.currentTime = 10.5;
    });
    await line.locator('[aria-current="true"]').first().waitFor();
    for (const [size, viewport] of [
      ['desk', { width: 1_100, height: 760 }],
      ['phone', { width: 390, height: 780 }],
    ] as const) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        for (const [what, top] of [
          ['', 'body'],
          ['details-', 'li.person:has(.details)'],
          ['recordings-', size === 'desk' ? '#announcements-heading' : '#recordings-heading'],
        ] as const) {
          await page.locator(top).evaluate((element) => element.scrollIntoView());
          await page.evaluate('document.activeElement?.blur(); scrollBy(0, -16)');
          // Levels are drawn twice a second.
          await pause(700);
          await page.screenshot({ path: join(PICTURES, `console-${what}${size}-${colorScheme}.png`) });
        }
      }
    }
  }, 180_000);
});
