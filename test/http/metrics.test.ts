import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMetrics, metricNames } from '../../server/metrics.ts';
import { quietServer } from './running-api.ts';

const docs = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');

/** `name{labels}` → value. */
async function scrape(metrics: { page(): Promise<string> }): Promise<Map<string, number>> {
  const lines = (await metrics.page()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

describe('the metrics page', () => {
  it('tells what the source says, by its labels', async () => {
    const values = await scrape(createMetrics({ snapshot: async () => quietServer }, '1.2.3'));
    expect(Object.fromEntries(values)).toMatchObject({
      parley_rooms: 1,
      parley_participants: 2,
      parley_calls: 2,
      parley_calls_started_total: 5,
      'parley_calls_ended_total{cause="cancelled"}': 1,
      parley_timers: 3,
      'parley_sip_requests_received_total{method="INVITE"}': 5,
      'parley_sip_responses_sent_total{status="200"}': 7,
      parley_event_streams: 4,
      'parley_event_streams_dropped_total{reason="slow"}': 1,
      'parley_webhook_deliveries_total{result="retried"}': 3,
      parley_webhook_events_waiting: 6,
      parley_rtp_sockets: 8,
      'parley_rtp_socket_errors_total{mixer="1"}': 3,
      parley_rtp_ports_used: 8,
      parley_rtp_ports_resting: 4,
      'parley_mixer_up{mixer="0"}': 1,
      'parley_mixer_up{mixer="1"}': 0,
      'parley_mixer_tick_load{mixer="1"}': 0.25,
      'parley_mixer_tick_seconds_bucket{mixer="1",le="0.0002"}': 0,
      'parley_mixer_tick_seconds_bucket{mixer="1",le="0.1"}': 997,
      'parley_mixer_tick_seconds_bucket{mixer="1",le="+Inf"}': 1000,
      'parley_mixer_tick_seconds_sum{mixer="1"}': 0.4,
      'parley_mixer_tick_seconds_count{mixer="1"}': 1000,
      parley_video_mixer_restarts_total: 2,
      'parley_video_mixer_up{mixer="0"}': 1,
      'parley_video_mixer_load{mixer="0"}': 1.5,
      'parley_video_streams{mixer="0"}': 3,
      'parley_video_encodes_unshared_total{mixer="0"}': 900,
      'parley_process_cpu_seconds_total{process="video-mixer-0"}': 9,
      'parley_process_cpu_seconds_total{process="mixer-0"}': 1.5,
      'parley_build_info{version="1.2.3"}': 1,
    });
    expect(values.get('parley_process_cpu_seconds_total{process="server"}')).toBeGreaterThan(0);
  });

  it('puts methods that SIP does not know together: anybody can make them up', async () => {
    const values = await scrape(createMetrics({ snapshot: async () => quietServer }, '1'));
    expect(values.get('parley_sip_requests_received_total{method="other"}')).toBe(2);
    expect([...values.keys()].join()).not.toContain('NONSENSE');
  });

  it('does not add up what was a total already, and forgets labels that are gone', async () => {
    let snapshot = quietServer;
    const metrics = createMetrics({ snapshot: async () => snapshot }, '1');
    await metrics.page();
    snapshot = { ...quietServer, callsStarted: 6, mixers: [], videoMixers: [] };
    const values = await scrape(metrics);
    expect(values.get('parley_calls_started_total')).toBe(6);
    expect([...values.keys()].filter((name) => name.includes('mixer='))).toEqual([]);
  });

  it('counts HTTP answers', async () => {
    const metrics = createMetrics({ snapshot: async () => quietServer }, '1');
    metrics.countHttpRequest('GET', 200);
    metrics.countHttpRequest('GET', 200);
    expect((await scrape(metrics)).get('parley_http_requests_total{method="GET",status="200"}')).toBe(2);
  });

  it('has the metrics of docs/metrics.md, with their types, labels and meanings', async () => {
    const page = await createMetrics({ snapshot: async () => quietServer }, '1').page();
    const documented = [...docs.matchAll(/^\| `(parley_\w+)` \| (\w+) \| (.*?) ?\| (.+) \|$/gm)];
    expect(documented.map(([, name]) => name)).toEqual(metricNames);
    for (const [, name, type, , meaning] of documented) {
      expect(page).toContain(`# HELP ${name} ${meaning}\n# TYPE ${name} ${type}\n`);
    }
  });
});
