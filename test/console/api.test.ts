import { describe, expect, test } from 'vitest';
import { Api, ApiError } from '../../console/api.ts';
import { startApi, TOKEN } from '../http/running-api.ts';

async function apiWith(token = TOKEN) {
  const { port } = await startApi();
  return new Api(token, (input, init) => fetch(input, init), `http://127.0.0.1:${port}/api/v1`);
}

describe('the console’s calls', () => {
  test('reach the API as it is', async () => {
    const api = await apiWith();
    expect(await api.access()).toMatchObject({ scope: 'administrator', room: null });
    const [demo] = await api.rooms();
    expect(demo?.name).toBe('demo');
    const [one] = await api.participants('demo');
    expect((await api.diagnosis('demo', 'ben')).findings[0]?.code).toBe('muted-by-moderator');
    const trace = new Uint8Array(await (await api.sipTrace('demo', 'ben')).arrayBuffer());
    expect(new DataView(trace.buffer).getUint32(0, true)).toBe(0xa1b2c3d4);
    await api.changeParticipant('demo', one!.id, { muted: true, gainDb: -3, volumeDb: 2, deaf: true, hand: true });
    await api.muteAll('demo', true);
    await api.muteAll('demo', false);
    await api.lock('demo', true);
    await api.invite('demo', { uri: 'sip:x@example.com', displayName: null, role: 'listener', confirm: true });
    await api.removeParticipant('demo', one!.id, 'removed by the moderator');
    expect(await api.sendMessage('demo', 'Hello', null)).toHaveLength(1);
    expect(await api.sendMessage('demo', 'Hello', ['ben'])).toEqual([
      { participant: 'ben', outcome: 'delivered', status: 200 },
    ]);
    const response = await api.events(null, AbortSignal.timeout(5_000));
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    await response.body?.cancel();
  });

  test('reach what there is for recordings, sounds and the floor', async () => {
    const api = await apiWith();
    const [ann] = await api.participants('demo');
    await api.giveFloor('demo', [ann!.id]);
    expect((await api.rooms()).find(({ name }) => name === 'demo')?.floor).toEqual([ann!.id]);
    await api.giveFloor('demo', []);
    expect((await api.rooms()).find(({ name }) => name === 'demo')?.floor).toEqual([]);
    await api.startRecording('demo', { tracks: true, video: true, announced: false });
    const { signal } = new AbortController();
    const running = (await api.searchRecordings({ room: 'demo' }, signal)).find(({ state }) => state === 'recording')!;
    expect(running.tracks).toBe(true);
    expect((await api.markRecording(running, 'a decision')).text).toBe('a decision');
    await api.changeRecording(running, 'paused');
    await api.changeRecording(running, 'stopped');
    expect((await api.recording(running.id)).state).toBe('stopped');
    const wanted = { format: 'mp3', normalized: true } as const;
    expect(await api.makeRecordingFile(running.id, wanted)).toMatchObject(wanted);
    expect((await api.recordingLink(running.id, wanted, 3600)).url).toContain(running.id);
    await api.deleteRecording(running.id);
    await expect(api.recording(running.id)).rejects.toMatchObject({ code: 'recording-not-found' });
    expect(await api.searchRecordings({ q: 'nobody at all' }, signal)).toEqual([]);
    const sound = await api.addSound('a chime & more', new Blob(['as the fake takes anything']));
    expect(sound.name).toBe('a chime & more');
    await api.announce('demo', { sound: sound.id, gainDb: -3, repeat: true });
    const [played] = await api.announcements('demo');
    expect(played).toMatchObject({ sound: sound.id, repeat: true });
    expect(await api.announcement('demo', played!.id)).toMatchObject({ gainDb: -3 });
    expect(await api.changeAnnouncement('demo', played!.id, { gainDb: -9 })).toMatchObject({ gainDb: -9 });
    await api.stopAnnouncement('demo', played!.id);
    expect(await api.announcements('demo')).toEqual([]);
    await api.deleteSound(sound.id);
    expect(await api.sounds()).toEqual([]);
  });

  test('fail with the code of the problem document, and its places', async () => {
    const api = await apiWith();
    await expect(api.participants('nowhere')).rejects.toMatchObject({ code: 'room-not-found', status: 404 });
    const wrong = api.changeParticipant('demo', 'x', { gainDb: 500 });
    await expect(wrong).rejects.toMatchObject({ code: 'invalid-body', detail: expect.stringContaining('20') });
    await expect((await apiWith('wrong')).access()).rejects.toMatchObject({ code: 'authentication-failed' });
  });

  test('say so when there is no answer', async () => {
    const api = new Api('x', () => Promise.reject(new TypeError('Failed to fetch')));
    const error = await api.access().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ code: 'unreachable' });
  });
});
