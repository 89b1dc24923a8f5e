import { describe, expect, it } from 'vitest';
import { rest } from './memory-disk.ts';
import { RecordedRoom } from './recorded-room.ts';

/** A room with tracks in which somebody speaks. */
function spokenIn(): RecordedRoom {
  const stage = new RecordedRoom();
  stage.room.join('one', { codec: 'PCMU', toneHz: 500 });
  return stage;
}

describe('a disk that is full', () => {
  it('ends the recording, once, with what was written; the room goes on', async () => {
    const stage = spokenIn();
    const recording = await stage.record({ tracks: true });
    await stage.run(3000);
    stage.disk.refusesWrites = 'ENOSPC';
    await stage.run(1000);
    expect(stage.failures).toEqual(['the disk is full']);
    await recording.endFailed();
    await stage.run(2000);
    expect(stage.failures).toHaveLength(1);
    expect(stage.disk.closed.sort()).toEqual(['mix-1.mka', 'track-1-one-1.mka']);
    const { blocks } = stage.disk.matroska('mix-1.mka');
    expect(blocks.length).toBeGreaterThanOrEqual(2500 / 20);
    expect(blocks.at(-1)!.atMs).toBe((blocks.length - 1) * 20);
  });

  it.each([
    ['EDQUOT', 'the disk quota is used up'],
    ['EIO', 'the disk failed'],
    ['EROFS', 'the disk is read-only'],
    ['EWHATEVER', 'EWHATEVER'],
  ])('or fails by %s says so', async (code, reason) => {
    const stage = spokenIn();
    await stage.record();
    stage.disk.refusesWrites = code;
    await stage.run(1000);
    expect(stage.failures).toEqual([reason]);
  });
});

describe('a disk that does not answer', () => {
  it('may do so for nearly ten seconds, and nothing is lost', async () => {
    const stage = spokenIn();
    const recording = await stage.record({ tracks: true });
    await stage.run(2000);
    stage.disk.stall();
    await stage.run(9000);
    expect(stage.failures).toEqual([]);
    stage.disk.release();
    await stage.run(2000);
    expect(await stage.end(recording)).toMatchObject({ durationMs: 13_000 });
    expect(stage.disk.matroska('mix-1.mka').blocks).toHaveLength(650);
    const { blocks } = stage.disk.matroska('track-1-one-1.mka');
    for (let i = 1; i < blocks.length; i++) expect(blocks[i]!.atMs - blocks[i - 1]!.atMs).toBe(20);
    expect(stage.failures).toEqual([]);
  });

  it('for longer ends the recording, which is given up after a second; what was stuck is all that it still writes', async () => {
    const stage = spokenIn();
    const recording = await stage.record({ tracks: true });
    await stage.run(2000);
    stage.disk.stall();
    await stage.run(11_500);
    expect(stage.failures).toEqual(['the disk is too slow: ten seconds are waiting to be written']);
    let over = false;
    const ended = recording.endFailed().then(() => {
      over = true;
    });
    await stage.run(900);
    expect(over).toBe(false);
    await stage.run(200);
    await ended;
    expect(stage.disk.closed).toEqual([]);
    stage.disk.release();
    await stage.run(200);
    expect(stage.disk.closed.sort()).toEqual(['mix-1.mka', 'track-1-one-1.mka']);
    const { blocks } = stage.disk.matroska('mix-1.mka');
    expect(blocks.length).toBeLessThan(3000 / 20);
    expect(blocks.length).toBeGreaterThanOrEqual(1500 / 20);
  });

  it('but does so within that second gets all that waited', async () => {
    const stage = spokenIn();
    const recording = await stage.record();
    await stage.run(2000);
    stage.disk.stall();
    await stage.run(11_500);
    expect(stage.failures).toHaveLength(1);
    const ended = recording.endFailed();
    await stage.run(500);
    stage.disk.release();
    await rest();
    await ended;
    expect(stage.disk.closed).toEqual(['mix-1.mka']);
    expect(stage.disk.matroska('mix-1.mka').blocks.length).toBeGreaterThan(12_000 / 20);
  });

  it('does not hold up a room that is closed', async () => {
    const stage = spokenIn();
    const recording = await stage.record();
    await stage.run(1000);
    stage.disk.stall();
    await stage.run(12_000);
    const ended = recording.endFailed();
    stage.room.room.close();
    await ended;
  });

  it('costs little memory, and gives it back', async () => {
    const stage = spokenIn();
    const recording = await stage.record({ tracks: true });
    await stage.run(1000);
    stage.disk.stall();
    await stage.run(9000);
    stage.disk.release();
    await stage.run(2000);
    expect(Math.max(...stage.disk.writes)).toBeLessThan(120_000);
    expect(recording.memoryBytes).toBeLessThanOrEqual(4 * 12 * 1024);
    await stage.end(recording);
    expect(recording.memoryBytes).toBe(0);
  });
});

describe('a file that cannot be made', () => {
  it('refuses the recording, if it is that of the mix', async () => {
    const stage = spokenIn();
    stage.disk.refusesFiles = 'EACCES';
    await expect(stage.record()).rejects.toThrow('EACCES');
    expect(stage.room.room.recordings).toEqual([]);
  });

  it('ends the recording, if it is that of a track', async () => {
    const stage = spokenIn();
    const recording = await stage.record({ tracks: true });
    stage.disk.refusesFiles = 'EMFILE';
    await stage.run(1000);
    expect(stage.failures).toEqual(['too many files are open']);
    await recording.endFailed();
    expect(stage.disk.closed).toEqual(['mix-1.mka']);
  });
});

it('a disk that fails at the very end is told by the recording itself', async () => {
  const stage = spokenIn();
  const recording = await stage.record({ tracks: true });
  await stage.run(600);
  stage.disk.refusesWrites = 'ENOSPC';
  await stage.end(recording);
  await rest();
  expect(recording.failure).toBe('the disk is full');
  expect(stage.failures).toEqual([]);
});

it('what is recorded beside it goes on when a recording ends', async () => {
  const stage = spokenIn();
  const first = await stage.record({ tracks: true });
  const second = await stage.record({ tracks: true, part: 2 });
  await stage.run(1000);
  await stage.end(first);
  await stage.run(1000);
  await stage.end(second);
  expect(stage.disk.matroska('track-2-one-1.mka').blocks.length).toBeGreaterThan(95);
  expect(stage.disk.matroska('mix-2.mka').blocks).toHaveLength(100);
});
