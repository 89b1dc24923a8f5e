import { cpSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RecordingView } from '../../server/rooms/views.ts';
import { Parley } from '../e2e/clients/parley.ts';
import { pause } from '../e2e/clients/pause.ts';
import { type CheckedRecording, checkRecording } from './check-recording.ts';
import { PACKET_MS } from './coded-sound.ts';
import { FORMATS, KillRun, type KillStory, LATER_FORMATS, ROOM } from './kill-run.ts';
import type { Loss, Round } from './losses.ts';
import { describeKills, table } from './report.ts';

/**
 * `npm run kill [-- --kills N] [--seed S]`: SIGKILL of mixer, server and ffmpeg at random moments over a recorded conference
 * whose sound says when it was said; then everything that was recorded is held against what was said.
 */

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
if (!(kills >= 0) || !Number.isInteger(seed)) {
  console.error('--kills and --seed are whole numbers');
  process.exit(2);
}

const FINISHED_WITHIN_MS = 180_000;
const REPEAT = `npm run kill -- --kills ${kills} --seed ${seed}`;

// So that the server ends with this.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const server = await Parley.start({
  env: {
    PARLEY_AUDIO_MIXERS: '1',
    PARLEY_LOG_LEVEL: 'info',
    PARLEY_ADHOC_ROOMS: 'nobody',
    PARLEY_RECORDING_FORMATS: FORMATS.join(','),
    PARLEY_RECORDING_MIN_FREE_MB: '0',
  },
});
let story: KillStory | null = null;
try {
  story = await new KillRun(server, seed).run(kills, ({ victim }, number) => {
    process.stderr.write(`kill ${number} of ${kills}: ${victim}\n`);
  });
  const checked = await checkAll(story, await allFinished());
  report(checked, story);
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  if (process.exitCode === 1) keep();
  await server.stop().catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  });
}

/** The recordings, when nothing is being made of them any more. */
async function allFinished(): Promise<RecordingView[]> {
  const deadline = performance.now() + FINISHED_WITHIN_MS;
  for (;;) {
    const recordings = await server.api.recordings(ROOM);
    const isBusy = recordings.some(
      ({ state, files }) => state === 'recording' || files.some((file) => ['queued', 'working'].includes(file.state)),
    );
    if (!isBusy) break;
    if (performance.now() > deadline) throw new Error(`not all is finished within ${FINISHED_WITHIN_MS} ms`);
    await pause(100);
  }
  for (const { id, durationMs } of await server.api.recordings(ROOM)) {
    for (const format of durationMs ? LATER_FORMATS : []) await server.api.recordingFile(id, format);
  }
  return server.api.recordings(ROOM);
}

async function checkAll(story: KillStory, recordings: readonly RecordingView[]): Promise<CheckedRecording[]> {
  const rounds = roundsOf(story);
  const checked: CheckedRecording[] = [];
  const { beganAt, late } = story.clock;
  const saidMs = (number: number): number => story.clock.saidMs(number);
  const heard = story.callers.find((caller) => caller.heard.length > 0)?.heard ?? [];
  for (const view of recordings) {
    const zeroMs = Date.parse(view.startedAt) - beganAt;
    const round = rounds.find(({ endMs }) => zeroMs < endMs);
    if (round === undefined) throw new Error(`${view.id} was recorded when nobody was there`);
    const directory = join(server.dataDir, 'recordings', view.id);
    checked.push(await checkRecording({ view, directory, round, zeroMs, late, saidMs, heard }));
    rounds
      .splice(0, rounds.indexOf(round) + 1)
      .slice(0, -1)
      .forEach(unrecorded);
  }
  rounds.forEach(unrecorded);
  return checked;
}

function unrecorded({ beganMs, endMs }: Round): void {
  console.error(`nothing was recorded of what was said from ${beganMs.toFixed(0)} to ${endMs.toFixed(0)} ms`);
  process.exitCode = 1;
}

/** Each time that all three have called. */
function roundsOf({ callers, kills: all }: KillStory): Round[] {
  const count = Math.max(...callers.map(({ spans }) => spans.length));
  return Array.from({ length: count }, (_, index): Round => {
    const said = callers.flatMap(({ voice, spans }) => {
      const span = spans[index];
      return span ? [{ voice, fromMs: span.fromPacket * PACKET_MS, toMs: span.toPacket * PACKET_MS }] : [];
    });
    const beganMs = Math.min(...said.map(({ fromMs }) => fromMs));
    const lastMs = Math.max(...said.map(({ toMs }) => toMs));
    const death = all.find(({ victim, atMs }) => victim === 'server' && Math.abs(atMs - lastMs) < 5 * PACKET_MS);
    const ofMixers = all.filter(({ victim, atMs }) => victim === 'mixer' && atMs >= beganMs && atMs <= lastMs);
    return {
      ...{ beganMs, endMs: lastMs, callers: said, mixerKillsMs: ofMixers.map(({ atMs }) => atMs) },
      endedBy: death === undefined ? 'callers' : 'server',
    };
  });
}

function report(checked: readonly CheckedRecording[], { kills: all, clock }: KillStory): void {
  console.log(`\n${describeKills(all)}; the callers' own clock was late ${clock.late.length} times\n`);
  console.log(table(checked));
  const faults = checked.flatMap(({ id, faults: found }) => found.map((fault) => `${id}: ${fault}`));
  for (const fault of faults) console.log(fault);
  const wrong = checked.filter(({ faults: found }) => found.length > 0).length;
  for (const { id, losses } of checked) for (const loss of losses) tellUnexplained(id, loss);
  console.log(
    wrong === 0
      ? `all ${checked.length} recordings are in order`
      : `${wrong} of ${checked.length} recordings are wrong`,
  );
  if (wrong > 0) process.exitCode = 1;
}

/** What a busy machine costs is lost for those who listen, too: the jitter buffer drops what comes too late. */
function tellUnexplained(id: string, { cause, lostMs, hole, where }: Loss): void {
  if (cause !== 'none' || lostMs < 100) return;
  console.log(`${id}: ${lostMs} ms of ${where} from ${hole.fromMs} ms on, with nothing killed`);
}

function keep(): void {
  const folder = mkdtempSync(join(tmpdir(), 'parley-kill-'));
  const recordings = join(server.dataDir, 'recordings');
  for (const name of readdirSync(recordings)) cpSync(join(recordings, name), join(folder, name), { recursive: true });
  console.error(`the recordings are in ${folder}; again with: ${REPEAT}`);
  console.error(server.logLines().slice(-40).join('\n'));
}
