import type { G711Law } from './g711-reference.ts';
import type { Hearing } from './hearing.ts';
import { RtpEndpoint } from './rtp-endpoint.ts';
import { type OutgoingCall, SipCaller } from './sip-caller.ts';
import { audioPort } from './sip-text.ts';
import type { Voice } from './tone-levels.ts';
import type { VoiceClient } from './voice-client.ts';

export interface ToneCallerOptions {
  voice: Voice;
  serverPort: number;
  law?: G711Law;
  transport?: 'UDP' | 'TCP';
}

/** A caller made of our own SIP and RTP: what it hears is timed to the packet. */
export class ToneCaller implements VoiceClient {
  readonly voice: Voice;
  /** It has no jitter buffer. */
  readonly playoutDelayMs = 0;
  readonly media: RtpEndpoint;
  readonly sip: SipCaller;
  #call: OutgoingCall | null = null;

  static async start(options: ToneCallerOptions): Promise<ToneCaller> {
    const media = await RtpEndpoint.open(options.voice, options.law ?? 'PCMU');
    const { serverPort, transport = 'UDP' } = options;
    const sip = await SipCaller.open({ serverPort, transport, user: options.voice.name });
    return new ToneCaller(options.voice, media, sip);
  }

  private constructor(voice: Voice, media: RtpEndpoint, sip: SipCaller) {
    this.voice = voice;
    this.media = media;
    this.sip = sip;
  }

  get call(): OutgoingCall {
    if (!this.#call) throw new Error('not in a call');
    return this.#call;
  }

  /** The server's RTP port, as its answer said. */
  get serverMediaPort(): number {
    return audioPort(this.call.answer?.body ?? '');
  }

  async dial(uri: string): Promise<void> {
    this.#call = this.sip.call(uri);
    const answer = await this.#call.invite(this.media.sdp());
    if (answer.status !== 200) throw new Error(`${uri} answered ${answer.status} ${answer.reason}`);
    this.media.sendTo(this.serverMediaPort);
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
    this.media.stopSending();
  }

  hearing(): Hearing {
    return this.media.hearing();
  }

  ended(timeoutMs: number): Promise<void> {
    return this.call.ended(timeoutMs);
  }

  async stop(): Promise<void> {
    this.media.close();
    this.sip.close();
  }
}
