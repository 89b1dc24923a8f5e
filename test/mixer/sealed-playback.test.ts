import { readFileSync, truncateSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Playbacks } from '../../mixer/playback/playbacks.ts';
import { openSealed } from '../../mixer/playback/sealed-sound.ts';
import { type Sound, Sounds } from '../../mixer/playback/sounds.ts';
import { Sealer } from '../../sealed/sealer.ts';
import { SimulatedRoom } from './simulated-room.ts';
import { anyFile, softTone, WatchedDisk, wavTone } from './sound-files.ts';

const KEY = Buffer.alloc(32, 7);
const RATE_HZ = 16_000;

function sealed(path: string): string {
  const sealer = new Sealer(KEY, 'fixed');
  return anyFile('wav.sealed', Buffer.concat([sealer.seal(readFileSync(path)), sealer.finish()]));
}

/** What is left of a sound, as ticks take it. */
async function taken(sound: Sound, samples: number): Promise<Int16Array> {
  const pcm = new Int16Array(samples);
  const deadlineMs = performance.now() + 20_000;
  for (let at = 0; at < samples; ) {
    const count = sound.take(pcm, at, Math.min(320, samples - at));
    at += count;
    if (sound.failed !== null || performance.now() > deadlineMs) throw new Error(sound.failed ?? `nothing after ${at}`);
    if (count === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(sound.ended).toBe(true);
  sound.close();
  return pcm;
}

describe('an encrypted sound file', () => {
  // The longer one does not go into memory as a whole.
  it.each([2, 150])('of %d s is the same sound, from wherever it is played', async (seconds) => {
    const plain = softTone(RATE_HZ, 440, seconds * 1000);
    const path = sealed(wavTone(440, seconds * 1000, RATE_HZ));
    const sounds = new Sounds(openSealed(KEY));
    const file = await sounds.inspect(path);
    expect(file).toMatchObject({ coding: 'pcm', sampleRateHz: RATE_HZ, samples: plain.length });
    for (const start of [0, 2 * Math.floor(plain.length / 3), plain.length - 2]) {
      const pcm = await taken(await sounds.open(file, start), plain.length - start);
      expect(Buffer.compare(Buffer.from(pcm.buffer), Buffer.from(plain.slice(start).buffer))).toBe(0);
    }
  });

  it('is heard by who hears the room, with its key alone', async () => {
    const room = new SimulatedRoom({ automaticGain: 'off' });
    const listener = room.join('listener', { codec: 'L16/16000' });
    const disk = new WatchedDisk();
    const ended: string[] = [];
    const playbacks = new Playbacks((id, reason) => ended.push(`${id} ${reason}`), new Sounds(disk.openFile));
    const path = sealed(wavTone(1000, 1000, RATE_HZ));
    const play = (playback: string, key?: string): Promise<void> => {
      const sound = { playback, to: { room: 'demo' }, files: [path], gainDb: 0, repeat: false };
      return playbacks.play({ ...sound, ...(key === undefined ? {} : { key }) }, (made) => room.room.play(made));
    };
    const wrong = Buffer.alloc(32, 8).toString('base64');
    const refused = await play('wrong', wrong).catch((error: Error) => error);
    expect(refused).toMatchObject({ code: 'cannot-read', message: expect.stringContaining('wrong-key') });
    expect(String(refused)).not.toContain(wrong);
    await expect(play('none')).rejects.toMatchObject({ code: 'cannot-read' });
    await expect(play('short', 'c2hvcnQ=')).rejects.toMatchObject({
      code: 'bad-request',
      message: 'a key is 32 octets',
    });
    await play('right', KEY.toString('base64'));
    room.run(1500);
    expect(ended).toEqual(['right finished']);
    expect(listener.levelDb(1000, 100, 900)).toBeGreaterThan(-21);
    // It was never open but through its key.
    expect(disk.bytesRead).toBeLessThan(65_536);
  });

  it('that was cut off says so, and is not played', async () => {
    const path = sealed(wavTone(440, 3000, RATE_HZ));
    truncateSync(path, 40_000);
    await expect(new Sounds(openSealed(KEY)).inspect(path)).rejects.toThrow(`${path} `);
  });
});
