import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { paintScene, SMALL } from './scenes.ts';
import { engine } from './some-engine.ts';

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');
const MB = 2 ** 20;

/** How much the process grows in the second half of many rounds. */
async function growth(rounds: number, round: (number: number) => Promise<void>): Promise<number> {
  let half = 0;
  for (let number = 0; number < rounds; number++) {
    await round(number);
    if (number % 50 === 0) collectGarbage();
    // A turn of the event loop, in which what is garbage is freed.
    if (number % 50 === 0) await new Promise(setImmediate);
    if (number === rounds >> 1) half = process.memoryUsage().rss;
  }
  collectGarbage();
  return process.memoryUsage().rss - half;
}

it('keeps nothing of pictures that were encoded, decoded and drawn', { timeout: 60_000 }, async () => {
  const encoder = await engine.openEncoder(SMALL);
  const decoder = engine.openDecoder({ codec: 'H264' });
  const canvas = engine.canvas(SMALL.width, SMALL.height);
  const scaler = engine.pictureScaler();
  paintScene(canvas, 0);
  const grown = await growth(3000, async (number) => {
    const frame = await encoder.encode(canvas, number, number % 20 === 0);
    for (const picture of await decoder.decode(frame!.data, true, number)) {
      scaler.draw(picture, canvas, { x: 100, y: 60, width: 150, height: 100 }, 'crop', { y: 16, u: 128, v: 128 });
      picture.release();
    }
  });
  // 86 kB a picture: all of 1500 would be 129 MB.
  expect(grown).toBeLessThan(20 * MB);
  encoder.close();
  decoder.close();
  canvas.close();
  scaler.close();
});

it('keeps nothing of encoders, decoders, canvases, texts and JPEGs that are closed', { timeout: 60_000 }, async () => {
  const grown = await growth(160, async (number) => {
    const codec = number % 2 === 0 ? 'H264' : 'VP8';
    const encoder = await engine.openEncoder({ ...SMALL, codec, width: 640, height: 360 });
    const decoder = engine.openDecoder({ codec });
    const canvas = engine.canvas(640, 360);
    const scaler = engine.pictureScaler();
    const texts = engine.textRenderer(null);
    const frame = await encoder.encode(canvas, 0, true);
    const [picture] = await decoder.decode(frame!.data, true, 0);
    scaler.draw(picture!, canvas, { x: 0, y: 0, width: 300, height: 200 }, 'fit', { y: 16, u: 128, v: 128 });
    await texts.render(`name ${number}`, 24, 200, false);
    await engine.jpegOf(canvas, 80);
    picture!.release();
    for (const it of [encoder, decoder, canvas, scaler, texts]) it.close();
  });
  // An encoder of this size has some 5 MB, so all of 80 would be 400 MB.
  expect(grown).toBeLessThan(40 * MB);
});
