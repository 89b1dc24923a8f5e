import { fileURLToPath } from 'node:url';
import type {
  VideoMixerEvent,
  VideoMixerRequests,
  VideoMixerSettings,
  VideoScene,
} from '../../../mixer/video-protocol.ts';
import { VIDEO_PROTOCOL_VERSION } from '../../../mixer/video-protocol.ts';
import { MixerChannel } from '../../../server/mixers/mixer-channel.ts';
import { MixerProcess } from '../../../server/mixers/mixer-process.ts';
import { NodeTimers } from '../../../server/node-timers.ts';

/** As the server has it. */
const NICENESS = 5;

type Channel = MixerChannel<VideoMixerRequests, VideoMixerEvent, VideoMixerSettings>;

/** A video mixer process of its own, without a server. */
export class VideoProcess {
  readonly pid: number;
  readonly request: Channel['request'];
  private readonly end: () => void;

  static async start(rtpPortMin: number, rtpPortMax: number): Promise<VideoProcess> {
    const path = fileURLToPath(new URL('../../../mixer/video/main.js', import.meta.url));
    return new Promise((resolve, reject) => {
      const program = { path, flags: [], niceness: NICENESS, unhurried: new Set<string>() };
      const running: MixerProcess<VideoMixerRequests, VideoMixerEvent, VideoMixerSettings> = new MixerProcess({
        program,
        received: (message) => channel.received(message),
        exited: (reason) => {
          channel.closed(reason);
          reject(new Error(`the video mixer ${reason}`));
        },
      });
      const channel: Channel = new MixerChannel({
        version: VIDEO_PROTOCOL_VERSION,
        timers: new NodeTimers(),
        send: (message) => running.send(message),
        greeted: (pid, native) => {
          if (!native.includes('engine')) return reject(new Error('node-av is not installed'));
          channel.configure({
            ...{ bindAddress: '127.0.0.1', rtpPortMin, rtpPortMax, portQuarantineMs: 1000 },
            ...{ silenceTimeoutMs: 60_000, encoder: 'software', font: null },
          });
          resolve(new VideoProcess(pid, channel, () => running.disconnect()));
        },
        event: () => undefined,
        failed: (reason) => {
          running.kill();
          reject(new Error(reason));
        },
      });
    });
  }

  private constructor(pid: number, channel: Channel, end: () => void) {
    this.pid = pid;
    this.request = channel.request.bind(channel) as Channel['request'];
    this.end = end;
  }

  stop(): void {
    this.end();
  }
}

/** Senders first, so that they have the places; all of them in a grid of 720p. */
export function gridScene(senders: readonly string[], viewers: readonly string[], hideSelf = false): VideoScene {
  return {
    ...{
      title: null,
      roomName: 'bench',
      layout: 'grid',
      canvas: { width: 1280, height: 720 },
      fps: 25,
      theme: 'dark',
      fill: 'crop',
    },
    ...{ names: true, recording: 'off', speaker: null, spotlight: [], slides: null },
    places: [...senders],
    participants: [...senders, ...viewers].map((leg) => ({
      ...{ leg, name: `Participant ${leg}`, talking: false, muted: false, hand: false, camera: true },
      ...{ hasCard: false, recorded: true, layout: null, hideSelf },
    })),
  };
}
