import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeConfig, describeProblems, helpText } from '../../server/config/describe.ts';
import type { Environment } from '../../server/config/environment.ts';
import { flagOf, scalarKeys, variableOf } from '../../server/config/given.ts';
import { type Host, thisHost } from '../../server/config/host.ts';
import { loadConfig } from '../../server/config/load.ts';
import { configKeys } from '../../server/config/schema.ts';

const ipv4 = (address: string, internal = false) => ({
  address,
  netmask: '255.255.255.0',
  family: 'IPv4' as const,
  mac: '00:00:00:00:00:00',
  internal,
  cidr: `${address}/24`,
});

const host: Host = {
  interfaces: { lo: [ipv4('127.0.0.1', true)], docker0: [ipv4('172.17.0.1')], eth0: [ipv4('192.0.2.10')] },
  cores: 4,
  cannotWriteTo: () => null,
};

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'parley-config-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

const load = (argv: string[] = [], env: Environment = {}, file?: string, on: Partial<Host> = {}) => {
  if (file !== undefined) writeFileSync(join(cwd, 'parley.yaml'), file);
  return loadConfig({ argv, env, cwd, host: { ...host, ...on } });
};

const good = (...input: Parameters<typeof load>) => {
  const loaded = load(...input);
  if (!loaded.ok) throw new Error(describeProblems(loaded.problems));
  return loaded;
};

/** As people read them. */
const problems = (...input: Parameters<typeof load>) => {
  const loaded = load(...input);
  return loaded.ok ? [] : describeProblems(loaded.problems).split('\n');
};

describe('the configuration of a server that nobody configured', () => {
  it('has the documented defaults', () => {
    expect(good().config).toEqual({
      bind: '0.0.0.0',
      publicAddress: ['192.0.2.10'],
      domain: '192.0.2.10',
      sipPort: 5060,
      sipsPort: 5061,
      tls: true,
      tlsCertificate: undefined,
      tlsKey: undefined,
      tlsVerify: 'names',
      tlsClientCa: undefined,
      bfcpPort: 5070,
      httpBind: '127.0.0.1',
      httpPort: 8080,
      httpTls: false,
      webSocketOrigins: [],
      httpCorsOrigins: [],
      webhookAddresses: [],
      trustedPeers: [],
      rtpMin: 16384,
      rtpMax: 32767,
      dataDir: join(cwd, 'data'),
      promptsDir: undefined,
      apiToken: undefined,
      adhocRooms: 'private',
      digestAlgorithms: ['SHA-256', 'SHA-512-256', 'MD5'],
      digestQop: ['auth'],
      registrationMinSeconds: 60,
      registrationMaxSeconds: 3600,
      maxContactsPerUser: 10,
      maxRegistrations: 100_000,
      banAfterFailures: 10,
      failureWindowSeconds: 60,
      banSeconds: 600,
      requestsPerSecondPerAddress: 100,
      requestsPerSecondPerPrivateAddress: 1000,
      scannerUserAgents: [],
      rooms: [{ name: 'demo', maxParticipants: 250 }],
      maxParticipants: 250,
      maxCalls: 1000,
      audioMixers: 4,
      videoMixers: 1,
      maxMixerLoad: 0.7,
      codecs: ['opus', 'G722', 'PCMA', 'PCMU'],
      videoCodecs: ['H264', 'VP8'],
      videoEncoder: 'software',
      videoFont: undefined,
      srtp: 'optional',
      opusComplexity: 5,
      maxTalkers: 4,
      automaticGain: 'gentle',
      comfortNoiseDb: -65,
      rtpSilenceTimeoutSeconds: 60,
      recordsDays: 90,
      recordingMinFreeMb: 500,
      recordingFormats: ['m4a'],
      recordingNormalize: false,
      recordingKeepDays: 0,
      recordingKeepGb: 0,
      recordingKeepLocal: true,
      recordingS3Region: 'us-east-1',
      recordingS3Prefix: '',
      recordingS3PathStyle: true,
      logLevel: 'info',
    });
  });

  it('is fine on this very machine', () => {
    const loaded = loadConfig({ argv: ['--check'], env: {}, cwd });
    expect(loaded).toMatchObject({ ok: true, options: { check: true } });
  });
});

