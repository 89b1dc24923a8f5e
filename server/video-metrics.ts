import type { VideoMixerStatistics } from '../mixer/video-protocol.ts';

/** One video mixer process, as `MixerMetrics` are of one that mixes sound. */
export interface VideoMixerMetrics extends VideoMixerStatistics {
  /** Stable over restarts, such as `0`. */
  name: string;
  up: boolean;
}

/** Name, meaning and value of each, by mixer. */
export interface VideoMetric {
  readonly type: 'gauge' | 'counter';
  readonly name: string;
  readonly help: string;
  value(mixer: VideoMixerMetrics): number;
}

const gauge = (name: string, help: string, value: VideoMetric['value']): VideoMetric => ({
  ...{ type: 'gauge', name, help, value },
});
const counter = (name: string, help: string, value: VideoMetric['value']): VideoMetric => ({
  ...{ type: 'counter', name, help, value },
});

export const videoMetrics: readonly VideoMetric[] = [
  gauge('parley_video_mixer_up', '1 when the video mixer process runs.', ({ up }) => (up ? 1 : 0)),
  gauge('parley_video_rooms', 'Rooms that have a picture.', ({ rooms }) => rooms),
  gauge('parley_video_streams', 'Streams of video, of cameras and slides.', ({ streams }) => streams),
  gauge('parley_video_ports_used', 'Media ports in use for video.', ({ portsInUse }) => portsInUse),
  gauge('parley_video_ports_resting', 'Media ports of video that rest after use.', ({ portsResting }) => portsResting),
  counter(
    'parley_video_socket_errors_total',
    'Media packets of video that could not be sent or were refused where they went.',
    ({ socketErrors }) => socketErrors,
  ),
  gauge('parley_video_mixer_load', 'Cores that the video mixer keeps busy, all threads.', ({ load }) => load),
  gauge('parley_video_encoders', 'Encoders at work, each for all who get the same.', ({ encoders }) => encoders),
  gauge(
    'parley_video_encoder_effort',
    'What the load leaves for encoders of pictures, of the room with the least: 0 little, 1, or 2, which looks best.',
    ({ effort }) => effort,
  ),
  counter('parley_video_composed_total', 'Pictures put together.', ({ composed }) => composed),
  counter('parley_video_encodes_total', 'Pictures encoded.', ({ encodes }) => encodes),
  counter(
    'parley_video_encodes_unshared_total',
    'Pictures that would have been encoded with one encoder a viewer.',
    ({ encodesUnshared }) => encodesUnshared,
  ),
  counter('parley_video_decodes_total', 'Pictures decoded.', ({ decodes }) => decodes),
  counter(
    'parley_video_frames_broken_total',
    'Pictures that could not be made of what came.',
    ({ framesBroken }) => framesBroken,
  ),
  counter(
    'parley_video_frames_skipped_total',
    'Pictures that were left out because the video mixer could not keep up.',
    ({ framesSkipped }) => framesSkipped,
  ),
];
