import { describe, expect, it } from 'vitest';
import { startApi } from './running-api.ts';

const PATH = '/api/v1/rooms/demo/messages';

describe('a text to a room', () => {
  it('is for all who are in it, or for some; the answer says what each phone said', async () => {
    const { call, conference } = await startApi();
    const taken = { outcome: 'delivered', status: 200 };
    const all = await call('POST', PATH, { json: { text: 'Grüße 👋\n\tan alle' } });
    expect([all.status, all.json]).toEqual([
      200,
      {
        deliveries: [
          { participant: 'anna', ...taken },
          { participant: 'ben', ...taken },
        ],
      },
    ]);
    const one = await call('POST', PATH, { json: { text: 'nonsense', to: ['ben'] } });
    expect(one.json).toEqual({ deliveries: [{ participant: 'ben', outcome: 'refused', status: 405 }] });
    expect(conference.texts).toEqual([
      { text: 'Grüße 👋\n\tan alle', to: null },
      { text: 'nonsense', to: ['ben'] },
    ]);
  });

  it.each([
    ['nothing', {}, '#/text'],
    ['no text', { text: '' }, '#/text'],
    ['blanks alone', { text: ' \n\t ' }, '#/text'],
    ['too much', { text: 'x'.repeat(1001) }, '#/text'],
    ['an escape', { text: 'a\u001b[31mb' }, '#/text'],
    ['a null', { text: 'a\u0000b' }, '#/text'],
    ['a control character of Latin-1', { text: 'a\u0085b' }, '#/text'],
    ['half a character', { text: 'a\ud83d' }, '#/text'],
    ['nobody', { text: 'Hello', to: [] }, '#/to'],
    ['more than can be named', { text: 'Hello', to: Array.from({ length: 1001 }, String) }, '#/to'],
    ['what nobody knows', { text: 'Hello', from: 'me' }, '#/from'],
  ])('is refused with %s, and says where', async (_what, json, pointer) => {
    const { call, conference } = await startApi();
    const answer = await call('POST', PATH, { json });
    expect(answer.json).toMatchObject({ status: 400, code: 'invalid-body', errors: [{ pointer }] });
    expect(conference.texts).toEqual([]);
  });

  it('may have 1000 characters', async () => {
    const { call } = await startApi();
    expect((await call('POST', PATH, { json: { text: '€'.repeat(1000) } })).status).toBe(200);
  });

  it('is sent once, however often it comes with the same key', async () => {
    const { call, conference } = await startApi();
    const send = () => call('POST', PATH, { json: { text: 'Hello' }, headers: { 'idempotency-key': 'once' } });
    const [first, second] = [await send(), await send()];
    expect(second.json).toEqual(first.json);
    expect(second.headers.get('idempotency-replayed')).toBe('true');
    expect(conference.texts).toHaveLength(1);
  });

  it('is for moderators of that room', async () => {
    const { call, conference } = await startApi();
    conference.createRoom('other', {});
    const tokenOf = async (json: object): Promise<string> =>
      (await call('POST', '/api/v1/tokens', { json: { name: 'x', ...json } })).json.token;
    const statusWith = async (token: string, path = PATH) =>
      (await call('POST', path, { json: { text: 'Hello' }, headers: { authorization: `Bearer ${token}` } })).status;
    const own = await tokenOf({ scope: 'moderator', room: 'demo' });
    expect(await statusWith(own)).toBe(200);
    expect(await statusWith(own, '/api/v1/rooms/other/messages')).toBe(404);
    expect(await statusWith(await tokenOf({ scope: 'reader', room: 'demo' }))).toBe(403);
    expect(conference.texts).toHaveLength(1);
  });

  it('is not in the log', async () => {
    const { call, logged } = await startApi();
    await call('POST', PATH, { json: { text: 'between us' } });
    expect(JSON.stringify(logged)).not.toContain('between us');
  });
});
