import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildProgram } from './child-program.ts';
import { freePort, LOOPBACK } from './free-ports.ts';
import { GrowingWav, type Hearing } from './hearing.ts';
import { eventually, pause } from './pause.ts';
import type { Voice } from './tone-levels.ts';
import { writeCodedStill } from './video/coded-files.ts';
import type { VoiceClient } from './voice-client.ts';
import { sine, writeWav } from './wav-file.ts';

/** As `codec list` prints them. */
export type LinphoneCodec = 'opus (48000)' | 'PCMU (8000)' | 'PCMA (8000)' | 'G722 (8000)';

/** In what linphone writes what it hears; measured by the growth of its file. */
const RECORDING_RATE_HZ: Record<LinphoneCodec, number> = {
  'opus (48000)': 48_000,
  'PCMU (8000)': 8_000,
  'PCMA (8000)': 8_000,
  'G722 (8000)': 16_000,
};

/**
 * Linphone's G.722 sends 6 dB less than it was given and plays 6 dB more than it got. Between two of them that cancels
 * out; against baresip, ffmpeg and any other it does not (clients-hear-each-other.test.ts shows it). It is taken out at
 * both ends, so that the levels in tests are those on the wire.
 */
const G722_OFFSET_DB = 20 * Math.log10(2);

const offsetDb = (codec: LinphoneCodec): number => (codec === 'G722 (8000)' ? G722_OFFSET_DB : 0);

const WAV_HEADER_BYTES = 44;

/** How long it may take to start, and to do what it is told: on a busy machine, as it is. */
const READY_WITHIN_MS = 30_000;
const ANSWERED_WITHIN_MS = 20_000;

export type LinphoneTransport = 'udp' | 'tcp' | 'tls';

export interface LinphoneAccount {
  user: string;
  password: string;
  serverPort: number;
}

export interface LinphoneOptions {
  voice: Voice;
  codec: LinphoneCodec;
  transport?: LinphoneTransport;
  /** The only certificates that it believes, over TLS: a file. */
  trusts?: string;
  /** How long its tone lasts. */
  toneSeconds?: number;
  autoAnswer?: boolean;
  /** Registers with the server. */
  account?: LinphoneAccount;
  /** SRTP with keys in the SDP, and only so, with this crypto suite alone. */
  srtp?: string;
  /** As on a host with IPv6: it then offers an IPv6 address, whatever it signals over. */
  ipv6?: boolean;
  /** Sends a coded picture that does not move. H.264 needs the package mediastreamer2-plugin-openh264. */
  video?: { codec: 'H264' | 'VP8'; sender: number };
}

/** It registers only where it watches the network, which is a bother otherwise. */
function accountConfiguration({ user, password, serverPort }: LinphoneAccount, transport: LinphoneTransport): string[] {
  return [
    '[auth_info_0]',
    `username=${user}`,
    `passwd=${password}`,
    `realm=${LOOPBACK}`,
    '[proxy_0]',
    `reg_proxy=<sip:${LOOPBACK}:${serverPort};transport=${transport}>`,
    `reg_identity=sip:${user}@${LOOPBACK}`,
    'reg_expires=600',
    'reg_sendregister=1',
  ];
}

