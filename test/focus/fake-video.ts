import type { MediaPorts } from '../../mixer/protocol.ts';
import type { StreamKey, VideoMedia, VideoStreamStatistics } from '../../mixer/video-protocol.ts';
import type { VideoStreams } from '../../server/focus/participant-video.ts';
import { MixerError } from '../../server/mixers/mixer-channel.ts';

/** Video mixers without any: opens streams, and remembers what it was asked. */
export class FakeVideo implements VideoStreams {
  available = true;
  isUp = true;
  /** What nobody gets at present. */
  refuses: 'openStream' | 'updateStream' | 'moveStream' | null = null;
  /** Another mixer has the rooms of these names. */
  readonly elsewhere = new Set<string>();
  /** What is opened waits for this. */
  opening: Promise<void> = Promise.resolve();
  readonly asked: string[] = [];
  /** By leg and stream, what it was told last. */
  readonly open = new Map<string, { room: string; media: VideoMedia | null }>();
  /** By leg and stream, what its mixer has counted. */
  readonly counted = new Map<string, VideoStreamStatistics>();
  private ports = 30_000;

  async openStream(
    room: string,
    key: StreamKey,
    { media }: { cname: string; media?: VideoMedia },
  ): Promise<MediaPorts> {
    this.note('openStream', key, room);
    await this.opening;
    this.open.set(idOf(key), { room, media: media ?? null });
    this.ports += 2;
    return { rtpPort: this.ports, rtcpPort: this.ports + 1 };
  }

  async updateStream(key: StreamKey, media: VideoMedia): Promise<void> {
    this.note('updateStream', key, media.direction);
    this.find(key).media = media;
  }

  async moveStream(key: StreamKey, room: string): Promise<'moved' | 'elsewhere'> {
    this.note('moveStream', key, room);
    if (this.elsewhere.has(room)) return 'elsewhere';
    this.find(key).room = room;
    return 'moved';
  }

  async closeStream(key: StreamKey): Promise<VideoStreamStatistics | null> {
    this.note('closeStream', key);
    this.open.delete(idOf(key));
    return this.counted.get(idOf(key)) ?? null;
  }

  async streamStatistics(key: StreamKey): Promise<VideoStreamStatistics | null> {
    return this.counted.get(idOf(key)) ?? null;
  }

  sendKeyFrame(key: StreamKey): void {
    this.note('sendKeyFrame', key);
  }

  soundDelay(leg: string, delayMs: number, senderNtpMs: number | null): void {
    this.asked.push(`soundDelay ${leg} ${delayMs} ${senderNtpMs}`);
  }

  private note(method: string, key: StreamKey, ...what: string[]): void {
    this.asked.push([method, idOf(key), ...what].join(' '));
    if (this.refuses === method) throw new MixerError('no-ports', 'no');
  }

  private find(key: StreamKey): { room: string; media: VideoMedia | null } {
    const found = this.open.get(idOf(key));
    if (!found) throw new MixerError('no-such-stream', 'it is not open');
    return found;
  }
}

function idOf({ leg, stream }: StreamKey): string {
  return `${leg} ${stream}`;
}
