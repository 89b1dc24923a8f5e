import { describe, expect, it } from 'vitest';
import { TelephoneEventReceiver } from '../../mixer/rtp/telephone-event.ts';

interface EventPacket {
  code: number;
  timestamp: number;
  duration: number;
  end?: boolean;
  marker?: boolean;
}

const KEY_5 = (timestamp: number): EventPacket[] => [
  { code: 5, timestamp, duration: 160, marker: true },
  { code: 5, timestamp, duration: 320 },
  { code: 5, timestamp, duration: 480 },
  { code: 5, timestamp, duration: 640, end: true },
  { code: 5, timestamp, duration: 640, end: true },
  { code: 5, timestamp, duration: 640, end: true },
];

function told(packets: EventPacket[], untilMs = 20 * packets.length + 1000): [string, number][] {
  const receiver = new TelephoneEventReceiver(8000);
  const keys: [string, number][] = [];
  const poll = (nowMs: number) => {
    while (receiver.poll(nowMs)) keys.push([receiver.key, receiver.durationMs]);
  };
  let nowMs = 0;
  for (const { code, timestamp, duration, end, marker } of packets) {
    const payload = Uint8Array.of(code, (end ? 0x80 : 0) | 10, duration >> 8, duration);
    receiver.receive(payload, 0, 4, timestamp >>> 0, marker ?? false, nowMs);
    poll(nowMs);
    nowMs += 20;
  }
  for (; nowMs < untilMs; nowMs += 20) poll(nowMs);
  return keys;
}

describe('telephone events received (RFC 4733)', () => {
  it('tells a key once, with its duration', () => {
    expect(told(KEY_5(1000))).toEqual([['5', 80]]);
  });

  it('tells it whatever single packet or half of the packets is lost', () => {
    for (let mask = 1; mask < 64; mask++) {
      const keys = told(KEY_5(1000).filter((_packet, i) => (mask & (1 << i)) !== 0));
      expect(keys.map(([key]) => key)).toEqual(['5']);
    }
  });

  it('tells it once in any order of its packets', () => {
    const [a, b, c, d, e, f] = KEY_5(1000) as [
      EventPacket,
      EventPacket,
      EventPacket,
      EventPacket,
      EventPacket,
      EventPacket,
    ];
    expect(told([b, a, d, c, f, e])).toEqual([['5', 80]]);
    expect(told([d, e, f, c, b, a])).toEqual([['5', 80]]);
  });

  it('tells a key whose end was lost when the next begins, and both in their order', () => {
    const first = KEY_5(1000).slice(0, 3);
    const second = KEY_5(3000).map((packet) => ({ ...packet, code: 11 }));
    expect(told([...first, ...second, ...KEY_5(1000).slice(3)])).toEqual([
      ['5', 60],
      ['#', 80],
    ]);
  });

  it('tells the same key pressed twice twice, without marker and end too', () => {
    expect(told([...KEY_5(1000), ...KEY_5(3000)])).toHaveLength(2);
    expect(told([...KEY_5(1000).slice(1, 3), ...KEY_5(3000).slice(1)])).toHaveLength(2);
  });

  it('joins the segments of a long press into one (RFC 4733 §2.5.1.3)', () => {
    expect(
      told([
        { code: 0, timestamp: 0xffff8000, duration: 60_000, marker: true },
        { code: 0, timestamp: 0xffff8000, duration: 0xffff },
        { code: 0, timestamp: 0xffff8000 + 0xffff, duration: 160 },
        { code: 0, timestamp: 0xffff8000 + 0xffff, duration: 8000, end: true },
      ]),
    ).toEqual([['0', (0xffff + 8000) / 8]]);
  });

  it('tells one key to senders that move the timestamp with every update', () => {
    expect(
      told([
        { code: 7, timestamp: 0, duration: 160, marker: true },
        { code: 7, timestamp: 160, duration: 160 },
        { code: 7, timestamp: 320, duration: 160, end: true },
      ]),
    ).toEqual([['7', 60]]);
  });

  it('works over a wrap of the timestamp', () => {
    expect(told([...KEY_5(0xffffff00), ...KEY_5(0x100000100)])).toHaveLength(2);
  });

  it('tells keys after the sender began its timestamps anew', () => {
    expect(told([...KEY_5(90_000_000), ...KEY_5(1000)])).toHaveLength(2);
  });

  it('knows all sixteen keys and passes over flash and short payloads', () => {
    const all = Array.from({ length: 17 }, (_none, code) => ({
      code,
      timestamp: code * 2000,
      duration: 400,
      end: true,
    }));
    expect(
      told(all)
        .map(([key]) => key)
        .join(''),
    ).toBe('0123456789*#ABCD');
    expect(new TelephoneEventReceiver(8000).receive(new Uint8Array(3), 0, 3, 0, true, 0)).toBe(false);
  });

  it('takes a key for let go after 160 ms of nothing', () => {
    expect(told(KEY_5(0).slice(0, 2), 140)).toEqual([]);
    expect(told(KEY_5(0).slice(0, 2), 300)).toEqual([['5', 40]]);
  });
});
