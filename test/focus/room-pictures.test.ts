import { expect, it } from 'vitest';
import { RoomPictures } from '../../server/focus/room-pictures.ts';
import { MixerError } from '../../server/mixers/mixer-channel.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

function pictures() {
  const timers = new VirtualTimers();
  const made: string[] = [];
  const mixers = {
    fails: false,
    has: (room: string) => room !== 'plain',
    async picture(room: string, width: number) {
      made.push(`${timers.now()} ${room} ${width}`);
      if (this.fails) throw new MixerError('mixer-gone', 'it is being started again');
      return Buffer.from(`${room} ${width}`);
    },
  };
  return { timers, made, mixers, pictures: new RoomPictures({ mixers, timers }) };
}

it('one picture is made for all who ask within half a second', async () => {
  const { timers, made, pictures: all } = pictures();
  const [one, other] = await Promise.all([all.of('demo', 600), all.of('demo', 640)]);
  expect([String(one), other === one]).toEqual(['demo 640', true]);
  timers.advance(499);
  await all.of('demo', 640);
  timers.advance(1);
  await all.of('demo', 640);
  expect(made).toEqual(['0 demo 640', '500 demo 640']);
});

it('pictures of other widths wait for their turn, those of other rooms do not; nothing is kept', async () => {
  const { timers, made, pictures: all } = pictures();
  const asked = [160, 161, 1920].map((width) => all.of('demo', width));
  asked.push(all.of('demo', 320), all.of('other', 160));
  await settled();
  for (let turn = 0; turn < 4; turn++) {
    timers.advance(500);
    await settled();
  }
  await Promise.all(asked);
  expect(made).toEqual(['0 demo 160', '0 other 160', '500 demo 320', '1000 demo 1920']);
  expect(timers.pending).toBe(0);
});

it('a room without video has none; a mixer that is being started again says so', async () => {
  const { pictures: all, mixers } = pictures();
  await expect(all.of('plain', 640)).rejects.toMatchObject({ code: 'picture-unavailable' });
  mixers.fails = true;
  await expect(all.of('demo', 640)).rejects.toMatchObject({ code: 'mixer-gone' });
});
