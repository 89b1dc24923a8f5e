import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildProgram } from './child-program.ts';
import { freePort, LOOPBACK } from './free-ports.ts';
import { GrowingWav, type Hearing } from './hearing.ts';
import { eventually, pause } from './pause.ts';
import type { Voice } from './tone-levels.ts';
import { writeCodedMovie } from './video/coded-files.ts';
import type { VoiceClient } from './voice-client.ts';
import { sine, writeWav } from './wav-file.ts';

export type BaresipCodec = 'PCMU' | 'PCMA' | 'G722' | 'opus';

/** What each codec's source file must look like: baresip 1.0 does not convert. */
const SOURCE_FORMAT: Record<BaresipCodec, { sampleRateHz: number; channels: number }> = {
  PCMU: { sampleRateHz: 8_000, channels: 1 },
  PCMA: { sampleRateHz: 8_000, channels: 1 },
  G722: { sampleRateHz: 16_000, channels: 1 },
  opus: { sampleRateHz: 48_000, channels: 2 },
};

const CODEC_NAME_IN_ACCOUNT: Record<BaresipCodec, string> = {
  PCMU: 'PCMU/8000/1',
  PCMA: 'PCMA/8000/1',
  G722: 'G722/16000/1',
  opus: 'opus/48000/2',
};

export interface BaresipOptions {
  voice: Voice;
  codec: BaresipCodec;
  transport?: 'udp' | 'tcp' | 'tls';
  /** 127.0.0.1 unless told. */
  address?: '127.0.0.1' | '::1';
  /** How long its tone lasts; the file is played once. */
  toneSeconds?: number;
  /** Answer calls, instead of letting them ring. */
  autoAnswer?: boolean;
  /** Registers with the server, instead of being an address of its own. */
  account?: { user: string; password: string; serverPort: number };
  /** SRTP with keys in the SDP: offered as an option on RTP/AVP, or with RTP/SAVP. */
  srtp?: 'optional' | 'mandatory';
  /** Sends coded pictures: needs the modules of baresip-ffmpeg. */
  video?: { codec: 'H264' | 'VP8'; sender: number };
  /** Prints what is written to it (MESSAGE). */
  printsTexts?: boolean;
}

interface ControlMessage {
  event?: boolean;
  class?: string;
  type?: string;
  param?: string;
  response?: boolean;
  ok?: boolean;
  data?: string;
  token?: string;
}

/** How long it may take to start, to do what it is told, and to write a picture that came: on a busy machine, as it is. */
const READY_WITHIN_MS = 30_000;
const ANSWERED_WITHIN_MS = 20_000;
const SNAPSHOT_WITHIN_MS = 5_000;

const RTP_PORTS = 42;
const MODULE_FOLDER = '/usr/lib/baresip/modules';

function configuration(
  folder: string,
  sipAddress: string,
  controlPort: number,
  rtpPort: number,
  options: BaresipOptions,
): string {
  return [
    'poll_method epoll',
    `sip_listen ${sipAddress}`,
    `net_interface ${options.address ?? LOOPBACK}`,
    `audio_source aufile,${join(folder, 'tone.wav')}`,
    // Nobody reads this bridge: there is no sound card, and what was received is written before the player.
    'audio_player aubridge,nowhere',
    'audio_alert aubridge,nowhere-either',
    `rtp_ports ${rtpPort}-${rtpPort + RTP_PORTS - 2}`,
    'jitter_buffer_delay 0-1',
    'call_max_calls 4',
    `snd_path ${folder}`,
    `ctrl_tcp_listen ${LOOPBACK}:${controlPort}`,
    `module_path ${MODULE_FOLDER}`,
    ...['g711', 'g722', 'opus', 'aufile', 'sndfile', 'aubridge', 'srtp'].map((name) => `module ${name}.so`),
    ...(options.printsTexts ? ['module stdio.so'] : []),
    ...(options.video ? videoConfiguration(folder) : []),
    ...['uuid', 'account'].map((name) => `module_tmp ${name}.so`),
    ...['menu', 'ctrl_tcp'].map((name) => `module_app ${name}.so`),
    '',
  ].join('\n');
}

