import { expect, it, vi } from 'vitest';
import { Mixer } from '../../mixer/mixer.ts';
import type {
  FromMixer,
  LegControl,
  MixerMethod,
  MixerParams,
  MixerResult,
  MixerSettings,
} from '../../mixer/protocol.ts';
import { PLAIN_CONTROL } from './simulated-room.ts';
import { wavTone } from './sound-files.ts';

vi.mock('../../mixer/net/media-sockets.ts', () => ({
  MediaSockets: {
    open: async (_address: string, rtpPort: number) => {
      const none = (): void => undefined;
      return {
        ...{ rtpPort, rtcpPort: rtpPort + 1, errors: 0, sendRtp: none, sendRtcp: none, receiveRtp: none },
        ...{ receiveRtcp: none, connectRtp: none, openRtp: none, close: none },
      };
    },
  },
}));

const settings: MixerSettings = {
  ...{ bindAddress: '127.0.0.1', rtpPortMin: 20000, rtpPortMax: 20099, portQuarantineMs: 0 },
  ...{ silenceTimeoutMs: 60_000, opusComplexity: 5, maxTalkers: 4, automaticGain: 'off', comfortNoiseDb: -65 },
};

/** A mixer in virtual time, and the server's side of its channel. */
class Bench {
  nowMs = 0;
  readonly ended: string[] = [];
  readonly mixer: Mixer;
  private readonly replies = new Map<number, (message: FromMixer) => void>();
  private lastId = 0;

  constructor() {
    this.mixer = new Mixer(settings, {
      send: (message) => this.received(message),
      now: () => this.nowMs,
      wallClock: () => this.nowMs,
      machineNow: () => 1e6 + this.nowMs,
      utilization: () => 0,
      wake: () => undefined,
    });
  }

  request<M extends MixerMethod>(method: M, params: MixerParams<M>): Promise<MixerResult<M>> {
    return new Promise((resolve, reject) => {
      const id = ++this.lastId;
      this.replies.set(id, (message) => {
        if (message.type === 'reply') resolve(message.result as MixerResult<M>);
        else reject(message);
      });
      this.mixer.request(id, method, params);
    });
  }

  openLeg(room: string, leg: string, control: Partial<LegControl> = {}): Promise<unknown> {
    return this.request('openLeg', { room, leg, cname: leg, control: { ...PLAIN_CONTROL, ...control } });
  }

  play(playback: string, to: { room: string } | { leg: string }, ms = 200): Promise<unknown> {
    return this.request('playSound', { playback, to, files: [wavTone(700, ms)], gainDb: 0, repeat: false });
  }

  run(ms: number): void {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs; this.nowMs++) this.mixer.run(this.nowMs);
  }

  private received(message: FromMixer): void {
    if (message.type === 'reply' || message.type === 'error') this.replies.get(message.id)?.(message);
    if (message.type !== 'event' || message.event !== 'playbackEnded') return;
    this.ended.push(`${message.playback} ${message.reason}`);
  }
}

async function bench(): Promise<Bench> {
  const made = new Bench();
  for (const room of ['one', 'two']) await made.request('openRoom', { room });
  await made.openLeg('one', 'alice');
  return made;
}

it('plays to legs and rooms, and tells each end once', async () => {
  const made = await bench();
  await made.play('a', { leg: 'alice' });
  await made.play('b', { leg: 'alice' });
  await made.play('c', { room: 'one' }, 300);
  await made.play('d', { room: 'two' }, 5000);
  made.run(600);
  await made.request('stopSound', { playback: 'd' });
  await made.request('stopSound', { playback: 'a' });
  made.run(60);
  expect(made.ended).toEqual(['a finished', 'c finished', 'b finished', 'd stopped']);
});

it('says what is not there', async () => {
  const made = await bench();
  await expect(made.play('a', { leg: 'nobody' })).rejects.toMatchObject({ code: 'no-such-leg' });
  await expect(made.play('a', { room: 'nowhere' })).rejects.toMatchObject({ code: 'no-such-room' });
  await expect(made.request('moveLeg', { leg: 'nobody', room: 'two' })).rejects.toMatchObject({ code: 'no-such-leg' });
  const nowhere = made.request('moveLeg', { leg: 'alice', room: 'nowhere' });
  await expect(nowhere).rejects.toMatchObject({ code: 'no-such-room' });
  const params = { leg: 'nobody', path: '/x', maxMs: 1000, endsAtSilenceMs: 1000 };
  await expect(made.request('recordLeg', params)).rejects.toMatchObject({ code: 'no-such-leg' });
  await expect(made.request('stopSound', { playback: 'none' })).resolves.toEqual({});
});

it('moves a leg with its sounds, so that closing the room before does not touch it', async () => {
  const made = await bench();
  await made.play('a', { leg: 'alice' }, 400);
  const moved = made.request('moveLeg', { leg: 'alice', room: 'two' });
  made.run(40);
  await expect(moved).resolves.toEqual({});
  await made.request('closeRoom', { room: 'one' });
  made.run(100);
  expect(made.ended).toEqual([]);
  await expect(made.request('legStatistics', { leg: 'alice' })).resolves.toMatchObject({ packetsSent: 0 });
  await expect(made.request('moveLeg', { leg: 'alice', room: 'two' })).resolves.toEqual({});
  await made.request('closeRoom', { room: 'two' });
  expect(made.ended).toEqual(['a stopped']);
  await expect(made.request('legStatistics', { leg: 'alice' })).rejects.toMatchObject({ code: 'no-such-leg' });
});

it('moves a leg where it was last told to', async () => {
  const made = await bench();
  await made.request('openRoom', { room: 'three' });
  const moves = [
    made.request('moveLeg', { leg: 'alice', room: 'two' }),
    made.request('moveLeg', { leg: 'alice', room: 'three' }),
  ];
  made.run(40);
  await expect(Promise.all(moves)).resolves.toEqual([{}, {}]);
  await made.request('closeRoom', { room: 'one' });
  await made.request('closeRoom', { room: 'two' });
  await expect(made.request('legStatistics', { leg: 'alice' })).resolves.toBeDefined();
});

it('answers a move that comes to nothing, because the leg or a room was closed', async () => {
  const made = await bench();
  await made.openLeg('one', 'bob');
  const alice = made.request('moveLeg', { leg: 'alice', room: 'two' });
  await made.request('closeLeg', { leg: 'alice' });
  const bob = made.request('moveLeg', { leg: 'bob', room: 'two' });
  await made.request('closeRoom', { room: 'two' });
  made.run(40);
  await expect(alice).rejects.toMatchObject({ code: 'no-such-leg' });
  await expect(bob).rejects.toMatchObject({ code: 'no-such-room' });
  await made.request('openRoom', { room: 'two' });
  const again = made.request('moveLeg', { leg: 'bob', room: 'two' });
  await made.request('closeRoom', { room: 'one' });
  await expect(again).rejects.toMatchObject({ code: 'no-such-leg' });
});
