import { describe, expect, it } from 'vitest';
import { PictureLateness } from '../../mixer/video/picture-lateness.ts';

function seen(lateness: PictureLateness, lateMs: (index: number) => number, soundDelayMs: number): void {
  for (let index = 0; index < 64; index++) lateness.note(lateMs(index), soundDelayMs);
}

describe('how long sound waits for pictures', () => {
  it('not at all where they are in time, or late by what nobody sees; which is told once', () => {
    const lateness = new PictureLateness();
    seen(lateness, (index) => index % 20, 40);
    expect(lateness.due(40)).toBe(0);
    expect(lateness.due(40)).toBeNull();
  });

  it('so long that nine in ten are in time', () => {
    const lateness = new PictureLateness();
    seen(lateness, (index) => (index % 16 === 0 ? 400 : 150), 40);
    expect(lateness.due(40)).toBe(190);
    // The sound follows: then they are in time, and are what they were.
    seen(lateness, () => 0, 190);
    expect(lateness.due(190)).toBeNull();
  });

  it('longer when they come later, less when they come sooner by much, but never longer than 300 ms', () => {
    const lateness = new PictureLateness();
    seen(lateness, () => 150, 40);
    expect(lateness.due(40)).toBe(190);
    seen(lateness, () => 15, 190);
    expect(lateness.due(190)).toBe(205);
    seen(lateness, () => -20, 205);
    expect(lateness.due(205)).toBeNull();
    seen(lateness, () => -120, 205);
    expect(lateness.due(205)).toBe(85);
    seen(lateness, () => 400, 85);
    expect(lateness.due(85)).toBe(300);
  });

  it('nothing is said of a few', () => {
    const lateness = new PictureLateness();
    for (let index = 0; index < 15; index++) lateness.note(150, 40);
    expect(lateness.due(40)).toBeNull();
    lateness.note(150, 40);
    expect(lateness.due(40)).toBe(190);
    lateness.reset();
    expect(lateness.due(40)).toBeNull();
  });

  it('is looked at again when as many have come as it takes at first', () => {
    const lateness = new PictureLateness();
    seen(lateness, () => 100, 40);
    expect(lateness.due(40)).toBe(140);
    for (let index = 0; index < 15; index++) lateness.note(200, 40);
    expect(lateness.due(40)).toBeNull();
    lateness.note(200, 40);
    expect(lateness.due(40)).toBe(240);
  });
});