/** No camera and no screen: a file is sent, and what comes is only looked at by the snapshot module. */
function videoConfiguration(folder: string): string[] {
  return [
    `video_source avformat,${join(folder, 'coded.mp4')}`,
    'video_display fakevideo,nowhere',
    'video_size 640x360',
    'video_bitrate 500000',
    'video_fps 25',
    ...['fakevideo', 'avformat', 'avcodec', 'vp8', 'snapshot'].map((name) => `module ${name}.so`),
  ];
}

/** A baresip of its own: one codec, one tone, without sound hardware, led over its control port. */
export class BaresipClient implements VoiceClient {
  readonly voice: Voice;
  readonly playoutDelayMs = 40;
  readonly sipUri: string;
  readonly #options: BaresipOptions;
  readonly #folder: string;
  readonly #program: ChildProgram;
  readonly #control: Socket;
  #received = Buffer.alloc(0);
  #events: ControlMessage[] = [];
  #tokens = 0;
  #snapshots = 0;
  #waiting = new Set<() => void>();
  #recording: GrowingWav | null = null;

  static async start(options: BaresipOptions): Promise<BaresipClient> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-baresip-'));
    const sipPort = await freePort();
    const controlPort = await freePort();
    const rtpPort = await freePort(RTP_PORTS);
    const { sampleRateHz, channels } = SOURCE_FORMAT[options.codec];
    const tone = sine(options.voice.frequencyHz, options.voice.levelDbfs, options.toneSeconds ?? 60, sampleRateHz);
    writeFileSync(join(folder, 'tone.wav'), writeWav(tone, channels));
    if (options.video) writeCodedMovie(join(folder, 'coded.mp4'), options.video.sender);
    const sipAddress = `${options.address === '::1' ? '[::1]' : LOOPBACK}:${sipPort}`;
    writeFileSync(join(folder, 'config'), configuration(folder, sipAddress, controlPort, rtpPort, options));
    writeFileSync(join(folder, 'contacts'), '');
    const registered = options.account;
    const address = registered
      ? `${registered.user}@${LOOPBACK}:${registered.serverPort}`
      : `${options.voice.name}@${sipAddress}`;
    const account = [
      `<sip:${address};transport=${options.transport ?? 'udp'}>`,
      ...(registered ? [`auth_pass=${registered.password}`, 'regint=600'] : ['regint=0']),
      `audio_codecs=${CODEC_NAME_IN_ACCOUNT[options.codec]}`,
      ...(options.video ? [`video_codecs=${options.video.codec}`] : []),
      `answermode=${options.autoAnswer ? 'auto' : 'manual'}`,
      ...(options.srtp ? [`mediaenc=${options.srtp === 'optional' ? 'srtp' : 'srtp-mand'}`] : []),
    ];
    writeFileSync(join(folder, 'accounts'), `${account.join(';')}\n`);
    const program = new ChildProgram('baresip', [options.address === '::1' ? '-6' : '-4', '-f', folder]);
    await program.orStop(program.waitForOutput(/baresip is ready/, READY_WITHIN_MS));
    const control = createConnection(controlPort, LOOPBACK);
    await program.orStop(once(control, 'connect'));
    return new BaresipClient(options, `sip:${address}`, folder, program, control);
  }

  private constructor(options: BaresipOptions, sipUri: string, folder: string, program: ChildProgram, control: Socket) {
    this.#options = options;
    this.voice = options.voice;
    this.sipUri = sipUri;
    this.#folder = folder;
    this.#program = program;
    this.#control = control;
    control.on('data', (chunk) => this.#read(chunk));
    control.on('error', () => {});
  }

  async dial(uri: string): Promise<void> {
    const { transport: named = 'udp' } = this.#options;
    const transport = named === 'udp' ? '' : `;transport=${named}`;
    await this.command('dial', uri + transport);
    await this.established(ANSWERED_WITHIN_MS);
  }

  async established(timeoutMs: number): Promise<void> {
    await this.event('CALL_ESTABLISHED', timeoutMs);
    const deadline = performance.now() + timeoutMs;
    while (!this.#recording) {
      const dump = readdirSync(this.#folder).find((name) => name.startsWith('dump-') && name.endsWith('-dec.wav'));
      if (dump) this.#recording = new GrowingWav(join(this.#folder, dump));
      else if (performance.now() > deadline) throw new Error('baresip did not begin to write what it receives');
      else await pause(5);
    }
  }

  async hangUp(): Promise<void> {
    await this.command('hangup');
  }

  async hold(): Promise<void> {
    await this.command('hold');
  }

  async resume(): Promise<void> {
    await this.command('resume');
  }

  /** Mutes its own microphone: baresip goes on sending packets, with silence in them. Again: back. */
  async toggleMute(): Promise<void> {
    await this.command('mute');
  }

  /** Sends keys as telephone-events (RFC 4733). */
  async sendKeys(keys: string): Promise<void> {
    for (const key of keys) await this.command('sndcode', key);
  }

  async ended(timeoutMs: number): Promise<void> {
    await this.event('CALL_CLOSED', timeoutMs);
  }

  hearing(): Hearing {
    if (!this.#recording) throw new Error('not in a call');
    return this.#recording.hearing();
  }

  /** What it shows now, as it was decoded: PNG. */
  async snapshot(): Promise<Buffer> {
    const path = join(this.#folder, `seen-${++this.#snapshots}.png`);
    await this.command('snapshot_recv', path);
    return eventually(
      'a snapshot',
      () => (existsSync(path) ? readFileSync(path) : Buffer.alloc(0)),
      (file) => file.subarray(-8).toString('latin1').startsWith('IEND'),
      SNAPSHOT_WITHIN_MS,
    );
  }

  /** All that the program printed. */
  get output(): string {
    return this.#program.output;
  }

  async stop(): Promise<void> {
    this.#control.destroy();
    this.#recording?.close();
    await this.#program.stop('SIGTERM');
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Gives a menu command and waits for its answer. */
  async command(command: string, params = ''): Promise<string> {
    const token = `t${++this.#tokens}`;
    const body = JSON.stringify({ command, params, token });
    this.#control.write(`${Buffer.byteLength(body)}:${body},`);
    const answer = await this.#message(
      (message) => message.token === token,
      ANSWERED_WITHIN_MS,
      `answer to ${command}`,
    );
    return answer.data ?? '';
  }

  /** Waits for an event that was not waited for before. */
  event(type: string, timeoutMs: number): Promise<ControlMessage> {
    return this.#message((message) => message.event === true && message.type === type, timeoutMs, type);
  }

  #message(wanted: (message: ControlMessage) => boolean, timeoutMs: number, what: string): Promise<ControlMessage> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const index = this.#events.findIndex(wanted);
        if (index === -1) return;
        clearTimeout(deadline);
        this.#waiting.delete(look);
        resolve(this.#events.splice(index, 1)[0]!);
      };
      const deadline = setTimeout(() => {
        this.#waiting.delete(look);
        const events = this.#events.map((event) => `${event.type ?? 'answer'} ${event.param ?? ''}`).join(', ');
        reject(
          new Error(`baresip: no ${what} within ${timeoutMs} ms; events: ${events}\n${this.output.slice(-2_000)}`),
        );
      }, timeoutMs);
      this.#waiting.add(look);
      look();
    });
  }

  /** The control port speaks netstrings: `length:JSON,`. */
  #read(chunk: Buffer | string): void {
    this.#received = Buffer.concat([this.#received, Buffer.from(chunk)]);
    for (;;) {
      const colon = this.#received.indexOf(':');
      if (colon === -1) return;
      const length = Number(this.#received.toString('latin1', 0, colon));
      const end = colon + 1 + length;
      if (this.#received.length <= end) return;
      this.#events.push(JSON.parse(this.#received.toString('utf8', colon + 1, end)) as ControlMessage);
      this.#received = this.#received.subarray(end + 1);
      for (const look of [...this.#waiting]) look();
    }
  }
}
