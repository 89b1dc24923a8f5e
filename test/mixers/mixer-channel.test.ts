import { describe, expect, it } from 'vitest';
import { type MixerEvent, type MixerSettings, PROTOCOL_VERSION, type ToMixer } from '../../mixer/protocol.ts';
import { GREETING_MS, MixerChannel } from '../../server/mixers/mixer-channel.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';

const settings: MixerSettings = {
  bindAddress: '127.0.0.1',
  rtpPortMin: 20000,
  rtpPortMax: 20099,
  portQuarantineMs: 5000,
  silenceTimeoutMs: 60_000,
  opusComplexity: 5,
  maxTalkers: 4,
  automaticGain: 'gentle',
  comfortNoiseDb: -65,
};

function channel() {
  const timers = new VirtualTimers();
  const sent: ToMixer[] = [];
  const failures: string[] = [];
  const events: MixerEvent[] = [];
  let pid = 0;
  const made = new MixerChannel({
    version: PROTOCOL_VERSION,
    timers,
    send: (message) => sent.push(message),
    greeted: (id) => {
      pid = id;
    },
    event: (event) => events.push(event),
    failed: (reason) => failures.push(reason),
  });
  const open = () => {
    made.received({ type: 'hello', version: PROTOCOL_VERSION, pid: 42 });
    made.configure(settings);
  };
  return { channel: made, timers, sent, failures, events, open, pid: () => pid };
}

describe('the channel to a mixer', () => {
  it('fails when nobody greets, and takes no note of time once somebody has, or the process is gone', () => {
    const { timers, failures } = channel();
    timers.advance(GREETING_MS);
    expect(failures).toEqual(['it did not greet in time']);
    const greeted = channel();
    greeted.open();
    const gone = channel();
    gone.channel.closed('ended with code 1');
    expect([greeted.timers.pending, gone.timers.pending]).toEqual([0, 0]);
  });

  it('greets with version and settings, then takes requests', async () => {
    const { channel: mixer, sent, open, pid } = channel();
    open();
    expect(sent).toEqual([{ type: 'configure', version: PROTOCOL_VERSION, settings }]);
    expect(pid()).toBe(42);
    const opened = mixer.request('openRoom', { room: 'demo' });
    expect(sent[1]).toEqual({ type: 'request', id: 1, method: 'openRoom', params: { room: 'demo' } });
    mixer.received({ type: 'reply', id: 1, result: {} });
    await expect(opened).resolves.toEqual({});
    expect(mixer.pending).toBe(0);
  });

  it('keeps a mixer in reserve until it is configured', async () => {
    const { channel: mixer, sent } = channel();
    expect(mixer.spare).toBe(false);
    mixer.received({ type: 'hello', version: PROTOCOL_VERSION, pid: 42 });
    expect(mixer.spare).toBe(true);
    expect(sent).toEqual([]);
    await expect(mixer.request('statistics', {})).rejects.toMatchObject({ code: 'mixer-gone' });
    mixer.configure(settings);
    expect(mixer.spare).toBe(false);
    expect(() => mixer.configure(settings)).toThrow();
  });

  it('refuses a mixer of another version', async () => {
    const { channel: mixer, sent, failures } = channel();
    mixer.received({ type: 'hello', version: PROTOCOL_VERSION + 1, pid: 1 });
    expect(failures[0]).toContain(`version ${PROTOCOL_VERSION + 1}`);
    expect(sent).toEqual([]);
    await expect(mixer.request('statistics', {})).rejects.toMatchObject({ code: 'mixer-gone' });
  });

  it('settles each request with its own reply, in any order', async () => {
    const { channel: mixer, open } = channel();
    open();
    const one = mixer.request('openRoom', { room: 'one' });
    const two = mixer.request('closeRoom', { room: 'two' });
    mixer.received({ type: 'error', id: 2, code: 'no-such-room', message: 'room two is not open' });
    mixer.received({ type: 'reply', id: 1, result: {} });
    await expect(one).resolves.toEqual({});
    await expect(two).rejects.toMatchObject({ code: 'no-such-room' });
  });

  it('gives up on a mixer that does not answer, and says so', async () => {
    const { channel: mixer, timers, failures, open } = channel();
    open();
    const never = mixer.request('statistics', {}, 1000);
    timers.advance(999);
    expect(failures).toEqual([]);
    timers.advance(1);
    await expect(never).rejects.toMatchObject({ code: 'deadline' });
    expect(failures).toEqual(['no answer to statistics in time']);
    mixer.received({ type: 'reply', id: 1, result: {} });
  });

  it('settles every waiting request when the mixer dies, and takes no more', async () => {
    const { channel: mixer, timers, failures, open } = channel();
    open();
    const waiting = [mixer.request('openRoom', { room: 'a' }), mixer.request('statistics', {})];
    mixer.closed('ended by SIGKILL');
    for (const request of waiting) await expect(request).rejects.toMatchObject({ code: 'mixer-gone' });
    await expect(mixer.request('statistics', {})).rejects.toMatchObject({ code: 'mixer-gone' });
    timers.advance(60_000);
    expect(failures).toEqual([]);
  });

  it('passes events on', () => {
    const { channel: mixer, events, open } = channel();
    open();
    mixer.received({ type: 'event', event: 'legSilent', leg: 'p1', silentMs: 60_000 });
    expect(events).toEqual([{ type: 'event', event: 'legSilent', leg: 'p1', silentMs: 60_000 }]);
  });
});