function configuration(
  user: string,
  sipPort: number,
  transport: LinphoneTransport,
  { srtp, trusts, account, ipv6 = false, video }: LinphoneOptions,
): string {
  return [
    '[sip]',
    ...(srtp ? ['media_encryption=srtp', 'media_encryption_mandatory=1', `srtp_crypto_suites=${srtp}`] : []),
    `sip_port=${transport === 'udp' ? sipPort : 0}`,
    `sip_tcp_port=${transport === 'tcp' ? sipPort : 0}`,
    `sip_tls_port=${transport === 'tls' ? sipPort : 0}`,
    ...(trusts ? [`root_ca=${trusts}`, 'verify_server_certs=1', 'verify_server_cn=1'] : []),
    ...(ipv6 ? [] : [`bind_address=${LOOPBACK}`]),
    `use_ipv6=${ipv6 ? 1 : 0}`,
    // Without this the first start turns IPv6 on again.
    'ipv6_migration_done=1',
    'guess_hostname=0',
    `contact=<sip:${user}@${LOOPBACK}>`,
    `auto_net_state_mon=${account ? 1 : 0}`,
    ...(account ? ['default_proxy=0'] : []),
    '[net]',
    'dns_srv_enabled=0',
    'adaptive_rate_control=0',
    '[rtp]',
    'audio_rtp_port=-1',
    'audio_jitt_comp=20',
    '[sound]',
    'echocancellation=0',
    'agc=0',
    'noisegate=0',
    '[video]',
    ...['enabled', 'display', 'capture', 'automatically_initiate', 'automatically_accept'].map(
      (name) => `${name}=${video ? 1 : 0}`,
    ),
    // Without a screen: its preview ends the program where there is nothing to display on.
    ...(video ? ['device=StaticImage: Static picture', 'displaytype=MSVoidSink', 'size=vga', 'show_local=0'] : []),
    ...(account ? accountConfiguration(account, transport) : []),
    '',
  ].join('\n');
}

/** A linphonec of its own: one codec, one tone from a file, what it receives into a file. */
export class LinphoneClient implements VoiceClient {
  readonly voice: Voice;
  readonly playoutDelayMs = 120;
  readonly sipUri: string;
  readonly #folder: string;
  readonly #program: ChildProgram;
  readonly #codec: LinphoneCodec;
  readonly #transport: LinphoneTransport;
  readonly #video: LinphoneOptions['video'];
  #recording: GrowingWav | null = null;
  #callsSince = 0;
  #snapshots = 0;

