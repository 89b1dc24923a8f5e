import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiClient } from './clients/api-client.ts';
import { Parley } from './clients/parley.ts';
import { eventually, pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { ToneCaller } from './clients/tone-caller.ts';
import { toneLevelDbfs } from './clients/tone-levels.ts';
import { readWav } from './clients/wav-file.ts';

const ANN = { name: 'ann', frequencyHz: 425, levelDbfs: -12 };

describe.runIf(peersPresent('ffmpeg'))('a token for one room', () => {
  let parley: Parley;
  const callers: ToneCaller[] = [];

  beforeAll(async () => {
    parley = await Parley.start({ env: { PARLEY_AUDIO_MIXERS: '1' } });
  });

  afterAll(async () => {
    for (const caller of callers) await caller.stop();
    await parley?.stop();
  });

  async function dial(room: string): Promise<ToneCaller> {
    const caller = await ToneCaller.start({ voice: ANN, serverPort: parley.sipPort });
    callers.push(caller);
    await caller.dial(parley.sipUri(room));
    await eventually(
      'ann is in',
      () => parley.api.participants(room),
      ([view]) => view?.state === 'connected',
    );
    return caller;
  }

  async function apiFor(room: string): Promise<ApiClient> {
    const token = await parley.api.createToken({ name: 'test', scope: 'moderator', room });
    return new ApiClient(`${parley.httpUrl}/api/v1`, token);
  }

  test('gives the recordings of a room that closed when all had left', async () => {
    const [own, other] = [await apiFor('talk'), await apiFor('another')];
    const caller = await dial('talk');
    const { id } = await own.startRecording('talk', { announced: false });
    await pause(1_500);
    await caller.hangUp();
    await eventually(
      'the room is closed',
      () => parley.api.room('talk').catch((problem: unknown) => problem),
      (problem) => problem instanceof Error,
    );
    const stopped = await eventually(
      'the recording has ended',
      () => own.recordings('talk'),
      ([recording]) => recording?.state === 'stopped',
    );
    expect(stopped.map((recording) => recording.id)).toEqual([id]);
    const pcm = readWav(await own.recordingFile(id, 'wav'));
    const middle = Math.round(pcm.samples.length / 2);
    const half = pcm.sampleRateHz / 4;
    expect(toneLevelDbfs(pcm, ANN.frequencyHz, middle - half, middle + half)).toBeGreaterThan(-20);
    await expect(other.recordings('talk')).rejects.toMatchObject({ code: 'room-not-found' });
    await expect(other.recordingFile(id, 'wav')).rejects.toMatchObject({ code: 'recording-not-found' });
    await expect(own.recordings('never')).rejects.toMatchObject({ code: 'room-not-found' });
  });

  test('is one for its breakout rooms, which never have the name of a room that was recorded', async () => {
    const former = await dial('board-1');
    const recorded = await parley.api.startRecording('board-1');
    await pause(500);
    await former.hangUp();
    await eventually(
      'it has ended',
      () => parley.api.recordings('board-1'),
      ([recording]) => recording?.state === 'stopped',
    );

    await dial('board');
    const own = await apiFor('board');
    const [ann] = await own.participants('board');
    const groups = [{ name: 'board-1', participants: [ann!.id] }];
    await expect(own.openBreakouts('board', groups)).rejects.toMatchObject({ code: 'room-exists' });
    const [breakout] = await own.openBreakouts('board', [{ participants: [ann!.id] }]);
    expect(breakout).toMatchObject({ name: 'board-2', breakoutOf: 'board' });
    expect(await own.updateParticipant('board-2', ann!.id, { muted: true })).toMatchObject({ id: ann!.id });
    const { id } = await own.startRecording('board-2');
    expect(await own.recordings('board-2')).toMatchObject([{ id, room: 'board-2' }]);
    await expect(own.recordings('board-1')).rejects.toMatchObject({ code: 'room-not-found' });
    await expect(own.recordingFile(recorded.id, 'wav')).rejects.toMatchObject({ code: 'recording-not-found' });
    await own.closeBreakouts('board');
    await expect(own.room('board-2')).rejects.toMatchObject({ code: 'room-not-found' });
  });
});
