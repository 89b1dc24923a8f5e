import { z } from 'zod';
import type { RecordCursor, RecordPage, RecordQuery, StoredCall, StoredConference } from '../records/call-record.ts';
import { roomName } from '../rooms/room-name.ts';
import type { Access } from './access.ts';
import { csvOf } from './csv.ts';
import { type Operation, operation, type Reply } from './operation.ts';
import { pageQuery } from './paging.ts';
import { HttpProblem } from './problems.ts';
import * as schemas from './record-schemas.ts';

const CSV = 'text/csv';

const moment = z.iso.datetime({ offset: true });

const recordQuery = pageQuery.extend({
  room: z.string().max(200).optional().meta({ description: 'Of this room only.' }),
  from: moment.optional().meta({ description: 'That ended then or later.' }),
  to: moment.optional().meta({ description: 'That ended before then.' }),
  format: z.enum(['json', 'csv']).optional().meta({ description: 'Instead of `Accept`.' }),
});

const callQuery = recordQuery.extend({
  user: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .meta({ description: 'Who called or was called: `alice`, `alice@example.com`, or the SIP URI.' }),
});

type Asked = z.output<typeof recordQuery>;

export const recordOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/calls',
    id: 'listCalls',
    scope: 'reader',
    narrows: true,
    summary: 'Calls that are over, in the order of their ends',
    params: z.object({}),
    query: callQuery,
    success: { status: 200, description: 'The records.', json: schemas.callList, texts: [CSV] },
    problems: [],
    handle({ records }, { query, access, prefers }) {
      const page = records.calls({ ...wanted(query, access), user: query.user ?? null });
      return answer('calls', page, Object.keys(schemas.call.shape), wantsCsv(query, prefers));
    },
  }),
  operation({
    method: 'get',
    path: '/conferences',
    id: 'listConferences',
    scope: 'reader',
    narrows: true,
    summary: 'Conferences that are over, in the order of their ends',
    params: z.object({}),
    query: recordQuery,
    success: { status: 200, description: 'The records.', json: schemas.conferenceList, texts: [CSV] },
    problems: [],
    handle({ records }, { query, access, prefers }) {
      const page = records.conferences(wanted(query, access));
      return answer('conferences', page, Object.keys(schemas.conference.shape), wantsCsv(query, prefers));
    },
  }),
];

function wantsCsv({ format }: Asked, prefers: (types: readonly string[]) => string | null): boolean {
  return format === undefined ? prefers(['application/json', CSV]) === CSV : format === 'csv';
}

function wanted({ room, from, to, limit, cursor }: Asked, access: Access): RecordQuery {
  const named = room === undefined ? null : (roomName(room) ?? room);
  return {
    // To a token for one room there are no others: nothing is found of them.
    room: access.room === null || named === access.room ? named : named === null ? access.room : '',
    fromMs: from === undefined ? null : Date.parse(from),
    toMs: to === undefined ? null : Date.parse(to),
    after: cursor === undefined ? null : readCursor(cursor),
    limit,
  };
}

function answer(
  name: 'calls' | 'conferences',
  { items, next }: RecordPage<StoredCall | StoredConference>,
  columns: readonly string[],
  csv: boolean,
): Reply {
  const nextCursor = next === null ? null : writeCursor(next);
  if (!csv) return { json: { [name]: items, nextCursor } };
  const content = {
    contentType: `${CSV}; charset=utf-8; header=present`,
    fileName: `${name}.csv`,
    bytes: csvOf(
      columns,
      items.map((item) => ({ ...item })),
    ),
  };
  return nextCursor === null ? { content } : { content, next: { cursor: nextCursor } };
}

function writeCursor({ endedMs, id }: RecordCursor): string {
  return Buffer.from(`${endedMs} ${id}`).toString('base64url');
}

function readCursor(cursor: string): RecordCursor {
  const [, endedMs, id] = /^(\d{1,15}) (\d{1,15})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (endedMs === undefined || id === undefined) {
    const detail = 'This is no `nextCursor` of this list.';
    throw new HttpProblem('invalid-query', { errors: [{ parameter: 'cursor', detail }] });
  }
  return { endedMs: Number(endedMs), id: Number(id) };
}
