import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { isRunning, Parley, PROJECT_FOLDER } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { ToneCaller } from './clients/tone-caller.ts';

const run = promisify(execFile);
const ANNE = { name: 'anne', frequencyHz: 425, levelDbfs: -12 };
const BERT = { name: 'bert', frequencyHz: 1_010, levelDbfs: -12 };

let callers: ToneCaller[] = [];
afterEach(async () => {
  await Promise.all(callers.map((caller) => caller.stop()));
  callers = [];
});

async function callIn(parley: Parley, voice: typeof ANNE): Promise<ToneCaller> {
  const caller = await ToneCaller.start({ voice, serverPort: parley.sipPort });
  callers.push(caller);
  await caller.dial(parley.sipUri('life'));
  return caller;
}

describe('SIGTERM in the middle of a recorded conference', () => {
  test('says BYE to everybody, finishes the recording and ends within 5 s; the next start has the recording', async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'parley-life-'));
    try {
      const parley = await Parley.start({ video: true, env: { PARLEY_DATA_DIR: dataDir } });
      const anne = await callIn(parley, ANNE);
      const bert = await callIn(parley, BERT);
      const { id } = await parley.api.startRecording('life');
      await pause(2_000);
      const mixers = parley.mixerPids();
      expect(mixers.length).toBeGreaterThan(0);
      const ended = Promise.all([anne.ended(5_000), bert.ended(5_000)]);
      await parley.stop();
      await ended;
      await eventually(
        'no mixer is left',
        () => mixers.filter(isRunning),
        (left) => left.length === 0,
        1_000,
      );
      expect(readdirSync(dataDir)).toContain('recordings');

      const next = await Parley.start({ video: true, env: { PARLEY_DATA_DIR: dataDir } });
      const wav = await next.api.recordingFile(id, 'wav');
      await next.stop();
      expect(wav.toString('latin1', 0, 4)).toBe('RIFF');
      expect(wav.length).toBeGreaterThan(1.5 * 8_000 * 2);
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });

  test('one line of the log for each call’s start and for its end, with the reason', async () => {
    const parley = await Parley.start({ video: true });
    const anne = await callIn(parley, ANNE);
    await pause(500);
    await anne.hangUp();
    await pause(200);
    await callIn(parley, BERT);
    await pause(300);
    const { program } = parley;
    await parley.stop();
    const lines = program.output.split('\n').filter((line) => line.startsWith('{'));
    const entries = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(entries.filter(({ msg }) => msg === 'call started')).toHaveLength(2);
    const ends = entries.filter(({ msg }) => msg === 'call ended');
    expect(ends).toHaveLength(2);
    expect(JSON.stringify(ends[0])).toMatch(/remote-bye/);
    expect(JSON.stringify(ends[1])).toMatch(/stopping/);
    // Nothing is printed per packet: some two hundred of them went through.
    expect(lines.length).toBeLessThan(40);
  });
});

describe('npm start -- --check', () => {
  const check = (env: Record<string, string>, flags: string[] = []) =>
    run(process.execPath, [join(PROJECT_FOLDER, 'dist/server/main.js'), '--check', ...flags], {
      cwd: tmpdir(),
      env: { ...process.env, PARLEY_DATA_DIR: join(tmpdir(), 'parley-checked'), ...env },
    });

  test('says what is in force, starts nothing and ends with 0', async () => {
    const { stdout } = await check({ PARLEY_SIP_PORT: '5999', PARLEY_API_TOKEN: 'very-secret' });
    expect(stdout).toMatch(/sipPort\s+5999\s+PARLEY_SIP_PORT/);
    expect(stdout).not.toContain('very-secret');
  });

  test('says what is wrong and where it comes from, and ends with another code', async () => {
    const failed = await check({ PARLEY_SIP_PORT: 'five' }).then(
      () => null,
      (error: { code: number; stderr: string; stdout: string }) => error,
    );
    expect(failed?.code).toBeGreaterThan(0);
    expect(`${failed?.stderr}${failed?.stdout}`).toMatch(/PARLEY_SIP_PORT/);
  });

  test('a flag that there is not is an error', async () => {
    await expect(check({}, ['--sip-prot', '5060'])).rejects.toThrow();
  });
});
