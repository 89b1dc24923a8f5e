import { setTimeout as pause } from 'node:timers/promises';
import { processCpuMs } from '../process-cpu.ts';
import { FIRST_PORT, LAST_PORT, media } from './bench-media.ts';
import { VideoSender } from './video-load.ts';
import { gridScene, VideoProcess } from './video-process.ts';
import type { Source } from './video-sources.ts';

/** What it costs that nobody sees themselves. */
export interface OwnPictureFigures {
  /** They see each other. */
  senders: number;
  /** CPU of the video mixer by the time that passed, and its encoders: all see the same, nobody sees themselves. */
  shared: { load: number; encoders: number };
  apart: { load: number; encoders: number };
}

const ROUNDS = 3;
const ROOM = 'bench';

/** In one process, in turns, so that the machine's speed is the same for both. */
export async function measureOwnPictures(
  sources: readonly Source[],
  { settleSeconds, measureSeconds }: { settleSeconds: number; measureSeconds: number },
): Promise<OwnPictureFigures> {
  const mixer = await VideoProcess.start(FIRST_PORT, LAST_PORT);
  const senders = await Promise.all(sources.map((source) => VideoSender.open(source)));
  try {
    const legs = senders.map((_, index) => `s${index}`);
    const sceneOf = (hideSelf: boolean) => gridScene(legs, [], hideSelf);
    await mixer.request('openRoom', { room: ROOM, scene: sceneOf(false) });
    for (const [index, leg] of legs.entries()) {
      const sender = senders[index]!;
      const stream = { leg, stream: 'main', cname: leg, media: media('sendrecv', sender.port) } as const;
      const { rtpPort } = await mixer.request('openStream', { room: ROOM, ...stream });
      sender.start(rtpPort, index / senders.length);
    }
    await pause(settleSeconds * 1000);
    const sums = { shared: { load: 0, encoders: 0 }, apart: { load: 0, encoders: 0 } };
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, sum] of Object.entries(sums)) {
        await mixer.request('updateRoom', { room: ROOM, scene: sceneOf(name === 'apart') });
        // Encoders that are not needed any more are kept for a while.
        await pause((settleSeconds * 1000) / 3);
        const startedMs = performance.now();
        const cpuMs = processCpuMs(mixer.pid);
        await pause(measureSeconds * 1000);
        sum.load += (processCpuMs(mixer.pid) - cpuMs) / (performance.now() - startedMs) / ROUNDS;
        sum.encoders = (await mixer.request('statistics', {})).encoders;
      }
    }
    return { senders: senders.length, ...sums };
  } finally {
    for (const sender of senders) sender.close();
    mixer.stop();
  }
}
