import { describe, expect, it } from 'vitest';
import * as participantSchemas from '../../server/http/participant-schemas.ts';
import * as roomSchemas from '../../server/http/room-schemas.ts';
import { startApi } from './running-api.ts';

describe('rooms over HTTP', () => {
  it('lists them with who is in them', async () => {
    const { call, conference } = await startApi();
    const { status, json } = await call('GET', '/api/v1/rooms');
    expect(status).toBe(200);
    expect(json).toEqual({ rooms: [conference.room('demo')], nextCursor: null });
    expect(roomSchemas.roomList.parse(json)).toEqual(json);
  });

  it('makes one, and says where it is', async () => {
    const { call } = await startApi();
    const made = await call('POST', '/api/v1/rooms', { json: { name: 'board', maxParticipants: 5, locked: true } });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({ name: 'board', maxParticipants: 5, locked: true, muteOnEntry: false });
    expect(made.headers.get('location')).toBe('/api/v1/rooms/board');
    const found = await call('GET', made.headers.get('location')!);
    expect(found.json).toEqual({ ...made.json, pin: null, moderatorPin: null });
  });

  it('shows PINs to administrators alone', async () => {
    const { call } = await startApi();
    const made = await call('POST', '/api/v1/rooms', { json: { name: 'board', pin: '1234' } });
    expect(made.json).toMatchObject({ pinRequired: true, moderatorPinSet: false });
    expect(made.text).not.toContain('1234');
    const { json } = await call('POST', '/api/v1/tokens', { json: { name: 'x', scope: 'moderator' } });
    const headers = { authorization: `Bearer ${json.token}` };
    expect((await call('GET', '/api/v1/rooms/board', { headers })).text).not.toContain('1234');
    expect((await call('GET', '/api/v1/rooms/board')).json.pin).toBe('1234');
    expect((await call('GET', '/api/v1/rooms')).text).not.toContain('1234');
  });

  it('moves nobody to a room that the token is not for', async () => {
    const { call, conference } = await startApi();
    conference.createRoom('other', {});
    const { json } = await call('POST', '/api/v1/tokens', { json: { name: 'x', scope: 'moderator', room: 'demo' } });
    const headers = { authorization: `Bearer ${json.token}` };
    const move = (room: string) =>
      call('PATCH', '/api/v1/rooms/demo/participants/ben', { headers, json: { room } }).then(
        ({ json: { code } }) => code,
      );
    expect(await move('other')).toBe('room-not-found');
    await conference.openBreakouts('demo', [{ name: 'side', participants: ['ben'] }]);
    // It got through; the fake moves nobody.
    expect(await move('side')).toBe('participant-elsewhere');
  });

  it('escapes the name of a room in its location', async () => {
    const { call } = await startApi();
    const made = await call('POST', '/api/v1/rooms', { json: { name: 'größe/1' } });
    expect(made.headers.get('location')).toBe('/api/v1/rooms/gr%C3%B6%C3%9Fe%2F1');
    expect((await call('GET', made.headers.get('location')!)).json.name).toBe('größe/1');
  });

  it('changes only what is said', async () => {
    const { call } = await startApi();
    const { status, json } = await call('PATCH', '/api/v1/rooms/demo', { json: { muteOnEntry: true } });
    expect(status).toBe(200);
    expect(json).toMatchObject({ maxParticipants: 10, locked: false, muteOnEntry: true });
  });

  it('changes nothing when nothing is said', async () => {
    const { call, conference } = await startApi();
    const before = structuredClone(conference.room('demo'));
    expect((await call('PATCH', '/api/v1/rooms/demo', { json: {} })).json).toEqual(before);
  });

  it('ends a conference', async () => {
    const { call, conference } = await startApi();
    const { status, text } = await call('DELETE', '/api/v1/rooms/demo');
    expect([status, text]).toEqual([204, '']);
    expect(conference.byName.size).toBe(0);
  });

  it('mutes everybody but moderators', async () => {
    const { call, conference } = await startApi();
    const { status } = await call('POST', '/api/v1/rooms/demo/mute', { json: { muted: true, except: 'moderators' } });
    expect(status).toBe(204);
    expect((await conference.participant('demo', 'anna')).muted).toBeNull();
    expect((await conference.participant('demo', 'ben')).muted).toEqual({ by: 'moderator' });
  });

  it('mutes everybody but some, or really everybody', async () => {
    const { call, conference } = await startApi();
    await call('POST', '/api/v1/rooms/demo/mute', { json: { muted: true, except: ['ben'] } });
    expect(conference.room('demo').participants.map(({ muted }) => muted !== null)).toEqual([true, false]);
    await call('POST', '/api/v1/rooms/demo/mute', { json: { muted: true } });
    expect(conference.room('demo').participants.map(({ muted }) => muted !== null)).toEqual([true, true]);
  });
});

describe('participants over HTTP', () => {
  it('lists them, and shows one', async () => {
    const { call, conference } = await startApi();
    const list = await call('GET', '/api/v1/rooms/demo/participants');
    expect(list.json).toEqual({ participants: conference.room('demo').participants, nextCursor: null });
    const ben = await call('GET', '/api/v1/rooms/demo/participants/ben');
    expect(participantSchemas.participantDetails.parse(ben.json)).toEqual(await conference.participant('demo', 'ben'));
    expect(ben.json).toMatchObject({ quality: { received: { mos: 4.4 }, sent: null } });
    expect(ben.json.pictures).toMatchObject([{ stream: 'main', received: { width: 1280, height: 720 }, sent: null }]);
  });

  it('mutes, deafens and turns up a participant', async () => {
    const { call } = await startApi();
    const json = { muted: true, deaf: true, gainDb: -6.5, role: 'moderator', hand: true };
    const patched = await call('PATCH', '/api/v1/rooms/demo/participants/ben', { json });
    expect(patched.status).toBe(200);
    expect(patched.json).toMatchObject({ ...json, muted: { by: 'moderator' } });
  });

  it('calls somebody in, and says where they are', async () => {
    const { call } = await startApi();
    const json = { uri: 'sip:carl@example.com', displayName: 'Carl', role: 'moderator' };
    const added = await call('POST', '/api/v1/rooms/demo/participants', { json });
    expect(added.status).toBe(201);
    expect(added.json).toMatchObject({ ...json, state: 'connecting' });
    expect((await call('GET', added.headers.get('location')!)).json).toMatchObject(added.json as object);
  });

  it('hangs up on a participant', async () => {
    const { call, conference } = await startApi();
    expect((await call('DELETE', '/api/v1/rooms/demo/participants/ben')).status).toBe(204);
    expect(conference.room('demo').participants.map(({ id }) => id)).toEqual(['anna']);
  });
});
