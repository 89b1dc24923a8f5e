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
  let serial = 0;

  /** Names of rooms that nobody has recorded in an attempt before. */
  const newName = (): string => `board${++serial}`;

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
    const room = newName();
    const [own, other] = [await apiFor(room), await apiFor('another')];
    const caller = await dial(room);
    const { id } = await own.startRecording(room, { announced: false });
    await pause(1_500);
    await caller.hangUp();
    await eventually(
      'the room is closed',
      () => parley.api.room(room).catch((problem: unknown) => problem),
      (problem) => problem instanceof Error,
    );
    const stopped = await eventually(
      'the recording has ended',
      () => own.recordings(room),
      ([recording]) => recording?.state === 'stopped',
    );
    expect(stopped.map((recording) => recording.id)).toEqual([id]);
    const pcm = readWav(await own.recordingFile(id, 'wav'));
    const middle = Math.round(pcm.samples.length / 2);
    const half = pcm.sampleRateHz / 4;
    expect(toneLevelDbfs(pcm, ANN.frequencyHz, middle - half, middle + half)).toBeGreaterThan(-20);
    await expect(other.recordings(room)).rejects.toMatchObject({ code: 'room-not-found' });
    await expect(other.recordingFile(id, 'wav')).rejects.toMatchObject({ code: 'recording-not-found' });
    await expect(own.recordings('never')).rejects.toMatchObject({ code: 'room-not-found' });
  });

  test('is one for its breakout rooms, which never have the name of a room that was recorded', async () => {
    const room = newName();
    const [first, second] = [`${room}-1`, `${room}-2`];
    const former = await dial(first);
    const recorded = await parley.api.startRecording(first);
    await pause(500);
    await former.hangUp();
    await eventually(
      'it has ended',
      () => parley.api.recordings(first),
      ([recording]) => recording?.state === 'stopped',
    );

    await dial(room);
    const own = await apiFor(room);
    const [ann] = await own.participants(room);
    const groups = [{ name: first, participants: [ann!.id] }];
    await expect(own.openBreakouts(room, groups)).rejects.toMatchObject({ code: 'room-exists' });
    const [breakout] = await own.openBreakouts(room, [{ participants: [ann!.id] }]);
    expect(breakout).toMatchObject({ name: second, breakoutOf: room });
    expect(await own.updateParticipant(second, ann!.id, { muted: true })).toMatchObject({ id: ann!.id });
    const { id } = await own.startRecording(second);
    expect(await own.recordings(second)).toMatchObject([{ id, room: second }]);
    await expect(own.recordings(first)).rejects.toMatchObject({ code: 'room-not-found' });
    await expect(own.recordingFile(recorded.id, 'wav')).rejects.toMatchObject({ code: 'recording-not-found' });
    await own.closeBreakouts(room);
    await expect(own.room(second)).rejects.toMatchObject({ code: 'room-not-found' });
  });
});
