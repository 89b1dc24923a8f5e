import { randomBytes } from 'node:crypto';
import { SrtpSession } from '../../../../mixer/rtp/srtp-session.ts';
import { MASTER_KEY_LENGTHS } from '../../../../server/sdp/crypto-attribute.ts';
import type { Hearing } from '../hearing.ts';
import { type OutgoingCall, SipCaller } from '../sip-caller.ts';
import { audioPort } from '../sip-text.ts';
import type { VoiceClient } from '../voice-client.ts';
import { codedSource } from './coded-source.ts';
import { MediaClock } from './media-clock.ts';
import { MediaSocket } from './media-socket.ts';
import { readRtcp } from './rtcp.ts';
import { type PatternVoice, ToneStream } from './tone-stream.ts';
import { VideoReceiver } from './video-receiver.ts';
import { type AnsweredVideo, type OfferedFormat, readAnswer, type VideoOffer, writeOffer } from './video-sdp.ts';
import { VideoSender } from './video-sender.ts';

export interface VideoCallerOptions {
  voice: PatternVoice;
  /** 0–7: the colour of its pictures. */
  sender: number;
  serverPort: number;
  /** Null: none, as of a phone without a camera. H.264 with packetization mode 1 unless told. */
  video?: VideoOffer | null;
  width?: number;
  height?: number;
}

const H264: VideoOffer = { formats: [{ codec: 'H264' }] };

/** A caller with sound and picture that share a clock, made of our own SIP and RTP; ffmpeg encodes and decodes. */
export class VideoCaller implements VoiceClient {
  readonly voice: PatternVoice;
  readonly sender: number;
  readonly playoutDelayMs = 0;
  readonly sip: SipCaller;
  readonly sound: ToneStream;
  readonly soundSocket: MediaSocket;
  readonly videoSocket: MediaSocket;
  readonly #options: VideoCallerOptions;
  readonly #cname: string;
  #clock: MediaClock | null = null;
  #call: OutgoingCall | null = null;
  #offered: VideoOffer | null;
  #hadVideo = false;
  #version = 1;
  #srtpKey = '';
  #answered: AnsweredVideo | null = null;
  #videoSender: VideoSender | null = null;
  #videoReceiver: VideoReceiver | null = null;
  /** How late its sound and its pictures leave, see `ToneStream` and `VideoSender`. */
  soundDelayMs = 0;
  pictureDelayMs = 0;

