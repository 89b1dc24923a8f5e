import { afterEach, describe, expect, test } from 'vitest';
import { LossyRelay } from './clients/lossy-relay.ts';
import { Parley } from './clients/parley.ts';
import { eventually } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { SippClient } from './clients/sipp-client.ts';

const NOTHING_LEFT = [
  'parley_participants',
  'parley_calls',
  'parley_sip_transactions',
  'parley_rtp_sockets',
  'parley_rtp_ports_used',
];

/** A transaction lives for up to 64·T1 after its answer (RFC 3261 §17.2). */
const ALL_TIMERS_EXPIRED_MS = 45_000;

let parley: Parley;
let relay: LossyRelay | undefined;
afterEach(async () => {
  relay?.close();
  await parley?.stop();
});

describe.runIf(peersPresent('sipp'))('a network that loses 5% of SIP packets each way', () => {
  test('200 calls at 20 a second: all are answered, all end, and nothing is left of them', async () => {
    parley = await Parley.start({ env: { PARLEY_MAX_PARTICIPANTS: '250' } });
    const timersBefore = (await parley.metrics()).sum('parley_timers');
    relay = await LossyRelay.open({ serverPort: parley.sipPort, loss: 0.05, seed: 20 });
    const sipp = await SippClient.start({
      scenario: 'call-and-hang-up',
      room: 'lossy',
      serverPort: relay.port,
      calls: 200,
      callsPerSecond: 20,
      pauseMs: 3_000,
      keys: { tone_port: 9 },
    });
    const result = await sipp.finished(90_000);
    console.log(`${result.successful} calls; the relay lost ${relay.lost} of ${relay.lost + relay.forwarded} packets`);
    expect(result.exitCode, result.report).toBe(0);
    expect(result.successful).toBe(200);
    expect(relay.lost).toBeGreaterThan(20);

    const metrics = await eventually(
      'all that the calls used is given back',
      () => parley.metrics(),
      (now) => NOTHING_LEFT.every((name) => now.sum(name) === 0) && now.sum('parley_timers') <= timersBefore,
      ALL_TIMERS_EXPIRED_MS,
    ).catch(async (error: Error) => {
      const now = await parley.metrics();
      const left = [...NOTHING_LEFT, 'parley_timers'].map((name) => `${name} ${now.sum(name)}`).join(', ');
      throw new Error(`${error.message.slice(0, 80)}: ${left}; timers before: ${timersBefore}`);
    });
    expect(metrics.sum('parley_calls_started_total')).toBe(200);
    expect(metrics.sum('parley_calls_ended_total')).toBe(200);
  }, 180_000);
});
