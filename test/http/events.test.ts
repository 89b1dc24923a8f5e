import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { eventNames } from '../../server/events/room-event.ts';
import { eventSchemas, stateEvent } from '../../server/http/event-schemas.ts';
import { someRecording } from '../rooms/some-recording.ts';
import { someone } from '../rooms/someone.ts';
import { EventReader } from './event-reader.ts';
import { startApi, TOKEN } from './running-api.ts';

const token = { authorization: `Bearer ${TOKEN}` };

describe('events over HTTP', () => {
  it('come as they happen, each as its schema says, under its name', async () => {
    const { port, rooms, conference } = await startApi();
    const reader = await EventReader.open(port, '/api/v1/events', token);
    expect(reader.response.statusCode).toBe(200);
    expect(reader.response.headers).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    const state = await reader.next();
    expect(state).toMatchObject({ event: 'state', data: { rooms: conference.rooms() } });
    expect(stateEvent.strict().parse(state!.data)).toEqual(state!.data);

    const room = rooms.open('board', 'created', { locked: true });
    room.join(someone('anna'));
    room.change('anna', { hand: true });
    room.changePolicy({ locked: false });
    const file = { format: 'm4a', normalized: false, state: 'ready', progress: 1, bytes: 1, sha256: 'ab' } as const;
    const ended = { stoppedAt: '2026-01-02T03:04:06.678Z', durationMs: 960, bytes: 9 };
    const recording = someRecording('rec-1', {
      ...{ room: 'board', state: 'failed', error: 'the disk is full', participants: ['Anna'] },
      ...{ ...ended, files: [{ ...file, error: null, stored: null }] },
    });
    room.recordingTold('recording-changed', recording);
    room.recordingTold('recording-ready', recording);
    room.recordingTold('recording-removed', recording);
    room.giveFloor(['anna']);
    room.setActiveSpeaker('anna');
    room.setStage({ places: [null, 'anna'] });
    room.leave('anna');
    rooms.close(room);
    const seen = new Set<string>();
    while (!seen.has('room-closed')) {
      const next = await reader.next();
      const schema = eventSchemas[next!.event as keyof typeof eventSchemas];
      expect(schema.strict().parse(next!.data)).toEqual(next!.data);
      expect(next).toMatchObject({ id: next!.data.id, event: next!.data.event });
      seen.add(next!.event);
    }
    expect([...seen].sort()).toEqual([...eventNames].sort());
    reader.close();
  });

  it('resume after a break without a gap and without doubles', async () => {
    const { port, rooms } = await startApi();
    const first = await EventReader.open(port, '/api/v1/events', token);
    await first.next();
    const room = rooms.open('board', 'created');
    const seen = await first.next();
    first.close();
    await first.ended;
    room.join(someone('anna'));
    room.join(someone('ben'));
    const second = await EventReader.open(port, '/api/v1/events', { ...token, 'last-event-id': seen!.id });
    expect((await second.next())?.data.participant.id).toBe('anna');
    expect((await second.next())?.data.participant.id).toBe('ben');
    room.leave('anna');
    expect((await second.next())?.event).toBe('participant-left');
    second.close();
  });

  it('of one room are of that alone', async () => {
    const { port, rooms, call } = await startApi();
    const reader = await EventReader.open(port, '/api/v1/rooms/demo/events', token);
    expect((await reader.next())?.data.rooms).toHaveLength(1);
    rooms.open('other', 'adhoc');
    rooms.open('demo', 'adhoc');
    expect((await reader.next())?.data.room).toBe('demo');
    reader.close();
    expect((await call('GET', '/api/v1/rooms/nowhere/events')).json.code).toBe('room-not-found');
  });

  it('have headers for who asks for no more', async () => {
    const { call } = await startApi();
    const { status, headers, text } = await call('HEAD', '/api/v1/events');
    expect([status, headers.get('content-type'), text]).toEqual([200, 'text/event-stream; charset=utf-8', '']);
  });

  it('end when the server does, at once', async () => {
    const { port, http } = await startApi();
    const reader = await EventReader.open(port, '/api/v1/events', token);
    await reader.next();
    await http.close(60_000);
    expect(await reader.next()).toBeNull();
  });

  it('are not kept for a reader who does not read: the connection is cut', async () => {
    const { port, rooms, logged } = await startApi();
    const room = rooms.open('board', 'created');
    room.join(someone('anna', { displayName: 'a'.repeat(10_000) }));
    const socket = connect(port, '127.0.0.1');
    const gone = new Promise((resolve) => socket.once('close', resolve));
    socket.write(`GET /api/v1/events HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`);
    await new Promise((resolve) => socket.once('readable', resolve));
    socket.on('error', () => {});
    const cut = () => logged.find(({ msg }) => msg === 'event stream cut: the reader is too slow');
    // The kernel takes some megabytes itself.
    for (let changes = 1; changes < 5000 && !cut(); changes++) {
      room.change('anna', { gainDb: changes });
      if (changes % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await expect.poll(cut).toBeDefined();
    expect(Number(cut()?.['waitingBytes'])).toBeLessThan(1.2 * 1024 * 1024);
    socket.resume();
    await gone;
  });
});