  static async start(options: LinphoneOptions): Promise<LinphoneClient> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-linphone-'));
    mkdirSync(join(folder, '.local/share/linphone'), { recursive: true });
    mkdirSync(join(folder, 'linphone'));
    const sipPort = await freePort();
    const transport = options.transport ?? 'udp';
    const settings = join(folder, 'linphonerc');
    writeFileSync(settings, configuration(options.voice.name, sipPort, transport, options));
    const { frequencyHz, levelDbfs } = options.voice;
    const tone = sine(frequencyHz, levelDbfs + offsetDb(options.codec), options.toneSeconds ?? 60, 16_000);
    writeFileSync(join(folder, 'tone.wav'), writeWav(tone));
    const flags = [...(options.autoAnswer ? ['-a'] : []), ...(options.video ? ['-V'] : [])];
    const program = new ChildProgram('linphonec', ['-c', settings, ...flags], {
      env: { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    });
    const client = new LinphoneClient(options, `sip:linphone@${LOOPBACK}:${sipPort}`, folder, program);
    await program.orStop(client.#prepare());
    return client;
  }

  private constructor(options: LinphoneOptions, sipUri: string, folder: string, program: ChildProgram) {
    this.voice = options.voice;
    this.sipUri = sipUri;
    this.#folder = folder;
    this.#program = program;
    this.#codec = options.codec;
    this.#video = options.video;
    this.#transport = options.transport ?? 'udp';
  }

  async #prepare(): Promise<void> {
    await this.#program.waitForOutput(/linphonec> /, READY_WITHIN_MS);
    await this.#command('codec disable all', /disabled[\s\S]*linphonec> /);
    const listed = /^ ?(\d+): (.*) disabled$/gm;
    const number = [...this.#program.output.matchAll(listed)].find((line) => line[2] === this.#codec)?.[1];
    if (number === undefined) throw new Error(`linphonec has no ${this.#codec}`);
    await this.#command(`codec enable ${number}`, /enabled/);
    await this.#command('soundcard use files', /instead of soundcard/);
    if (this.#video) await this.#prepareVideo(this.#video);
    await this.#command(`play ${join(this.#folder, 'tone.wav')}`, /linphonec> /);
    await this.#command(`record ${join(this.#folder, 'heard.wav')}`, /linphonec> /);
  }

  async #prepareVideo({ codec, sender }: { codec: string; sender: number }): Promise<void> {
    const since = this.#program.output.length;
    // The prompt alone may be that of the command before.
    await this.#command('vcodec list', /\d+: [\s\S]*linphonec> /);
    const listed = /^ ?(\d+): (\S+) \(90000\) enabled$/gm;
    const codecs = [...this.#program.output.slice(since).matchAll(listed)];
    if (!codecs.some(([, , name]) => name === codec)) throw new Error(`linphonec has no ${codec}`);
    for (const [, number, name] of codecs)
      if (name !== codec) await this.#command(`vcodec disable ${number}`, /disabled/);
    const still = join(this.#folder, 'coded.jpg');
    writeCodedStill(still, sender);
    await this.#command(`staticpic set ${still}`, /linphonec> /);
  }

  async dial(uri: string, withinMs = ANSWERED_WITHIN_MS): Promise<void> {
    const transport = this.#transport === 'tcp' ? ';transport=tcp' : '';
    this.#callsSince = this.#program.output.length;
    this.#program.write(`call ${uri}${transport}\n`);
    await this.established(withinMs);
  }

  async established(timeoutMs: number): Promise<void> {
    await this.#program.waitForOutput(/Media streams established/, timeoutMs, this.#callsSince);
    this.#recording = new GrowingWav(join(this.#folder, 'heard.wav'), {
      sampleRateHz: RECORDING_RATE_HZ[this.#codec],
      channels: 1,
      dataOffset: WAV_HEADER_BYTES,
    });
  }

  /** Waits until the account is registered. */
  async registered(timeoutMs: number): Promise<void> {
    const asked = setInterval(() => this.#program.write('status register\n'), 250);
    try {
      await this.#program.waitForOutput(/^registered, identity=/m, timeoutMs);
    } finally {
      clearInterval(asked);
    }
  }

  /** Waits until somebody calls it. */
  async rings(timeoutMs: number): Promise<void> {
    await this.#program.waitForOutput(/Receiving new incoming call/, timeoutMs, this.#callsSince);
  }

  async hangUp(): Promise<void> {
    this.#program.write('terminate\n');
    await this.ended(ANSWERED_WITHIN_MS);
  }

  /** Holds (re-INVITE with sendonly). */
  async hold(): Promise<void> {
    await this.#command('pause', /paused|is now paused|Call \d+ with .* paused/i);
  }

  async resume(): Promise<void> {
    await this.#command('resume', /Media streams established|resumed/i);
  }

  /** Keys typed at the prompt go out as telephone-events. */
  async sendKeys(keys: string): Promise<void> {
    await this.#command(keys, /linphonec> /);
  }

  async ended(timeoutMs: number): Promise<void> {
    await this.#program.waitForOutput(/Call \d+ with .* ended/, timeoutMs, this.#callsSince);
  }

  hearing(): Hearing {
    if (!this.#recording) throw new Error('not in a call');
    const hearing = this.#recording.hearing();
    const { samples } = hearing.pcm;
    const factor = 10 ** (-offsetDb(this.#codec) / 20);
    for (let index = 0; index < samples.length; index++) samples[index]! *= factor;
    return hearing;
  }

  /** What it shows now, as it was decoded: JPEG. */
  async snapshot(): Promise<Buffer> {
    const path = join(this.#folder, `seen-${++this.#snapshots}.jpg`);
    await this.#command(`snapshot ${path}`, /Taking video snapshot/);
    // It says nothing when the file is complete; a JPEG's end does.
    return eventually(
      'a snapshot',
      () => (existsSync(path) ? readFileSync(path) : Buffer.alloc(0)),
      (file) => file.length > 4 && file.readUInt16BE(file.length - 2) === 0xffd9,
    );
  }

  get output(): string {
    return this.#program.output;
  }

  async stop(): Promise<void> {
    this.#program.write('quit\n');
    await Promise.race([this.#program.exited, pause(1_000)]);
    await this.#program.stop('SIGKILL');
    this.#recording?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #command(line: string, answered: RegExp): Promise<void> {
    const since = this.#program.output.length;
    this.#program.write(`${line}\n`);
    await this.#program.waitForOutput(answered, ANSWERED_WITHIN_MS, since);
  }
}