  static async start(options: VideoCallerOptions): Promise<VideoCaller> {
    const { name } = options.voice;
    const sip = await SipCaller.open({ serverPort: options.serverPort, user: name });
    const caller = new VideoCaller(options, sip, await MediaSocket.open(), await MediaSocket.open());
    if (caller.#offered) await caller.#source(caller.#offered.formats[0]!);
    return caller;
  }

  private constructor(options: VideoCallerOptions, sip: SipCaller, sound: MediaSocket, video: MediaSocket) {
    this.#options = options;
    this.voice = options.voice;
    this.sender = options.sender;
    this.sip = sip;
    this.#cname = `${options.voice.name}@test`;
    this.soundSocket = sound;
    this.videoSocket = video;
    this.sound = new ToneStream(sound, options.voice, this.#cname);
    this.#offered = options.video === undefined ? H264 : options.video;
  }

  get call(): OutgoingCall {
    if (!this.#call) throw new Error('not in a call');
    return this.#call;
  }

  /** Null where there is no video in the call. */
  get answered(): AnsweredVideo | null {
    return this.#answered;
  }

  get sending(): VideoSender {
    if (!this.#videoSender) throw new Error(`${this.voice.name} sends no video`);
    return this.#videoSender;
  }

  get receiving(): VideoReceiver {
    if (!this.#videoReceiver) throw new Error(`${this.voice.name} receives no video`);
    return this.#videoReceiver;
  }

  async dial(uri: string): Promise<void> {
    this.#call = this.sip.call(uri);
    const answer = await this.#call.invite(this.#offer());
    if (answer.status !== 200) throw new Error(`${uri} answered ${answer.status} ${answer.reason}`);
    const port = audioPort(answer.body);
    this.soundSocket.connect(port, port + 1);
    this.#clock = new MediaClock(performance.now());
    this.sound.delayMs = this.soundDelayMs;
    this.sound.start(this.#clock);
    await this.#agreed(answer.body);
  }

  /** By re-INVITE: another video, or none any more. */
  async changeVideo(video: VideoOffer | null): Promise<void> {
    this.#offered = video;
    if (video) await this.#source(video.formats[0]!);
    this.#version++;
    const answer = await this.call.reinvite(this.#offer());
    if (answer.status !== 200) throw new Error(`re-INVITE answered ${answer.status} ${answer.reason}`);
    await this.#agreed(answer.body);
  }

  /** By INFO, one after the other. */
  async sendKeys(keys: string): Promise<void> {
    for (const key of keys) {
      const headers = ['Content-Type: application/dtmf-relay'];
      const { status } = await this.call.request('INFO', { headers, body: `Signal=${key}\r\nDuration=100\r\n` });
      if (status !== 200) throw new Error(`INFO with ${key} answered ${status}`);
    }
  }

  async hangUp(): Promise<void> {
    await this.call.bye();
    this.sound.stop();
    await this.#endVideo();
  }

  hearing(): Hearing {
    return this.sound.hearing();
  }

  ended(timeoutMs: number): Promise<void> {
    return this.call.ended(timeoutMs);
  }

  async stop(): Promise<void> {
    this.sound.stop();
    await this.#endVideo();
    this.soundSocket.close();
    this.videoSocket.close();
    this.sip.close();
  }

  #offer(): string {
    const offer = this.#offered;
    if (offer) this.#hadVideo = true;
    if (offer?.srtp) this.#srtpKey ||= randomBytes(MASTER_KEY_LENGTHS[offer.srtp]).toString('base64');
    const without = this.#hadVideo ? 'removed' : null;
    return writeOffer({
      audioPort: this.soundSocket.port,
      video: offer ? { port: this.videoSocket.port, offer, srtpKey: this.#srtpKey } : without,
      version: this.#version,
    });
  }

  #secure(receiveKey: string | null): void {
    const suite = this.#offered?.srtp;
    const { videoSocket } = this;
    if (!suite) {
      videoSocket.srtp = null;
      return;
    }
    if (receiveKey === null) throw new Error('the answer has no key');
    const crypto = { suite, sendKey: this.#srtpKey, receiveKey, receiveMki: null };
    if (videoSocket.srtp) videoSocket.srtp.update(crypto);
    else videoSocket.srtp = new SrtpSession(crypto);
  }

  #source(format: OfferedFormat) {
    const { codec, packetizationMode } = format;
    const { sender, width, height } = this.#options;
    return codedSource({ sender, codec, packetizationMode, width, height });
  }

  async #agreed(sdp: string): Promise<void> {
    await this.#endVideo();
    const answered = readAnswer(sdp);
    this.#answered = answered;
    this.#secure(answered?.srtpKey ?? null);
    if (!answered || !this.#offered || !this.#clock) return;
    const { format, rtpPort, rtcpPort } = answered;
    this.videoSocket.connect(rtpPort, rtcpPort);
    // The first key frame comes before ffmpeg listens.
    const early: { packet: Buffer; timeMs: number }[] = [];
    this.videoSocket.onRtp = (packet, timeMs) => early.push({ packet, timeMs });
    const offered = this.#offered.formats.find(({ codec }) => codec === format.codec);
    const sender = new VideoSender(this.videoSocket, await this.#source(offered!), format, this.#cname);
    const receiver = await VideoReceiver.start(this.videoSocket, format, sender.ssrc, this.#cname);
    this.#videoSender = sender;
    this.#videoReceiver = receiver;
    for (const { packet, timeMs } of early) receiver.put(packet, timeMs);
    this.videoSocket.onRtp = (packet, timeMs) => receiver.put(packet, timeMs);
    this.videoSocket.onRtcp = (packet) => {
      for (const report of readRtcp(packet)) {
        sender.heard(report);
        receiver.heard(report);
      }
    };
    sender.delayMs = this.pictureDelayMs;
    if (answered.direction === 'sendrecv' || answered.direction === 'recvonly') sender.start(this.#clock);
  }

  async #endVideo(): Promise<void> {
    this.#videoSender?.stop();
    await this.#videoReceiver?.stop();
    this.#videoSender = null;
    this.#videoReceiver = null;
    this.videoSocket.onRtp = () => {};
  }
}
