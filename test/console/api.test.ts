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
    const response = await api.events(null, AbortSignal.timeout(5_000));
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    await response.body?.cancel();
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