describe('where values come from', () => {
  it('flags go over variables, variables over the file', () => {
    const file = 'sipPort: 1001\nhttpPort: 1002\nlogLevel: warn\n';
    const { config, sources } = good(
      ['--sip-port', '3001'],
      { PARLEY_SIP_PORT: '2001', PARLEY_HTTP_PORT: '2002' },
      file,
    );
    expect(config).toMatchObject({ sipPort: 3001, httpPort: 2002, logLevel: 'warn' });
    expect(sources).toMatchObject({
      sipPort: { kind: 'flag', name: '--sip-port' },
      httpPort: { kind: 'variable', name: 'PARLEY_HTTP_PORT' },
      logLevel: { kind: 'file', file: 'parley.yaml', line: 3 },
      adhocRooms: { kind: 'default' },
      publicAddress: { kind: 'found', how: 'network interface eth0' },
    });
  });

  const texts: Record<string, [text: string, value: unknown]> = {
    bind: ['127.0.0.1', '127.0.0.1'],
    publicAddress: ['198.51.100.1', ['198.51.100.1']],
    domain: ['sip.example.com', 'sip.example.com'],
    sipPort: ['0', 0],
    sipsPort: ['0', 0],
    tls: ['false', false],
    tlsCertificate: ['/etc/parley/fullchain.pem', '/etc/parley/fullchain.pem'],
    tlsKey: ['/etc/parley/privkey.pem', '/etc/parley/privkey.pem'],
    tlsVerify: ['all', 'all'],
    tlsClientCa: ['/etc/parley/peers.pem', '/etc/parley/peers.pem'],
    bfcpPort: ['0', 0],
    httpBind: ['0.0.0.0', '0.0.0.0'],
    httpPort: ['0', 0],
    httpTls: ['true', true],
    webSocketOrigins: ['https://phone.example.com, *', ['https://phone.example.com', '*']],
    httpCorsOrigins: ['https://app.example.com, *', ['https://app.example.com', '*']],
    webhookAddresses: ['127.0.0.1, fd00::/8', ['127.0.0.1', 'fd00::/8']],
    trustedPeers: ['192.0.2.10, 2001:db8::/32', ['192.0.2.10', '2001:db8::/32']],
    rtpMin: ['20000', 20000],
    rtpMax: ['40000', 40000],
    dataDir: ['/var/lib/parley', '/var/lib/parley'],
    promptsDir: ['/etc/parley/prompts', '/etc/parley/prompts'],
    apiToken: ['secret-token', 'secret-token'],
    adhocRooms: ['anyone', 'anyone'],
    digestAlgorithms: ['md5, sha-256', ['MD5', 'SHA-256']],
    digestQop: ['auth,auth-int', ['auth', 'auth-int']],
    registrationMinSeconds: ['30', 30],
    registrationMaxSeconds: ['7200', 7200],
    maxContactsPerUser: ['3', 3],
    maxRegistrations: ['500', 500],
    banAfterFailures: ['5', 5],
    failureWindowSeconds: ['300', 300],
    banSeconds: ['3600', 3600],
    requestsPerSecondPerAddress: ['20', 20],
    requestsPerSecondPerPrivateAddress: ['200', 200],
    scannerUserAgents: ['nessus, zgrab', ['nessus', 'zgrab']],
    maxParticipants: ['7', 7],
    maxCalls: ['20', 20],
    audioMixers: ['2', 2],
    videoMixers: ['0', 0],
    videoCodecs: ['vp8,h264', ['VP8', 'H264']],
    videoEncoder: ['nvenc', 'nvenc'],
    videoFont: ['/usr/share/font.ttf', '/usr/share/font.ttf'],
    maxMixerLoad: ['0.9', 0.9],
    codecs: ['pcmu, OPUS', ['PCMU', 'opus']],
    srtp: ['required', 'required'],
    opusComplexity: ['10', 10],
    maxTalkers: ['6', 6],
    automaticGain: ['on', 'on'],
    comfortNoiseDb: ['-70', -70],
    rtpSilenceTimeoutSeconds: ['5', 5],
    recordsDays: ['30', 30],
    recordingMinFreeMb: ['50', 50],
    recordingFormats: ['mp3,wav', ['mp3', 'wav']],
    recordingNormalize: ['true', true],
    recordingKeepDays: ['30', 30],
    recordingKeepGb: ['2.5', 2.5],
    recordingKey: ['0f'.repeat(32), Buffer.alloc(32, 15).toString('base64')],
    recordingKeepLocal: ['false', false],
    recordingFolder: ['/var/recordings', '/var/recordings'],
    recordingS3Bucket: ['meetings', 'meetings'],
    recordingS3Endpoint: ['http://127.0.0.1:9000', 'http://127.0.0.1:9000'],
    recordingS3Region: ['eu-central-1', 'eu-central-1'],
    recordingS3Prefix: ['parley/main', 'parley/main'],
    recordingS3PathStyle: ['false', false],
    recordingS3AccessKeyId: ['AKIA', 'AKIA'],
    recordingS3SecretAccessKey: ['secret', 'secret'],
    logLevel: ['debug', 'debug'],
  };

  /** What must be given with it. */
  const companions: Record<string, string[]> = {
    tlsCertificate: ['--tls-key', 'key.pem'],
    tlsKey: ['--tls-certificate', 'certificate.pem'],
    recordingKeepLocal: ['--recording-s3-bucket', 'recordings'],
    recordingS3AccessKeyId: ['--recording-s3-secret-access-key', 'secret'],
    recordingS3SecretAccessKey: ['--recording-s3-access-key-id', 'AKIA'],
  };

  it('has a case below for every key', () => {
    expect(Object.keys(texts).sort()).toEqual([...scalarKeys].sort());
  });

  it.each(Object.entries(texts))('%s can be a variable, and a flag in both spellings', (key, [text, value]) => {
    const others = companions[key] ?? [];
    expect(good(others, { [variableOf(key)]: text }).config).toHaveProperty(key, value);
    expect(good([flagOf(key), text, ...others]).config).toHaveProperty(key, value);
    expect(good([`${flagOf(key)}=${text}`, ...others]).config).toHaveProperty(key, value);
  });

  it('spells the fixed names', () => {
    expect(variableOf('adhocRooms')).toBe('PARLEY_ADHOC_ROOMS');
    expect(flagOf('rtpSilenceTimeoutSeconds')).toBe('--rtp-silence-timeout-seconds');
  });

  it('reads JSON as well as YAML', () => {
    writeFileSync(join(cwd, 'parley.json'), '{\n "sipPort": 6000,\n "codecs": ["G722"]\n}');
    expect(good().config).toMatchObject({ sipPort: 6000, codecs: ['G722'] });
  });

  it.each([
    ['the flag', ['--config', 'other.yaml'], {}],
    ['the variable', [], { PARLEY_CONFIG: 'other.yaml' }],
  ])('takes the file that %s names, instead of its own', (_by, argv, env) => {
    writeFileSync(join(cwd, 'other.yaml'), 'sipPort: 6001');
    const { config, sources } = good(argv, env, 'sipPort: 6002\nlogLevel: warn');
    expect(config).toMatchObject({ sipPort: 6001, logLevel: 'info' });
    expect(sources.sipPort).toEqual({ kind: 'file', file: 'other.yaml', line: 1 });
  });

  it('an empty file says nothing, nor does one of comments', () => {
    expect(good([], {}, '').config.sipPort).toBe(5060);
    expect(good([], {}, '# later\n').config.sipPort).toBe(5060);
  });

  it('an empty variable counts as not set', () => {
    expect(good([], { PARLEY_API_TOKEN: '', PARLEY_CONFIG: '' }).config.apiToken).toBeUndefined();
  });

  it("leaves the test suite's own variable alone", () => {
    expect(good([], { PARLEY_REQUIRE_PEERS: '1', PATH: '/bin' }).ok).toBe(true);
  });
});

