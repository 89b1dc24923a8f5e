import { expect, it } from 'vitest';
import { SpeedByLoad } from '../../mixer/video/speed-by-load.ts';

const seconds = (speed: SpeedByLoad, count: number, load: number): void => {
  for (let second = 0; second < count; second++) speed.measured(load);
};

it('encodes quicker within two seconds of being busy, and does not go beyond the quickest', () => {
  const speed = new SpeedByLoad(4);
  expect([speed.speed, speed.effort]).toEqual(['fast', 1]);
  seconds(speed, 1, 3);
  expect([speed.speed, speed.effort]).toEqual(['fastest', 0]);
  seconds(speed, 5, 4);
  expect(speed.speed).toBe('fastest');
});

it('encodes better after ten calm seconds in a row, one step at a time', () => {
  const speed = new SpeedByLoad(4);
  seconds(speed, 1, 4);
  seconds(speed, 9, 0.5);
  expect(speed.speed).toBe('fastest');
  seconds(speed, 1, 0.5);
  expect(speed.speed).toBe('fast');
  seconds(speed, 9, 0.5);
  // One that is not calm.
  seconds(speed, 1, 2);
  seconds(speed, 9, 0.5);
  expect(speed.speed).toBe('fast');
  seconds(speed, 1, 0.5);
  expect([speed.speed, speed.effort]).toEqual(['good', 2]);
  seconds(speed, 30, 0);
  expect([speed.speed, speed.effort]).toEqual(['good', 2]);
});

it('goes by the share of all cores', () => {
  const large = new SpeedByLoad(16);
  seconds(large, 3, 4);
  expect(large.speed).toBe('fast');
  const small = new SpeedByLoad(2);
  seconds(small, 3, 1.5);
  expect(small.speed).toBe('fastest');
});
