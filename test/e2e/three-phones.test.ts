import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BaresipClient } from './clients/baresip-client.ts';
import { LinphoneClient } from './clients/linphone-client.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { RtpEndpoint } from './clients/rtp-endpoint.ts';
import { SippClient } from './clients/sipp-client.ts';
import { assertWhoHearsWhom, edgeTimeMs, type Listener, toneLevelDbfs, type Voice } from './clients/tone-levels.ts';
import { type Pcm, readWav } from './clients/wav-file.ts';

const ROOM = 'e2e-three';
const BARESIP: Voice = { name: 'baresip', frequencyHz: 425, levelDbfs: -12 };
const LINPHONE: Voice = { name: 'linphone', frequencyHz: 1_010, levelDbfs: -12 };
const SIPP: Voice = { name: 'sipp', frequencyHz: 1_640, levelDbfs: -12 };
const VOICES = [BARESIP, LINPHONE, SIPP];
const GONE_WITHIN_MS = 100;

describe.runIf(peersPresent('baresip', 'linphonec', 'sipp', 'ffmpeg'))(
  'three phones of three kinds, with Opus, G.722 and PCMA, in one room',
  () => {
    let parley: Parley;
    let baresip: BaresipClient;
    let linphone: LinphoneClient;
    let sipp: SippClient;
    let sippMedia: RtpEndpoint;
    let recording: { id: string; shortestMs: number; longestMs: number };
    let recordingStarted: { id: string; before: number; after: number } | null = null;
    /** When all were heard, on the clock of `performance`; the recording ran already. */
    let allHeard: { fromMs: number; toMs: number };

    const listeners = (): Listener[] => [
      { name: BARESIP.name, hearing: baresip.hearing() },
      { name: LINPHONE.name, hearing: linphone.hearing() },
      { name: SIPP.name, hearing: sippMedia.hearing() },
    ];

    const startsRecording = async () => {
      const before = performance.now();
      const { id } = await parley.api.startRecording(ROOM);
      return { id, before, after: performance.now() };
    };

    const idOf = async (voice: Voice): Promise<string> => {
      const participants = await parley.api.participants(ROOM);
      const found = participants.find(({ uri }) => uri.includes(`${voice.name}@`));
      if (!found) throw new Error(`${voice.name} is not among ${participants.map(({ uri }) => uri).join(', ')}`);
      return found.id;
    };

    beforeAll(async () => {
      parley = await Parley.start();
      baresip = await BaresipClient.start({ voice: BARESIP, codec: 'opus' });
      linphone = await LinphoneClient.start({ voice: LINPHONE, codec: 'G722 (8000)' });
      sippMedia = await RtpEndpoint.open(SIPP, 'PCMA');
      await baresip.dial(parley.sipUri(ROOM));
      await linphone.dial(parley.sipUri(ROOM));
      sipp = await SippClient.start({
        scenario: 'call-until-bye',
        room: ROOM,
        serverPort: parley.sipPort,
        keys: { tone_port: sippMedia.port },
      });
      await sippMedia.sendToWhoSends(15_000);
    }, 120_000);

    afterAll(async () => {
      await Promise.all([baresip?.stop(), linphone?.stop(), sipp?.stop()]);
      sippMedia?.close();
      await parley?.stop();
    });

    test('the room knows them, with the codec of each', async () => {
      const participants = await eventually(
        'three participants, connected',
        () => parley.api.participants(ROOM),
        (all) => all.length === 3 && all.every(({ state }) => state === 'connected'),
      );
      expect(participants.map(({ audio }) => audio?.codec).sort()).toEqual(['G722', 'PCMA', 'opus']);
    });

    test('each hears both others at their level, and not themselves', async () => {
      // Another attempt finds it running.
      recordingStarted ??= await startsRecording();
      const { after } = recordingStarted;
      const hearsAtPresent = (): void => {
        const toMs = performance.now() - 300;
        const fromMs = toMs - 1_000;
        expect(fromMs, 'from when the recording ran').toBeGreaterThanOrEqual(after);
        assertWhoHearsWhom({ voices: VOICES, listeners: listeners(), fromMs, toMs });
        allHeard = { fromMs, toMs };
      };
      await vi.waitFor(hearsAtPresent, { timeout: 15_000, interval: 200 });
    });

    test('a moderator mutes one over HTTP: the tone is gone from the others within 100 ms, and comes back', async () => {
      const id = await idOf(LINPHONE);
      const mutedAt = performance.now();
      const muted = await parley.api.updateParticipant(ROOM, id, { muted: true });
      expect(muted.muted).toEqual({ by: 'moderator' });
      await pause(1_500);
      const unmutedAt = performance.now();
      await parley.api.updateParticipant(ROOM, id, { muted: false });
      await pause(1_500);

      assertWhoHearsWhom({
        voices: VOICES,
        listeners: listeners(),
        silenced: [LINPHONE.name],
        fromMs: unmutedAt - 900,
        toMs: unmutedAt - 100,
      });
      assertWhoHearsWhom({
        voices: VOICES,
        listeners: listeners(),
        fromMs: unmutedAt + 500,
        toMs: unmutedAt + 1_300,
      });
      for (const [client, hearing] of [
        [{ name: 'sipp', playoutDelayMs: 0 }, sippMedia.hearing()],
        [{ name: 'baresip', playoutDelayMs: baresip.playoutDelayMs }, baresip.hearing()],
      ] as const) {
        const gone = edgeTimeMs(hearing, LINPHONE, 'disappears', mutedAt - 40, mutedAt + 1_000);
        const back = edgeTimeMs(hearing, LINPHONE, 'appears', unmutedAt - 40, unmutedAt + 1_000);
        console.log(
          `at ${client.name}: gone after ${(gone ?? Number.NaN) - mutedAt} ms, back after ${(back ?? Number.NaN) - unmutedAt} ms`,
        );
        expect(gone).not.toBeNull();
        expect(gone! - mutedAt).toBeLessThanOrEqual(GONE_WITHIN_MS + client.playoutDelayMs);
        expect(back).not.toBeNull();
      }
    });

    test('the recording is stopped', async () => {
      const started = recordingStarted!;
      const before = performance.now();
      const view = await parley.api.stopRecording(ROOM, started.id);
      recording = {
        id: view.id,
        shortestMs: before - started.after,
        longestMs: performance.now() - started.before,
      };
      expect(view.state).toBe('stopped');
      expect(view.durationMs).toBeGreaterThanOrEqual(recording.shortestMs - 100);
      expect(view.durationMs).toBeLessThanOrEqual(recording.longestMs + 100);
    });

    test.each(['wav', 'mp4'])(
      'as %s it holds all three tones, and its length is right within 100 ms',
      async (format) => {
        const pcm = decoded(await parley.api.recordingFile(recording.id, format), format);
        const lengthMs = (pcm.samples.length / pcm.sampleRateHz) * 1_000;
        expect(lengthMs).toBeGreaterThanOrEqual(recording.shortestMs - 100);
        expect(lengthMs).toBeLessThanOrEqual(recording.longestMs + 100);
        // Where all were heard, a little narrower: what they heard was recorded some milliseconds before.
        const sampleAt = (atMs: number) => Math.round(((atMs - recordingStarted!.after) / 1_000) * pcm.sampleRateHz);
        const [fromSample, toSample] = [sampleAt(allHeard.fromMs + 100), sampleAt(allHeard.toMs - 200)];
        for (const voice of VOICES) {
          const levelDbfs = toneLevelDbfs(pcm, voice.frequencyHz, fromSample, toSample);
          expect(Math.abs(levelDbfs - voice.levelDbfs), `${voice.name} at ${levelDbfs} dBFS`).toBeLessThanOrEqual(3);
        }
      },
    );

    test('a moderator hangs up on each', async () => {
      for (const { id } of await parley.api.participants(ROOM)) await parley.api.hangUp(ROOM, id);
      await Promise.all([baresip.ended(15_000), linphone.ended(15_000)]);
      const result = await sipp.finished(15_000);
      expect(result.exitCode, result.report).toBe(0);
    });
  },
);

/** Through ffmpeg, as a player would. */
function decoded(file: Buffer, format: string): Pcm {
  const folder = mkdtempSync(join(tmpdir(), 'parley-recording-'));
  try {
    writeFileSync(join(folder, `in.${format}`), file);
    const decode = ['-v', 'error', '-i', `in.${format}`, '-ac', '1', '-ar', '48000', '-c:a', 'pcm_s16le', 'out.wav'];
    execFileSync('ffmpeg', decode, { cwd: folder });
    return readWav(readFileSync(join(folder, 'out.wav')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
