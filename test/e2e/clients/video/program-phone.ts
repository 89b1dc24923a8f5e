import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChildProgram } from '../child-program.ts';
import { freePort, LOOPBACK, udpIsBound } from '../free-ports.ts';
import { eventually } from '../pause.ts';
import { SippClient } from '../sipp-client.ts';
import { writeCodedClip } from './coded-files.ts';
import type { VideoCodec } from './coded-source.ts';
import { type Movie, readMovie } from './movie.ts';
import type { PatternVoice } from './tone-stream.ts';

/** Calls of SIPp whose sound and pictures are those of ffmpeg: nothing of ours is between what is sent and what is kept. */

const VIDEO_TYPE = 96;
/** In offers of the server. */
const OUR_VP8_TYPE = 105;
const PARAMETERS: Record<VideoCodec, string> = {
  H264: 'profile-level-id=42e01f;packetization-mode=1',
  VP8: 'max-fr=30',
};

/** Which its file has once, and not with each key frame. */
const WITH_PARAMETER_SETS = ['-bsf:v', 'h264_mp4toannexb'];

export interface ProgramCall {
  name: string;
  codec: VideoCodec;
  room: string;
  serverPort: number;
}

interface Ports {
  sound: number;
  picture: number;
}

async function freePorts(): Promise<Ports> {
  const sound = await freePort(4);
  return { sound, picture: sound + 2 };
}

function call({ name, codec, room, serverPort }: ProgramCall, direction: string, at: Ports): Promise<SippClient> {
  const keys = { name, direction, sound_port: at.sound, picture_port: at.picture };
  const coding = { picture_codec: codec, picture_parameters: PARAMETERS[codec] };
  return SippClient.start({ scenario: 'sound-and-pictures', room, serverPort, keys: { ...keys, ...coding } });
}

/** Sends a coded clip, again and again, and takes nothing. */
export class SendingProgram {
  readonly #folder: string;
  readonly #signalling: SippClient;
  readonly #media: ChildProgram;

