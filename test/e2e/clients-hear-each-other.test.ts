import { afterEach, describe, expect, test } from 'vitest';
import { BaresipClient } from './clients/baresip-client.ts';
import { LinphoneClient } from './clients/linphone-client.ts';
import { pause } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { assertWhoHearsWhom, edgeTimeMs } from './clients/tone-levels.ts';
import type { VoiceClient } from './clients/voice-client.ts';

/** The measuring instruments themselves: two clients call each other, without any server of ours. */

const LOW = { name: 'low', frequencyHz: 440, levelDbfs: -12 };
const HIGH = { name: 'high', frequencyHz: 1_000, levelDbfs: -18 };

let clients: VoiceClient[] = [];
afterEach(async () => {
  await Promise.all(clients.map((client) => client.stop()));
  clients = [];
});

async function assertTheyHearEachOther(): Promise<void> {
  await pause(1_500);
  const toMs = performance.now() - 300;
  assertWhoHearsWhom({
    voices: [LOW, HIGH],
    listeners: clients.map((client) => ({ name: client.voice.name, hearing: client.hearing() })),
    fromMs: toMs - 800,
    toMs,
  });
}

describe.runIf(peersPresent('baresip'))('baresip as a measuring instrument', () => {
  test.each(['PCMU', 'PCMA', 'G722', 'opus'] as const)('two with %s hear each other’s tone', async (codec) => {
    const caller = await BaresipClient.start({ voice: LOW, codec });
    clients.push(caller);
    const called = await BaresipClient.start({ voice: HIGH, codec, autoAnswer: true });
    clients.push(called);
    await caller.dial(called.sipUri);
    await called.established(15_000);
    await assertTheyHearEachOther();
  });

  test('sees a tone go within its playout delay when the other mutes, and come back', async () => {
    const caller = await BaresipClient.start({ voice: LOW, codec: 'PCMU' });
    clients.push(caller);
    const called = await BaresipClient.start({ voice: HIGH, codec: 'PCMU', autoAnswer: true });
    clients.push(called);
    await caller.dial(called.sipUri);
    await called.established(15_000);
    await pause(800);
    const mutedAt = performance.now();
    await caller.toggleMute();
    await pause(500);
    const unmutedAt = performance.now();
    await caller.toggleMute();
    await pause(500);
    const gone = edgeTimeMs(called.hearing(), LOW, 'disappears', mutedAt - 100, mutedAt + 300);
    const back = edgeTimeMs(called.hearing(), LOW, 'appears', unmutedAt - 100, unmutedAt + 300);
    console.log(
      `baresip: gone after ${(gone ?? Number.NaN) - mutedAt} ms, back after ${(back ?? Number.NaN) - unmutedAt} ms`,
    );
    expect(gone).not.toBeNull();
    expect(back).not.toBeNull();
    expect(Math.abs(gone! - mutedAt)).toBeLessThan(20 + caller.playoutDelayMs + 20);
    expect(Math.abs(back! - unmutedAt)).toBeLessThan(20 + caller.playoutDelayMs + 20);
  });
});

describe.runIf(peersPresent('linphonec'))('linphone as a measuring instrument', () => {
  test.each(['PCMU (8000)', 'PCMA (8000)', 'G722 (8000)', 'opus (48000)'] as const)(
    'two with %s hear each other’s tone',
    async (codec) => {
      const caller = await LinphoneClient.start({ voice: LOW, codec });
      clients.push(caller);
      const called = await LinphoneClient.start({ voice: HIGH, codec, autoAnswer: true });
      clients.push(called);
      await caller.dial(called.sipUri);
      await called.established(15_000);
      await assertTheyHearEachOther();
    },
  );

  test.runIf(peersPresent('baresip')).each([
    ['PCMU', 'PCMU (8000)'],
    ['G722', 'G722 (8000)'],
    ['opus', 'opus (48000)'],
  ] as const)('hears baresip’s tone with %s at its level, and the other way round', async (codec, linphoneCodec) => {
    const caller = await BaresipClient.start({ voice: LOW, codec });
    clients.push(caller);
    const called = await LinphoneClient.start({ voice: HIGH, codec: linphoneCodec, autoAnswer: true });
    clients.push(called);
    await caller.dial(called.sipUri);
    await called.established(15_000);
    await assertTheyHearEachOther();
  });

  test.runIf(peersPresent('baresip'))('sees a tone go within its playout delay, and come back', async () => {
    const caller = await BaresipClient.start({ voice: LOW, codec: 'PCMU' });
    clients.push(caller);
    const called = await LinphoneClient.start({ voice: HIGH, codec: 'PCMU (8000)', autoAnswer: true });
    clients.push(called);
    await caller.dial(called.sipUri);
    await called.established(15_000);
    await pause(1_500);
    const mutedAt = performance.now();
    await caller.toggleMute();
    await pause(800);
    const unmutedAt = performance.now();
    await caller.toggleMute();
    await pause(1_000);
    const gone = edgeTimeMs(called.hearing(), LOW, 'disappears', mutedAt - 100, mutedAt + 500);
    const back = edgeTimeMs(called.hearing(), LOW, 'appears', unmutedAt - 100, unmutedAt + 500);
    console.log(
      `linphone: gone after ${(gone ?? Number.NaN) - mutedAt} ms, back after ${(back ?? Number.NaN) - unmutedAt} ms`,
    );
    expect(gone).not.toBeNull();
    expect(back).not.toBeNull();
    expect(Math.abs(gone! - mutedAt)).toBeLessThan(20 + called.playoutDelayMs + 20);
    expect(Math.abs(back! - unmutedAt)).toBeLessThan(20 + called.playoutDelayMs + 20);
  });
});
