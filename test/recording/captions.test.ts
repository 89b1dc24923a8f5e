import { describe, expect, it } from 'vitest';
import { captions } from '../../server/recordings/captions.ts';
import type { TimelineEntry, TimelineLine } from '../../server/recordings/timeline.ts';

async function* lines(...entries: [t: number, entry: TimelineEntry][]): AsyncGenerator<TimelineLine> {
  for (const [t, entry] of entries) yield { t, at: '2026-01-02T03:04:05.000Z', ...entry };
}

const joined = (participant: string, name: string | null): TimelineEntry => ({
  ...{ type: 'joined', participant, name, uri: `sip:${participant}@example.com`, role: 'participant' },
});
const talking = (participant: string, on: boolean): TimelineEntry => ({ type: 'talking', participant, on });

describe('captions', () => {
  it('say who spoke when, in order, several at once, and until the end', async () => {
    const text = await captions(
      lines(
        [0, { type: 'started' }],
        [0, joined('a', 'Alice')],
        [10, joined('b', null)],
        [1_500, talking('a', true)],
        [3_000, talking('b', true)],
        [4_250, talking('a', false)],
        [3_600_000 + 61_007, talking('a', true)],
        [3_600_000 + 62_000, talking('b', false)],
      ),
      3_665_000,
    );
    expect(text).toBe(
      [
        'WEBVTT',
        '',
        '00:00:01.500 --> 00:00:04.250',
        '<v Alice>Alice</v>',
        '',
        '00:00:03.000 --> 01:01:02.000',
        '<v sip:b@example.com>sip:b@example.com</v>',
        '',
        '01:01:01.007 --> 01:01:05.000',
        '<v Alice>Alice</v>',
        '',
      ].join('\n'),
    );
  });

  it('run on over short pauses, and leave out a cough', async () => {
    const text = await captions(
      lines(
        ...[[0, joined('a', 'A')] as const, [0, joined('b', 'B')] as const].map(([t, e]): [number, TimelineEntry] => [
          t,
          e,
        ]),
        [1_000, talking('a', true)],
        [2_000, talking('a', false)],
        [3_000, talking('a', true)],
        [4_000, talking('a', false)],
        [4_100, talking('b', true)],
        [4_300, talking('b', false)],
        [5_001, talking('a', true)],
        [6_000, talking('a', false)],
      ),
      10_000,
    );
    expect(text.match(/.* --> .*/g)).toEqual(['00:00:01.000 --> 00:00:04.000', '00:00:05.001 --> 00:00:06.000']);
  });

  it('end with who leaves, or may not be recorded any more', async () => {
    const text = await captions(
      lines(
        [0, joined('a', 'A')],
        [0, joined('b', 'B')],
        [1_000, talking('a', true)],
        [1_000, talking('b', true)],
        [2_000, { type: 'left', participant: 'a' }],
        [3_000, { type: 'recording-off', participant: 'b' }],
      ),
      10_000,
    );
    expect(text.match(/.* --> .*/g)).toEqual(['00:00:01.000 --> 00:00:02.000', '00:00:01.000 --> 00:00:03.000']);
  });

  it('keep their form whatever somebody is called, and use their last name', async () => {
    const name = 'x\n\n00:00.000 --> 99:00.000\n<b>&\u0000';
    const text = await captions(
      lines([0, joined('a', 'old')], [10, { type: 'name', participant: 'a', name }], [20, talking('a', true)]),
      1_000,
    );
    const safe = 'x 00:00.000 --&gt; 99:00.000 &lt;b&gt;&amp;';
    expect(text).toBe(`WEBVTT\n\n00:00:00.020 --> 00:00:01.000\n<v ${safe}>${safe}</v>\n`);
  });

  it('show what was marked, for some seconds', async () => {
    const mark: TimelineEntry = { type: 'mark', text: 'a <decision>\n-->', by: 'moderator' };
    const text = await captions(lines([0, joined('a', 'A')], [500, talking('a', true)], [200, mark]), 10_000);
    expect(text).toContain(
      'WEBVTT\n\n00:00:00.200 --> 00:00:04.200\n<c.mark>a &lt;decision&gt; --&gt;</c>\n\n00:00:00.500 -->',
    );
  });

  it('of nothing are a file without cues', async () => {
    expect(await captions(lines(), 1_000)).toBe('WEBVTT\n');
  });
});
