import type { MediaPorts } from '../../mixer/protocol.ts';
import type { StreamKey, VideoMedia, VideoMixerEvent } from '../../mixer/video-protocol.ts';
import { MixerError } from './mixer-channel.ts';

/** What a stream needs for its next life. */
export interface StreamRecord {
  readonly key: StreamKey;
  readonly cname: string;
  room: string;
  ports: MediaPorts;
  media: VideoMedia | null;
  /** Pictures come, as was told last. */
  seen: boolean;
}

/** The streams on video mixers, as those were told last, and what was heard of them. */
export class StreamRecords {
  private readonly records = new Map<string, StreamRecord>();

  has(key: StreamKey): boolean {
    return this.records.has(streamId(key));
  }

  get(key: StreamKey): StreamRecord | undefined {
    return this.records.get(streamId(key));
  }

  /** @throws MixerError `no-such-stream`. */
  find(key: StreamKey): StreamRecord {
    const record = this.get(key);
    if (!record) throw new MixerError('no-such-stream', `stream ${streamId(key)} is not open`);
    return record;
  }

  add(record: StreamRecord): void {
    this.records.set(streamId(record.key), record);
  }

  delete(key: StreamKey): void {
    this.records.delete(streamId(key));
  }

  /** @param ids `streamId` of those that are or may be there */
  inRoom(room: string, ids: Iterable<string>): StreamRecord[] {
    return [...ids].flatMap((id) => this.records.get(id) ?? []).filter((record) => record.room === room);
  }

  happened(event: VideoMixerEvent): void {
    if (event.event === 'streamPicture') {
      const record = this.get(event);
      if (record) record.seen = event.size !== null;
    }
    if (event.event !== 'streamLatched') return;
    const record = this.get(event);
    if (!record?.media?.remote) return;
    const rtcpPort = record.media.rtcpMux ? event.rtpPort : record.media.remote.rtcpPort;
    record.media = { ...record.media, remote: { address: event.address, rtpPort: event.rtpPort, rtcpPort } };
  }
}

export function streamId({ leg, stream }: StreamKey): string {
  return `${leg} ${stream}`;
}