  static async start(options: ProgramCall & { voice: PatternVoice; sender: number }): Promise<SendingProgram> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-sends-'));
    const clip = join(folder, 'clip.mkv');
    writeCodedClip(clip, options.sender, options.voice, options.codec);
    const own = await freePorts();
    const signalling = await call(options, 'sendonly', own);
    const [, sound, picture] = await signalling.logged(/answered: (\d+) (\d+)/);
    const media = new ChildProgram('ffmpeg', [
      ...['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', clip],
      ...['-map', '0:a', ...rtpOutput(sound!, own.sound, 0)],
      ...[
        '-map',
        '0:v',
        ...(options.codec === 'H264' ? WITH_PARAMETER_SETS : []),
        ...rtpOutput(picture!, own.picture, VIDEO_TYPE),
      ],
    ]);
    return new SendingProgram(folder, signalling, media);
  }

  private constructor(folder: string, signalling: SippClient, media: ChildProgram) {
    this.#folder = folder;
    this.#signalling = signalling;
    this.#media = media;
  }

  async stop(): Promise<void> {
    await this.#media.stop('SIGKILL');
    await this.#signalling.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Keeps what comes as it comes, put in step by sender reports, as a player of RTP does. */
export class ReceivingProgram {
  readonly #folder: string;
  readonly #signalling: SippClient;
  readonly #media: ChildProgram;

  static async start(options: ProgramCall): Promise<ReceivingProgram> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-receives-'));
    const own = await freePorts();
    writeFileSync(join(folder, 'call.sdp'), descriptionOf(options.codec, own));
    const input = ['-protocol_whitelist', 'file,udp,rtp', '-i', join(folder, 'call.sdp')];
    const media = new ChildProgram('ffmpeg', [
      ...['-v', 'error', ...input, '-map', '0', '-c', 'copy', '-flush_packets', '1', join(folder, 'received.mkv')],
    ]);
    await eventually(
      'ffmpeg listens',
      () => udpIsBound(own.sound) && udpIsBound(own.picture),
      (isBound) => isBound,
    );
    const signalling = await call(options, 'recvonly', own);
    await signalling.logged(/answered/);
    return new ReceivingProgram(folder, signalling, media);
  }

  private constructor(folder: string, signalling: SippClient, media: ChildProgram) {
    this.#folder = folder;
    this.#signalling = signalling;
    this.#media = media;
  }

  /** Receives no more; gives all that came. */
  async received(): Promise<Movie> {
    this.#media.write('q');
    const { code } = await this.#media.exited;
    if (code !== 0) throw new Error(`ffmpeg ended with ${code}: ${this.#media.output}`);
    return readMovie(join(this.#folder, 'received.mkv'));
  }

  async stop(): Promise<void> {
    await this.#media.stop('SIGKILL');
    await this.#signalling.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function descriptionOf(codec: VideoCodec, { sound, picture }: Ports): string {
  const session = ['v=0', `o=- 1 1 IN IP4 ${LOOPBACK}`, 's=-', `c=IN IP4 ${LOOPBACK}`, 't=0 0'];
  const audio = [`m=audio ${sound} RTP/AVP 0`, 'a=rtpmap:0 PCMU/8000'];
  const video = [`m=video ${picture} RTP/AVP ${VIDEO_TYPE}`, `a=rtpmap:${VIDEO_TYPE} ${codec}/90000`];
  video.push(`a=fmtp:${VIDEO_TYPE} ${PARAMETERS[codec]}`);
  return `${[...session, ...audio, ...video].join('\r\n')}\r\n`;
}

/** Is to be called with slides: shows some, and has neither a camera nor sound. */
export class CalledRoomSystem {
  readonly uri: string;
  readonly #folder: string;
  readonly #signalling: SippClient;
  readonly #clip: string;
  readonly #from: number;
  #media: ChildProgram | null = null;

  static async start(
    name: string,
    serverPort: number,
    slides: PatternVoice & { sender: number },
  ): Promise<CalledRoomSystem> {
    const folder = mkdtempSync(join(tmpdir(), 'parley-room-system-'));
    const clip = join(folder, 'slides.mkv');
    writeCodedClip(clip, slides.sender, slides, 'VP8');
    const sound = await freePort(6);
    const sipPort = await freePort();
    const keys = { name, sound_port: sound, picture_port: sound + 2, slides_port: sound + 4 };
    const signalling = await SippClient.start({ scenario: 'room-system', room: name, serverPort, sipPort, keys });
    await eventually(
      'SIPp listens',
      () => udpIsBound(sipPort),
      (isBound) => isBound,
    );
    return new CalledRoomSystem(`sip:${name}@${LOOPBACK}:${sipPort}`, folder, signalling, clip, sound + 4);
  }

  private constructor(uri: string, folder: string, signalling: SippClient, clip: string, from: number) {
    this.uri = uri;
    this.#folder = folder;
    this.#signalling = signalling;
    this.#clip = clip;
    this.#from = from;
  }

  /** Once it was called. */
  async show(): Promise<void> {
    const [, , slides] = await this.#signalling.logged(/called: (\d+) (\d+)/);
    const input = ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', this.#clip, '-map', '0:v'];
    this.#media = new ChildProgram('ffmpeg', [...input, ...rtpOutput(slides!, this.#from, OUR_VP8_TYPE)]);
  }

  async stop(): Promise<void> {
    await this.#media?.stop('SIGKILL');
    await this.#signalling.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function rtpOutput(port: string, from: number, type: number): string[] {
  const ports = `localrtpport=${from}&localrtcpport=${from + 1}&pkt_size=1200`;
  return ['-c', 'copy', '-f', 'rtp', '-payload_type', String(type), `rtp://${LOOPBACK}:${port}?${ports}`];
}
