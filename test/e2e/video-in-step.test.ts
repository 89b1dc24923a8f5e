import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Parley } from './clients/parley.ts';
import { pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { type Movie, seenLaterMs } from './clients/video/movie.ts';
import { ReceivingProgram, SendingProgram } from './clients/video/program-phone.ts';
import type { PatternVoice } from './clients/video/tone-stream.ts';
import { colourNumberOf, type Name, voiceOf } from './clients/video/video-party.ts';
import { type Places, shows, TOP_LEFT, TOP_RIGHT } from './clients/video/what-is-seen.ts';

const ROOM = 'in-step';
/** The issue's. */
const IN_STEP_MS = 40;
const RECEIVED_MS = 10_000;
/** Until then reports have told of both streams, there and here. */
const SETTLED_MS = 5_000;

/** Nothing of ours is at either end: one program's file goes in, and what comes out is read by the times of another's. */
describe.runIf(peersPresent('sipp', 'ffmpeg'))('programs see what they hear', () => {
  let parley: Parley;
  const stopAll: (() => Promise<void>)[] = [];

  beforeEach(async () => {
    parley = await Parley.start({ video: true, env: { PARLEY_AUDIO_MIXERS: '1' } });
  });
  afterEach(async () => {
    for (const stop of stopAll.splice(0).reverse()) await stop();
    await parley.stop();
  });

  async function started<Program extends { stop(): Promise<void> }>(starting: Promise<Program>): Promise<Program> {
    const program = await starting;
    stopAll.push(() => program.stop());
    return program;
  }

  const who = (name: Name): { voice: PatternVoice; sender: number } => ({
    voice: voiceOf(name),
    sender: colourNumberOf(name),
  });

  function expectInStep(movie: Movie, names: readonly Name[]): void {
    for (const name of names) {
      const { least, median, most } = seenLaterMs(movie, who(name));
      const figures = `${name} is seen ${[least, median, most].map((ms) => ms.toFixed(0)).join(' … ')} ms later than heard`;
      console.log(figures);
      expect(Math.abs(median), figures).toBeLessThanOrEqual(IN_STEP_MS);
    }
  }

  test.each([
    ['H264', 'VP8'],
    ['VP8', 'H264'],
  ] as const)('two of ffmpeg that send %s, and one that receives %s', async (sent, got) => {
    const call = { room: ROOM, serverPort: parley.sipPort };
    for (const name of ['anne', 'bert'] as const) {
      await started(SendingProgram.start({ ...call, ...who(name), name, codec: sent }));
    }
    const receiver = await started(ReceivingProgram.start({ ...call, name: 'cleo', codec: got }));
    await pause(RECEIVED_MS);
    const movie = await receiver.received();
    const frames = movie.frames.filter(({ ms }) => ms > SETTLED_MS);
    // Who only receives is a card, in the third place.
    const places: Places = { [who('anne').sender]: TOP_LEFT, [who('bert').sender]: TOP_RIGHT };
    const right = frames.filter((frame) => shows(frame, places));
    expect(frames.length).toBeGreaterThan(90);
    expect(right.length / frames.length).toBeGreaterThan(0.95);
    expectInStep({ ...movie, frames }, ['anne', 'bert']);
  });
});
