import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../../console/api.ts';
import { Live, waitFor } from '../../console/live.ts';
import type { RoomView } from '../../server/rooms/views.ts';
import { someone } from '../rooms/someone.ts';
import { event, room } from './views.ts';

/** What happens to one attempt at a stream: it is refused, or gives this and ends. */
type Attempt = ApiError | string;

const unreachable = new ApiError('unreachable', 0, 'The server cannot be reached');
const refused = new ApiError('too-many-streams', 503, 'There are too many event streams');
const unknown = new ApiError('authentication-failed', 401, 'The token is wrong');

const stateText = (id: string, rooms: RoomView[]) =>
  `retry: 700\n\nid: ${id}\nevent: state\ndata: ${JSON.stringify({ id, rooms })}\n\n`;
const joinedText = (id: string) =>
  `id: ${id}\nevent: participant-joined\ndata: ${JSON.stringify(event('participant-joined', { id, participant: someone('ann') }))}\n\n`;

/** Plays the attempts one after the other, and tells what came of them; waiting takes no time. */
async function play(attempts: Attempt[], polls: (RoomView[] | ApiError)[] = []): Promise<string[]> {
  const told: string[] = [];
  const live: Live = new Live({
    api: {
      async events(lastEventId) {
        told.push(`stream ${lastEventId ?? 'anew'}`);
        const attempt = attempts.shift();
        if (attempt === undefined) {
          live.stop();
          throw unreachable;
        }
        if (attempt instanceof ApiError) throw attempt;
        return new Response(attempt);
      },
      async rooms() {
        const answer = polls.shift() ?? [];
        if (answer instanceof ApiError) throw answer;
        return answer;
      },
    },
    state: (rooms) => told.push(`state ${rooms.map(({ name }) => name)}`),
    event: ({ event: name }) => told.push(name),
    connection: (now) => told.push(now),
    denied: ({ code }) => told.push(code),
    wait: async (ms) => void told.push(`wait ${ms}`),
  });
  await live.run();
  return told;
}

describe('what is shown is kept as the server has it', () => {
  test('by a stream, which is resumed after a break', async () => {
    expect(await play([stateText('x-1', [room('demo')]) + joinedText('x-2'), joinedText('x-3')])).toEqual([
      ...['connecting', 'stream anew', 'live', 'state demo', 'participant-joined', 'connecting', 'wait 700'],
      ...['stream x-2', 'live', 'participant-joined', 'connecting', 'wait 700', 'stream x-3'],
    ]);
  });

  test('by asking, where the stream is refused; then the stream begins anew', async () => {
    const told = await play([stateText('x-1', []), refused, stateText('x-9', [])], [[room('demo')]]);
    expect(told.slice(5)).toEqual([
      ...['wait 700', 'stream x-1', 'state demo', 'polling', 'wait 2000'],
      ...['stream anew', 'live', 'state ', 'connecting', 'wait 700', 'stream x-9'],
    ]);
  });

  test('less and less often where nothing answers', async () => {
    const nothing = new Array<ApiError>(100).fill(unreachable);
    const told = await play(new Array<ApiError>(7).fill(unreachable), nothing);
    const waits = told
      .join(' ')
      .split(/ ?stream anew ?/)
      .slice(1, -1);
    expect(waits.map((part) => part.match(/wait 2000/g)?.length)).toEqual([1, 2, 4, 8, 15, 15, 15]);
    expect(told).toContain('offline');
    expect(told).not.toContain('polling');
  });

  test('until the token is no good', async () => {
    expect(await play([unknown])).toEqual(['connecting', 'stream anew', 'authentication-failed']);
    expect(await play([refused], [unknown])).toEqual(['connecting', 'stream anew', 'authentication-failed']);
  });
});

test('waiting ends with the time or with the signal, and leaves no listener behind', async () => {
  const stopping = new AbortController();
  await waitFor(1, stopping.signal);
  expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  const waiting = waitFor(3_600_000, stopping.signal);
  stopping.abort();
  await waiting;
  expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
});
