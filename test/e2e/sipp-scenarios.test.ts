import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort, tcpListens } from './clients/free-ports.ts';
import { Parley } from './clients/parley.ts';
import { eventually } from './clients/pause.ts';
import { peersPresent } from './clients/peer-programs.ts';
import { builtInScenario, SippClient, type SippOptions } from './clients/sipp-client.ts';

/**
 * The scenarios that SIPp brings along, with us as the server. Those without digest for a client's REGISTER get it here;
 * SIPp knows MD5 alone. Left out is `regexp`: it is uac that wants letters for the name in our `o=`, where RFC 8866 §5.2
 * has "-".
 */
describe.runIf(peersPresent('sipp'))('SIPp’s own scenarios', () => {
  const domain = 'ca.cym.com';
  let parley: Parley;
  const played: SippClient[] = [];

  beforeAll(async () => {
    parley = await Parley.start({
      env: { PARLEY_AUDIO_MIXERS: '1', PARLEY_DOMAIN: domain, PARLEY_DIGEST_ALGORITHMS: 'MD5' },
    });
    await parley.api.putUser('ua1', 'wonderland');
  });

  afterAll(() => parley?.stop());

  /** Where one of two has failed, the other one waits for it. */
  afterEach(async () => {
    for (const sipp of played.splice(0)) await sipp.stop();
  });

  async function play(options: Omit<SippOptions, 'serverPort'>): Promise<void> {
    const sipp = await SippClient.start({ serverPort: parley.sipPort, ...options });
    played.push(sipp);
    const result = await sipp.finished(30_000);
    expect(result.exitCode, result.report).toBe(0);
    expect(result.successful).toBe(options.calls ?? 1);
    expect(result.failed).toBe(0);
  }

  /** All have said BYE, so nobody is left. */
  async function assertEmpty(room: string): Promise<void> {
    await eventually(
      `nobody is in ${room}`,
      () => parley.api.room(room).catch(() => null),
      (view) => view === null,
    );
  }

  test.each(['udp', 'tcp'] as const)('uac: 100 calls over %s, 50 a second', async (transport) => {
    await play({ scenario: { builtIn: 'uac' }, room: 'uac', transport, calls: 100, callsPerSecond: 50, pauseMs: 200 });
    await assertEmpty('uac');
  });

  test.each(['udp', 'tcp'] as const)('branchc, with the password that we ask for, over %s', async (transport) => {
    await play({ scenario: { xml: withPassword(builtInScenario('branchc')) }, room: 'unused', transport, calls: 3 });
    await assertEmpty('ua2');
    expect(await parley.api.registrations('ua1')).not.toHaveLength(0);
  });

  test('branchc as it is: without a password nobody is registered', async () => {
    const { sipPort: serverPort } = parley;
    const sipp = await SippClient.start({ scenario: { builtIn: 'branchc' }, room: 'unused', serverPort });
    const result = await sipp.finished(20_000);
    expect(result.failed, result.report).toBe(1);
    expect(result.report).toMatch(/401 Unauthorized/);
  });

  test('3pcc: a controller connects two calls to us with each other', async () => {
    const controllersMeetAt = await freePort();
    const second = play({ scenario: { builtIn: '3pcc-C-B' }, room: 'side-b', controllersMeetAt, calls: 3 });
    // The first one ends if it finds nobody there.
    const there = eventually('the second listens', () => tcpListens(controllersMeetAt), Boolean);
    const first = there.then(() =>
      play({ scenario: { builtIn: '3pcc-C-A' }, room: 'side-a', controllersMeetAt, calls: 3 }),
    );
    await Promise.all([first, second]);
    await assertEmpty('side-a');
    await assertEmpty('side-b');
  });

  /** In place of that of an attempt that failed. */
  async function makeRoom(name: string): Promise<void> {
    await parley.api.deleteRoom(name).catch(() => {});
    await parley.api.createRoom({ name });
  }

  /** Calls SIPp from a room, and gives it when it has gone through its scenario; `end` ends the call before that. */
  async function callSipp(scenario: SippOptions['scenario'], room: string, end: () => Promise<unknown>): Promise<void> {
    const sipPort = await freePort();
    const sipp = await SippClient.start({ scenario, room: 'unused', serverPort: parley.sipPort, sipPort });
    await makeRoom(room);
    await parley.api.addParticipant(room, { uri: `sip:anybody@127.0.0.1:${sipPort}` });
    await end().catch(async (error: unknown) => {
      await sipp.stop();
      throw error;
    });
    const result = await sipp.finished(20_000);
    expect(result.exitCode, result.report).toBe(0);
    expect(result.successful, result.report).toBe(1);
  }

  const states = async (room: string): Promise<string[]> =>
    (await parley.api.participants(room)).map(({ state }) => state);

  async function endWhenAnswered(room: string): Promise<void> {
    await eventually(
      'it is answered',
      () => states(room),
      (all) => all[0] === 'connected',
    );
    await parley.api.deleteRoom(room);
  }

  /** The sides of 3pcc are servers as uas is, for controllers; we call them as those do. */
  test.each(['uas', '3pcc-A', '3pcc-B'])('%s: a call that we make, and end', (builtIn) =>
    callSipp({ builtIn }, `out-${builtIn.toLowerCase()}`, () => endWhenAnswered(`out-${builtIn.toLowerCase()}`)),
  );

  /** It waits for a REGISTER first, which we send nobody: from there on it is for those whom we call. */
  describe('branchs, from its INVITE on', () => {
    const scenario = () => ({
      xml: builtInScenario('branchs').replace(/<recv request="REGISTER">[\s\S]*?<\/send>/, ''),
    });

    test('rings, says 100 after 180, and answers who calls as ua2; we end the call', () =>
      callSipp(scenario(), 'ua2', () => endWhenAnswered('ua2')));

    test('refuses others with 403, which is acknowledged and logged', async () => {
      const sipPort = await freePort();
      const sipp = await SippClient.start({
        scenario: scenario(),
        room: 'unused',
        serverPort: parley.sipPort,
        sipPort,
      });
      await makeRoom('ua7');
      await parley.api.addParticipant('ua7', { uri: `sip:anybody@127.0.0.1:${sipPort}` });
      await eventually(
        'the call has ended',
        async () => parley.logLines().find((line) => line.includes('"call ended"') && line.includes('"room":"ua7"')),
        (line) => line?.includes('"status":403') === true,
      );
      await sipp.stop();
    });
  });

  /** The REGISTER again with credentials, in our domain; and none of its pauses for people. */
  function withPassword(scenario: string): string {
    const inDomain = scenario.replaceAll('nnl.cym:[local_port]', domain).replaceAll('nnl.cym:[remote_port]', domain);
    const [register] = /<send retrans="500">[\s\S]*?<\/send>/.exec(inDomain)!;
    const again = register
      .replace('CSeq: 1 REGISTER', 'CSeq: 2 REGISTER')
      .replace('Expires: 300', 'Expires: 300\n      [authentication username=ua1 password=wonderland]');
    return inDomain
      .replace(register, () => `${register}\n<recv response="401" auth="true"/>\n${again}`)
      .replace(/<pause milliseconds="\d+"\/>/g, '<pause milliseconds="200"/>');
  }
});
