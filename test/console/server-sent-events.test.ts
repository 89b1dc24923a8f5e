import { describe, expect, test } from 'vitest';
import { ServerSentEventParser } from '../../console/server-sent-events.ts';

const STREAM =
  'retry: 1500\n\nid: a-1\nevent: state\ndata: {"rooms":[]}\n\n: still here\n\nid: a-2\nevent: x\ndata: one\ndata: two\n\n';

describe('the parser of server-sent events', () => {
  test('reads events, ids and the time to come back', () => {
    const parser = new ServerSentEventParser();
    expect(parser.push(STREAM)).toEqual([
      { name: 'state', data: '{"rooms":[]}' },
      { name: 'x', data: 'one\ntwo' },
    ]);
    expect(parser.lastEventId).toBe('a-2');
    expect(parser.retryMs).toBe(1500);
  });

  test.each(['\n', '\r\n', '\r'])('takes them in pieces of any size, with line ends %j', (lineEnd) => {
    const text = STREAM.replaceAll('\n', lineEnd);
    for (let size = 1; size < 9; size++) {
      const parser = new ServerSentEventParser();
      const events = [];
      for (let at = 0; at < text.length; at += size) events.push(...parser.push(text.slice(at, at + size)));
      // A last CR may be half a line end: then what ends with it comes with what follows.
      events.push(...parser.push(':\n'));
      expect(events.map(({ name }) => name)).toEqual(['state', 'x']);
    }
  });

  test('an event that is cut off is none, and its name is not the next one’s', () => {
    const parser = new ServerSentEventParser();
    expect(parser.push('event: x\ndata: 1\n')).toEqual([]);
    expect(new ServerSentEventParser().push('event: x\n\ndata: 1\n\n')).toEqual([{ name: 'message', data: '1' }]);
  });
});
