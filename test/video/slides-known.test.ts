import { expect, it, vi } from 'vitest';
import { SimulatedVideoMixer, scene, videoMedia } from './simulated-video-mixer.ts';

vi.mock('../../mixer/net/media-sockets.ts', async () => {
  const { simulatedSockets } = await import('./simulated-sockets.ts');
  return simulatedSockets();
});

it.each([true, false])(
  'that there are slides is told though nobody shows them, somebody looking: %s',
  async (looks) => {
    const mixer = new SimulatedVideoMixer();
    await mixer.request('openRoom', { room: 'r', scene: scene(['a', 'b']) });
    if (looks) await mixer.open('r', 'b');
    const slides = await mixer.open('r', 'a', videoMedia(), 'slides');
    const sizes = () => mixer.events.flatMap((event) => (event.event === 'streamPicture' ? [event.size] : []));
    // So long that the room has done without them for a while.
    await mixer.pass(5000);
    await mixer.pass(1000, () => slides.sendFrames());
    expect(sizes()).toEqual([{ width: 64, height: 36 }]);
    // Known, and not shown: they need not be decoded any more.
    await mixer.pass(5000, () => slides.sendFrames());
    const { decoded } = mixer.engine;
    await mixer.pass(1000, () => slides.sendFrames());
    expect(mixer.engine.decoded).toBe(decoded);
    await mixer.pass(5000);
    expect(sizes()).toEqual([{ width: 64, height: 36 }, null]);
  },
);
