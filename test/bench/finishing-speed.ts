import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { RecordingFormat } from '../../server/rooms/views.ts';
import type { Parley } from '../e2e/clients/parley.ts';
import { type Signal, writeCapture } from '../recording/captures.ts';
import { GeneratorProcess } from './generator-process.ts';
import { startServer } from './recordings.ts';
import { type TickTimes, tickTimes } from './tick-times.ts';

export interface FinishingFigures {
  minutes: number;
  /** Multiples of real time, while rooms are live beside it. */
  speeds: { format: RecordingFormat; normalized: boolean; timesRealTime: number }[];
  /** Of the live rooms, without finishing beside them and with it. */
  ticksWithout: TickTimes;
  ticksWith: TickTimes;
}

const JOBS: readonly { format: RecordingFormat; normalized: boolean }[] = [
  ...(['wav', 'mp3', 'm4a', 'mp4', 'webm', 'ogg', 'mka', 'png', 'zip', 'tracks'] as const).map((format) => ({
    format,
    normalized: false,
  })),
  { format: 'm4a', normalized: true },
];
const ID = '20260102-030405-0123456789ab';
const LEGS = ['anne', 'bert', 'carl'];
const LIVE_ROOMS = 10;

/** @param seconds for which the ticks are looked at without finishing, and at least so long with it */
export async function measureFinishing(minutes: number, seconds: number): Promise<FinishingFigures> {
  const server = await startServer(false);
  const generator = new GeneratorProcess();
  try {
    await server.crash();
    await writeRecording(join(server.dataDir, 'recordings', ID), minutes * 60_000);
    await server.startAgain();
    const uris = Array.from({ length: LIVE_ROOMS }, (_, room) => server.sipUri(`live-${room}`));
    const load = { codecs: ['PCMU', 'G722', 'opus'] as const, rooms: LIVE_ROOMS, callersPerRoom: 4, talkersPerRoom: 2 };
    const { refusal } = await generator.start({ ...load, target: { kind: 'rooms', sipPort: server.sipPort, uris } });
    if (refusal !== null) throw new Error(`a call was answered ${refusal}`);
    await pause(2_000);
    const [, ticksWithout] = await withTicks(server, () => pause(seconds * 1_000));
    const [speeds, ticksWith] = await withTicks(server, () => finishAll(server, minutes));
    await generator.stop();
    return { minutes, speeds, ticksWithout, ticksWith };
  } finally {
    await generator.end();
    await server.kill();
  }
}

async function withTicks<Result>(server: Parley, act: () => Promise<Result>): Promise<[Result, TickTimes]> {
  const before = await server.metrics();
  const startedMs = performance.now();
  const result = await act();
  const roomSeconds = (LIVE_ROOMS * (performance.now() - startedMs)) / 1_000;
  return [result, tickTimes(before, await server.metrics(), roomSeconds)];
}

async function finishAll(server: Parley, minutes: number): Promise<FinishingFigures['speeds']> {
  const speeds: FinishingFigures['speeds'] = [];
  for (const { format, normalized } of JOBS) {
    const startedMs = performance.now();
    // Nothing is made twice, so this is the time of the making and of handing it out, which is next to none.
    await server.api.recordingFile(ID, format, normalized);
    speeds.push({ format, normalized, timesRealTime: (minutes * 60_000) / (performance.now() - startedMs) });
  }
  return speeds;
}

/** What a mixer and a server would have left of a conference of three. */
async function writeRecording(directory: string, durationMs: number): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const all = [{ fromMs: 0, toMs: durationMs }];
  await writeCapture(join(directory, 'mix-1.mka'), 'opus', all, chatter(0));
  for (const [index, leg] of LEGS.entries()) {
    await writeCapture(
      join(directory, `track-1-${leg}-1.mka`),
      (['PCMU', 'G722', 'opus'] as const)[index]!,
      all,
      chatter(index),
    );
  }
  const startedAt = '2026-01-02T03:04:05.000Z';
  const lines = LEGS.map((leg) => {
    const joined = { type: 'joined', participant: leg, name: leg, uri: `sip:${leg}@127.0.0.1`, role: 'participant' };
    return JSON.stringify({ t: 0, at: startedAt, ...joined });
  });
  writeFileSync(join(directory, 'timeline.jsonl'), `${lines.join('\n')}\n`);
  const entry = {
    ...{ id: ID, room: 'bench', state: 'stopped', startedAt, stoppedAt: startedAt, durationMs, bytes: 1, error: null },
    ...{ startedBy: 'moderator', tracks: true, encrypted: false, participants: LEGS, files: [] },
    parts: [{ number: 1, startMs: 0 }],
  };
  writeFileSync(join(directory, 'recording.json'), JSON.stringify(entry));
}

/** Something for encoders to do: a few tones that come and go. */
function chatter(voice: number): Signal {
  return (seconds) => {
    const syllable = 0.5 + 0.5 * Math.sin(2 * Math.PI * (3 + voice) * seconds);
    return 6_000 * syllable * Math.sin(2 * Math.PI * (300 + 170 * voice + 60 * Math.sin(seconds)) * seconds);
  };
}