describe('rooms in the file', () => {
  it('take what they do not say from the general settings', () => {
    const file =
      'maxParticipants: 12\nrooms:\n  - name: Board\n    locked: true\n  - { name: hall, maxParticipants: 99 }\n';
    expect(good([], {}, file).config.rooms).toEqual([
      { name: 'board', maxParticipants: 12, locked: true },
      { name: 'hall', maxParticipants: 99 },
    ]);
  });

  it('have PINs and times that go together', () => {
    const rooms = "rooms:\n  - { name: board, pin: '1234', moderatorPin: '1234' }\n  - { name: hall, pin: 4711 }\n";
    expect(problems([], {}, rooms)).toEqual([
      expect.stringContaining('rooms.1.pin: must be 4 to 16 digits in quotes, or null'),
    ]);
    const equal = "rooms:\n  - { name: board, pin: '1234', moderatorPin: '1234' }\n";
    expect(problems([], {}, equal)).toEqual([
      expect.stringContaining('board: moderatorPin must be another one than `pin`'),
    ]);
    expect(problems([], {}, equal).join()).not.toContain('1234');
    const { config, sources } = good([], {}, "rooms:\n  - { name: board, pin: '1234' }\n");
    expect(describeConfig(config, sources)).not.toContain('1234');
  });

  it('may be none', () => {
    expect(good([], {}, 'rooms: []').config.rooms).toEqual([]);
  });

  it('tell where in them the mistake is', () => {
    const file =
      'rooms:\n  - name: fine\n  - name: not fine\n    maxParticipants: lots\n    locked: yes\n    lockd: 1\n';
    expect(problems([], {}, file)).toEqual([
      'parley.yaml:3: rooms.1.name: given "not fine"; must be 1 to 64 letters, digits, ".", "_", "-" and "+", of which the first is a letter, a digit or "+"',
      'parley.yaml:4: rooms.1.maxParticipants: given "lots"; must be a whole number from 1 to 10000',
      'parley.yaml:5: rooms.1.locked: given "yes"; must be true or false',
      'parley.yaml:6: rooms.1.lockd: given 1; there is no such key in a room; perhaps locked was meant',
    ]);
  });

  it('cannot have the same name, whatever the case', () => {
    expect(problems([], {}, 'rooms: [{name: a}, {name: A}]')).toEqual([
      'parley.yaml:1: rooms: given [{"name":"a"},{"name":"A"}]; must be a list of rooms, no name twice',
    ]);
  });
});

describe('mistakes', () => {
  it('are told all at once: what, where, what was given, and what would be right', () => {
    const file = 'adhocRooms: everybody\n\nsipport: 5060\n';
    const env = { PARLEY_HTTP_PORT: '80a', PARLEY_RTP_MIM: '2' };
    expect(problems(['--log-level=loud', '--sip-prot', '5070'], env, file)).toEqual([
      'parley.yaml:3: there is no key "sipport"; perhaps sipPort was meant',
      'PARLEY_RTP_MIM: there is no variable "PARLEY_RTP_MIM"; perhaps PARLEY_RTP_MIN was meant',
      '--sip-prot: there is no flag "--sip-prot"; perhaps --sip-port was meant',
      'parley.yaml:1: adhocRooms: given "everybody"; must be one of anyone, private, users, nobody',
      'PARLEY_HTTP_PORT: httpPort: given "80a"; must be a port, 0 to 65535',
      '--log-level: logLevel: given "loud"; must be one of trace, debug, info, warn, error, fatal, silent',
    ]);
  });

  it.each([
    ['--bind', 'localhost', 'an IP address of this host, or 0.0.0.0 (IPv6: ::) for all'],
    ['--public-address', '0.0.0.0', 'an IP address that others can send to, such as 192.0.2.10'],
    ['--public-address', 'sip.example.com', 'an IP address that others can send to, such as 192.0.2.10'],
    ['--domain', 'no domain', 'a host name such as example.com, or an IP address'],
    ['--sip-port', '65536', 'a port, 0 to 65535'],
    ['--sip-port', '-1', 'a port, 0 to 65535'],
    ['--sip-port', '5060.5', 'a port, 0 to 65535'],
    ['--http-bind', '::g', 'an IP address of this host, or 0.0.0.0 (IPv6: ::) for all'],
    ['--rtp-min', '16385', 'an even port, 1024 to 65534'],
    ['--rtp-max', '70000', 'a port, 1025 to 65535, above `rtpMin`'],
    ['--max-participants', '0', 'a whole number from 1 to 10000'],
    ['--max-calls', 'many', 'a whole number from 1 to 16384'],
    ['--audio-mixers', '0', 'a whole number from 1 to 256'],
    ['--opus-complexity', '11', 'a whole number from 0 to 10'],
    ['--rtp-silence-timeout-seconds', '0', 'a whole number of seconds from 1 to 86400'],
  ])('refuses %s %s', (flag, text, right) => {
    const found = problems([flag, text]);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${flag}: \\w+: given "?${text}"?; must be `));
    expect(found[0]).toContain(`must be ${right}`);
  });

  it.each(['192.0.2', '192.0.2.0/33', 'example.com', '2001:db8::/129', '10.0.0.0/'])(
    'refuses the range %s',
    (range) => {
      expect(problems(['--trusted-peers', range])[0]).toMatch(/^--trusted-peers: trustedPeers/);
    },
  );

  it.each(['opus,opus', 'GSM', ','])('refuses the codecs %s', (codecs) => {
    expect(problems(['--codecs', codecs])[0]).toMatch(/^--codecs: codecs/);
  });

  it('refuses a wrong token without telling it', () => {
    const found = problems([], { PARLEY_API_TOKEN: 'two words' });
    expect(found[0]).toMatch(/^PARLEY_API_TOKEN: apiToken: must be letters/);
    expect(found.join()).not.toContain('two words');
  });

  it.each([
    [['--sip-port'], '--sip-port: sipPort: needs a value'],
    [['--sip-port', '--check'], '--sip-port: sipPort: needs a value'],
    [['--check=yes'], '--check: takes no value'],
    [['--sip-port', '1', '--sip-port', '2'], '--sip-port: sipPort: is given twice'],
    [['start'], 'start: there is no flag "start"; perhaps --domain was meant'],
    [['--rooms', '[]'], '--rooms: there is no flag "--rooms"'],
  ])('refuses the command line %j', (argv, said) => {
    expect(problems(argv).join()).toContain(said.replace(/; perhaps.*/, ''));
  });

  it('refuses a file that was named and is not there', () => {
    expect(problems(['--config', 'missing.yaml'])).toEqual([
      '--config: the file missing.yaml cannot be read: there is no such file',
    ]);
    expect(problems([], { PARLEY_CONFIG: 'missing.yaml' })[0]).toMatch(/^PARLEY_CONFIG: /);
  });

  it('refuses a file that is a directory', () => {
    mkdirSync(join(cwd, 'parley.yaml'));
    expect(problems()[0]).toContain('parley.yaml cannot be read');
  });

  it.each([
    ['sipPort: 1\nsipPort: 2\n', 2],
    ['a: [1\nb: 2\n', 2],
    ['- sipPort\n', 1],
    ['just text\n', 1],
    ['sipPort: *nowhere\n', 1],
  ])('refuses a file that is no mapping, or has faults: %j', (file, line) => {
    expect(problems([], {}, file)[0]).toMatch(new RegExp(`^parley.yaml:${line}: `));
  });

  it('refuses aliases that unfold without end', () => {
    const level = (n: number) => `l${n}: &l${n} [${Array(10).fill(n === 0 ? 'x' : `*l${n - 1}`)}]\n`;
    const file = Array.from({ length: 9 }, (_, n) => level(n)).join('');
    expect(problems([], {}, file).join()).toContain('aliases unfold to too much');
  });

  it('refuses a key without a value', () => {
    expect(problems([], {}, 'sipPort:\n')).toEqual(['parley.yaml:1: sipPort: given null; must be a port, 0 to 65535']);
  });

  it('looks at a value even if another goes over it', () => {
    expect(problems(['--sip-port', '5070'], {}, 'sipPort: high')).toHaveLength(1);
  });
});

describe('what no value shows alone', () => {
  it('refuses an address that this host does not have', () => {
    expect(problems(['--bind', '192.0.2.99', '--http-bind', '192.0.2.98'])).toEqual([
      '--bind: bind: given "192.0.2.99"; must be an address of this host, or 0.0.0.0 for all; this host has 127.0.0.1, 172.17.0.1, 192.0.2.10',
      '--http-bind: httpBind: given "192.0.2.98"; must be an address of this host, or 0.0.0.0 for all; this host has 127.0.0.1, 172.17.0.1, 192.0.2.10',
    ]);
    expect(problems(['--bind', '127.9.9.9'])).toEqual([]);
  });

  it('refuses a public address of another family', () => {
    expect(problems(['--public-address', '2001:db8::1'])[0]).toContain('same family as bind, which is 0.0.0.0');
    expect(problems(['--public-address', '192.0.2.10,2001:db8::1'])[0]).toContain('same family as bind');
    expect(problems(['--bind', '::', '--public-address', '192.0.2.10,2001:db8::1'])).toEqual([]);
  });

  it('listens for both families with ::, and tells each its own address', () => {
    const publicAddress = (...argv: string[]) => good(['--bind', '::', ...argv]).config.publicAddress;
    expect(publicAddress()).toEqual(['::1', '192.0.2.10']);
    expect(publicAddress('--public-address', '2001:db8::1')).toEqual(['2001:db8::1', '192.0.2.10']);
    expect(publicAddress('--public-address', '203.0.113.1')).toEqual(['203.0.113.1']);
    expect(publicAddress('--public-address', '203.0.113.1, 2001:db8::1')).toEqual(['203.0.113.1', '2001:db8::1']);
    expect(problems(['--public-address', '203.0.113.1,203.0.113.2'])[0]).toContain('or one of each family');
  });

  it('refuses half of a certificate and its key', () => {
    expect(problems(['--tls-certificate', 'a.pem'])[0]).toContain('must have `tlsKey` with it');
    expect(problems(['--tls-key', 'a.pem'])[0]).toContain('must have `tlsCertificate` with it');
    expect(good(['--tls-certificate', 'a.pem', '--tls-key', '/b.pem']).config).toMatchObject({
      tlsCertificate: join(cwd, 'a.pem'),
      tlsKey: '/b.pem',
    });
  });

  it('refuses a port for TLS that is taken by others', () => {
    expect(problems(['--sips-port', '5060'])[0]).toContain('must not be the same as sipPort');
    expect(problems(['--sips-port', '8080'])[0]).toContain('sipsPort: given 8080; must not be the same as httpPort');
    expect(problems(['--sips-port', '5060', '--tls', 'false'])).toEqual([]);
  });

  it('refuses a port for floor control that is taken by others, and lets its default give way', () => {
    expect(problems(['--bfcp-port', '5060'])[0]).toContain('bfcpPort: given 5060; must not be the same as sipPort');
    expect(problems(['--bfcp-port', '5061'])[0]).toContain('must not be the same as sipsPort');
    expect(problems(['--bfcp-port', '8080'])[0]).toContain('must not be the same as httpPort');
    expect(problems(['--bfcp-port', '20000'])[0]).toContain('must not be one of the media ports');
    expect(problems(['--bfcp-port', '5061', '--tls', 'false'])).toEqual([]);
    expect(problems(['--sip-port', '5070'])).toEqual([]);
  });

  it('refuses a media port range that is upside down or empty', () => {
    expect(problems(['--rtp-min', '20000', '--rtp-max', '20000'])).toEqual([
      '--rtp-max: rtpMax: given 20000; rtpMax must be above rtpMin, which is 20000',
    ]);
    expect(problems(['--rtp-min', '40000'])[0]).toMatch(/^--rtp-min: rtpMin: given 40000; rtpMax must be above/);
  });

  it('refuses more calls, mixers or participants than there are media ports for', () => {
    const small = ['--rtp-min', '20000', '--rtp-max', '20019'];
    expect(problems([...small, '--max-calls', '11'])[0]).toContain(
      'must be at most 10: 20000 to 20019 hold ports for 10',
    );
    expect(problems([...small, '--audio-mixers', '8'])[0]).toContain('must be at most 7');
    expect(problems([...small, '--audio-mixers', '2', '--max-participants', '4'])[0]).toContain(
      'no room can hold more than 3',
    );
    expect(problems([...small, '--audio-mixers', '2'], {}, 'rooms: [{name: hall, maxParticipants: 4}]')[0]).toContain(
      'hall: no room can hold more than 3',
    );
  });

  it('gives video a third of the media ports, and none that calls need which somebody asked for', () => {
    const small = ['--rtp-min', '20000', '--rtp-max', '20019'];
    const without = [...small, '--video-mixers', '0'];
    expect(problems([...small, '--video-mixers', '4'])[0]).toContain(
      'must be at most 3: 20000 to 20019 hold ports for 3 video streams beside 7 calls',
    );
    expect(problems([...without, '--audio-mixers', '2', '--max-participants', '5'])).toEqual([]);
    expect(good(without).config).toMatchObject({ maxCalls: 10, videoMixers: 0 });
    const { config, sources } = good([...small, '--max-calls', '10']);
    expect(config).toMatchObject({ maxCalls: 10, videoMixers: 0 });
    expect(sources.videoMixers).toEqual({ kind: 'found', how: 'as media ports allow' });
    expect(good([...small, '--max-calls', '9']).config.videoMixers).toBe(1);
  });

  it('refuses to keep recordings nowhere', () => {
    const keepNone = ['--recording-keep-local', 'false'];
    expect(problems(keepNone)[0]).toContain('recordingKeepLocal: given false; must have recordingFolder or');
    expect(problems([...keepNone, '--recording-s3-bucket', 'recordings'])).toEqual([]);
  });

  it('makes do with few media ports where nobody asked for more', () => {
    const { config } = good(['--rtp-min', '20000', '--rtp-max', '20019']);
    expect(config).toMatchObject({ maxCalls: 7, audioMixers: 1, videoMixers: 1 });
    expect(good(['--max-participants', '2000']).config.audioMixers).toBe(2);
  });

  it('refuses a SIP port among the media ports, and two servers on one port', () => {
    expect(problems(['--sip-port', '16400'])[0]).toContain('must not be one of the media ports');
    expect(problems(['--sip-port', '8080'])[0]).toContain('sipPort: given 8080; must not be the same as httpPort');
    const media = problems(['--rtp-min', '5000', '--rtp-max', '6000', '--max-calls', '100'])[0];
    expect(media).toContain('rtpMin: given 5000; the media ports, 5000 to 6000, must not hold sipPort, which is 5060');
    expect(problems(['--sip-port', '8080', '--bind', '192.0.2.10'])).toEqual([]);
    expect(problems(['--sip-port', '0', '--http-port', '0'])).toEqual([]);
  });

  it('refuses a data directory that cannot be written to', () => {
    const { cannotWriteTo } = thisHost();
    writeFileSync(join(cwd, 'plain'), '');
    expect(problems(['--data-dir', 'plain/data'], {}, undefined, { cannotWriteTo })[0]).toContain(
      'plain is no directory',
    );
    expect(problems(['--data-dir', 'plain'], {}, undefined, { cannotWriteTo })[0]).toContain('plain is no directory');
    expect(problems(['--data-dir', 'new/deep'], {}, undefined, { cannotWriteTo })).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('refuses a data directory of others', () => {
    mkdirSync(join(cwd, 'theirs'));
    chmodSync(join(cwd, 'theirs'), 0o500);
    const { cannotWriteTo } = thisHost();
    expect(problems(['--data-dir', 'theirs/data'], {}, undefined, { cannotWriteTo })[0]).toContain(
      'cannot be written to',
    );
  });
});

describe('what people are told', () => {
  it('--check says each value and where it comes from, but not the token', () => {
    const { config, sources } = good(['--sip-port', '5070'], { PARLEY_API_TOKEN: 'very-secret' }, 'rooms: []');
    const text = describeConfig(config, sources);
    expect(text).toMatch(/sipPort +5070 +--sip-port/);
    expect(text).toMatch(/apiToken +\(hidden\) +PARLEY_API_TOKEN/);
    expect(text).toMatch(/rooms +\[\] +parley.yaml:1/);
    expect(text).toMatch(/publicAddress +192.0.2.10 +network interface eth0/);
    expect(text).not.toContain('very-secret');
    for (const key of configKeys) expect(text).toContain(key);
  });

  it('--help says every flag', () => {
    const text = helpText();
    for (const key of scalarKeys) expect(text).toContain(`${flagOf(key)} VALUE`);
    for (const flag of ['--config FILE', '--check', '--help', '--version']) expect(text).toContain(flag);
  });

  it('--help is heard even when the rest is wrong', () => {
    expect(load(['--help', '--nonsense']).options.help).toBe(true);
  });
});
