/**
 * What the server and a video mixer process say to each other, over the same kind of channel as with the audio mixers
 * (`protocol.ts`). Of mixer/, server/ imports these two files only. Pictures cross it only when one is asked for.
 */

import type { FromMixer, MediaCrypto, MediaDirection, MediaPorts, RemoteMediaAddress, ToMixer } from './protocol.ts';

/** Raised whenever a message changes its meaning; a mixer of another version is refused at the handshake. */
export const VIDEO_PROTOCOL_VERSION = 3;

/** Names as in SDP. */
export type VideoCodecName = 'H264' | 'VP8';

/** Which reports on single losses were negotiated for a format (RFC 4585 §4.2, RFC 5104 §7.1). */
export interface VideoFeedback {
  /** Generic NACK: lost packets are sent again. */
  nack: boolean;
  /** Picture loss indication: a key frame is asked for. */
  pli: boolean;
  /** Full intra request, the same in RFC 5104. */
  fir: boolean;
  /** A limit of the bitrate (RFC 5104 §4.2). */
  tmmbr: boolean;
  /** The receiver's estimate (`goog-remb`). */
  remb: boolean;
}

/** One negotiated payload format: H.264 (RFC 6184) or VP8 (RFC 7741); the RTP clock is 90 kHz for both. */
export interface VideoFormat {
  codec: VideoCodecName;
  /** RTP payload type, 0–127. */
  payloadType: number;
  /** Format parameters (`a=fmtp`), names in lower case, of who receives it: of `send`, theirs; of `receive`, ours. */
  parameters: Record<string, string>;
  /** Payload type of what is sent again (RFC 4588, `apt` is this format); null: it is sent again as it was. */
  rtxPayloadType: number | null;
  feedback: VideoFeedback;
  /** Of H.264 that they send: `sprop-parameter-sets` (RFC 6184 §8.1), as far as they said. */
  parameterSets?: string;
}

/** The largest picture and the quickest stream that the other side takes, as far as it said. */
export interface VideoLimits {
  maxWidth: number;
  maxHeight: number;
  /** In luma samples of whole macroblocks: `max-fs` and the level of H.264 limit the area, not the sides. */
  maxPixels: number;
  /** The same of all pictures of a second (`max-mbps`, and the level of H.264): smaller ones may come quicker. */
  maxPixelsPerSecond: number;
  /** May have a fraction. */
  maxFps: number;
  /** RTP payload and all, from `b=TIAS`, `b=AS` or the level; null: not said. */
  maxBitrateBps: number | null;
}

/** What an offer and answer settled for one video stream. */
export interface VideoMedia {
  /** Null as long as the other side's address is not known (late offer) or is 0.0.0.0 (hold). */
  remote: RemoteMediaAddress | null;
  rtcpMux: boolean;
  direction: MediaDirection;
  send: VideoFormat;
  /** Of H.264, all profiles that we take may stand here, each with a payload type of its own. */
  receive: VideoFormat[];
  limits: VideoLimits;
  /** Null: plain RTP. */
  crypto: MediaCrypto | null;
}

/** Who is seen, or what is shown (`a=content:slides`, RFC 4796). */
export const VIDEO_STREAM_NAMES = ['main', 'slides'] as const;
export type VideoStreamName = (typeof VIDEO_STREAM_NAMES)[number];

/** A video stream of a leg; `leg` is the same id as in the audio mixer. */
export interface StreamKey {
  leg: string;
  stream: VideoStreamName;
}

export interface VideoMixerSettings {
  bindAddress: string;
  /** This process's own part of the port range, both ends included. */
  rtpPortMin: number;
  rtpPortMax: number;
  portQuarantineMs: number;
  /** No RTP and no RTCP for this long: the mixer says `streamSilent`. */
  silenceTimeoutMs: number;
  /** Encodes by hardware where the library finds it. */
  encoder: 'software' | 'nvenc' | 'vaapi';
  /** A TrueType file that names are written with; null: the one that comes along. */
  font: string | null;
}

/**
 * `grid`: all alike, 7×7 at most. `speaker`: who speaks large, the others in a strip below. `single`: who speaks alone.
 * `side-by-side`: the two who spoke last. `picture-in-picture`: who speaks, and who spoke before in a corner.
 * `auto`: `single` with one, `side-by-side` with two, `grid` up to nine, `speaker` beyond.
 */
export const LAYOUT_NAMES = ['auto', 'grid', 'speaker', 'single', 'side-by-side', 'picture-in-picture'] as const;
export type LayoutName = (typeof LAYOUT_NAMES)[number];

export interface SceneParticipant {
  leg: string;
  name: string;
  talking: boolean;
  muted: boolean;
  hand: boolean;
  /** False: a moderator has turned their video off; their card is shown. */
  camera: boolean;
  /** False: without a picture they have no place (listeners). */
  hasCard: boolean;
  /** False: they are in no recording, neither their picture nor their card. */
  recorded: boolean;
  /** Their own choice for what they see; null: the room's. */
  layout: LayoutName | null;
  /** They do not see themselves. */
  hideSelf: boolean;
}

/** All that a room's picture is made of, but for the pictures. Told anew as a whole whenever something changes. */
export interface VideoScene {
  /** Written at the top; null: nothing. */
  title: string | null;
  /** What people call the room: shown to who waits for being let in. */
  roomName: string;
  layout: LayoutName;
  /** The largest picture that is made; those who cannot take it get a smaller one. Even numbers. */
  canvas: { width: number; height: number };
  fps: number;
  theme: 'dark' | 'light';
  /** Pictures of another shape are cut to their place, or shown whole with bars. */
  fill: 'crop' | 'fit';
  names: boolean;
  recording: 'off' | 'recording' | 'paused';
  /** Who speaks at present; steadier than `talking`. Null: nobody yet. */
  speaker: string | null;
  /** Shown before all others and large where the layout has a large place, in this order. */
  spotlight: string[];
  /** Legs at fixed places, first to last; null: whoever comes. Empty: no fixed places. */
  places: (string | null)[];
  /** Whose slides are shown; null: nobody's. */
  slides: string | null;
  /** Those in the room, as they came; also those without video. */
  participants: SceneParticipant[];
}

export interface VideoStreamStatistics {
  packetsReceived: number;
  packetsSent: number;
  bytesReceived: number;
  bytesSent: number;
  /** Cumulative, as in our receiver reports (RFC 3550 A.3). */
  packetsExpected: number;
  packetsLost: number;
  jitterMs: number;
  remoteFractionLost: number | null;
  roundTripMs: number | null;
  /** Asked for again by us, and sent again by us. */
  nacksSent: number;
  retransmitted: number;
  keyFramesAsked: number;
  keyFramesSent: number;
  framesDecoded: number;
  /** Pictures that could not be made of what came. */
  framesBroken: number;
  framesSent: number;
  /** Of the last second; null: there is nothing to see. */
  received: { codec: VideoCodecName; width: number; height: number; fps: number; bitrateBps: number } | null;
  sent: { codec: VideoCodecName; width: number; height: number; fps: number; bitrateBps: number } | null;
}

export interface VideoMixerStatistics {
  rooms: number;
  streams: number;
  portsInUse: number;
  portsResting: number;
  socketErrors: number;
  /** Since start. Compositions and encodes there were, and encodes with one encoder a viewer. */
  composed: number;
  encodes: number;
  encodesUnshared: number;
  decodes: number;
  framesBroken: number;
  /** Frames that were left out because the process could not keep up. */
  framesSkipped: number;
  encoders: number;
  /** What the load leaves for them: 0 little, 1, or 2, which looks best; of the room with the least. */
  effort: number;
  recordings: number;
  /** Busy share of the process in the last seconds, all threads, in cores. */
  load: number;
  memoryBytes: number;
  cpuMs: number;
}

export interface VideoRecordingToStart {
  room: string;
  recording: string;
  /** Is there already. Gets `video-PART.mkv`. */
  directory: string;
  part: number;
  /** What `process.hrtime` (milliseconds) says where the part's time line is 0; both processes have the same clock. */
  originMs: number;
  paused: boolean;
  /** Base64 of 32 octets, which must never be logged: the file is sealed with it, and named `….sealed`. */
  key: string | null;
}

/** Each request: its parameters and its result. */
export interface VideoMixerRequests {
  openRoom: { params: { room: string; scene: VideoScene }; result: Record<string, never> };
  updateRoom: { params: { room: string; scene: VideoScene }; result: Record<string, never> };
  closeRoom: { params: { room: string }; result: Record<string, never> };
  /** See `openLeg` of the audio mixer. Errors: `no-such-room`, `already-exists`, `no-ports`, `port-in-use`. */
  openStream: {
    params: StreamKey & { room: string; cname: string; ports?: MediaPorts; media?: VideoMedia };
    result: MediaPorts;
  };
  updateStream: { params: StreamKey & { media: VideoMedia }; result: Record<string, never> };
  moveStream: { params: StreamKey & { room: string }; result: Record<string, never> };
  closeStream: { params: StreamKey; result: VideoStreamStatistics };
  streamStatistics: { params: StreamKey; result: VideoStreamStatistics };
  /** They have asked in signalling for a key frame of ours (RFC 5168). */
  sendKeyFrame: { params: StreamKey; result: Record<string, never> };
  /** How much later than at its microphone a leg's sound is in the mix, which its pictures keep step with. */
  soundDelay: { params: { leg: string; delayMs: number; senderNtpMs: number | null }; result: Record<string, never> };
  /** What the room looks like now, JPEG in base64. Errors: `no-such-room`. */
  picture: { params: { room: string; width: number }; result: { jpeg: string } };
  startRecording: { params: VideoRecordingToStart; result: Record<string, never> };
  /** `originMs`: as at the start, from when it goes on; without meaning in a pause. */
  controlRecording: {
    params: { recording: string; paused: boolean; originMs: number };
    result: Record<string, never>;
  };
  stopRecording: { params: { recording: string }; result: { bytes: number } };
  statistics: { params: Record<string, never>; result: VideoMixerStatistics };
}

/** What a video mixer tells unasked. */
export type VideoMixerEvent =
  | ({ event: 'streamActive' } & StreamKey)
  | ({ event: 'streamLatched'; address: string; rtpPort: number } & StreamKey)
  | ({ event: 'streamSilent'; silentMs: number } & StreamKey)
  /** See `MixerEvent`. */
  | ({ event: 'packetFault'; address: string; port: number; faults: number; reason: string } & StreamKey)
  /** A key frame of theirs is needed, and they did not say that they take PLI or FIR: signalling may ask (RFC 5168). */
  | ({ event: 'keyFrameWanted' } & StreamKey)
  /** Pictures come, of this size now; null: none any more. */
  | ({ event: 'streamPicture'; size: { width: number; height: number } | null } & StreamKey)
  /**
   * By the sender's reports their pictures come later than their sound is in the mix, by more than a little; or not any
   * more, or none do. They are in step when the sound is in the mix `delayMs` after its arrival, as of `soundDelay`. 0: no
   * matter when.
   */
  | { event: 'soundTooEarly'; leg: string; delayMs: number }
  | { event: 'recordingFailed'; recording: string; reason: string }
  /** A setting cannot be kept to, and another way is taken: a font that cannot be read, hardware that is not there. */
  | { event: 'settingUnusable'; setting: 'font' | 'encoder'; reason: string }
  | { event: 'load'; load: number; tickLoad: number; lateTicks: number };

export type VideoMixerMethod = keyof VideoMixerRequests;
export type VideoMixerParams<M extends VideoMixerMethod> = VideoMixerRequests[M]['params'];
export type VideoMixerResult<M extends VideoMixerMethod> = VideoMixerRequests[M]['result'];

export type ToVideoMixer = ToMixer<VideoMixerRequests, VideoMixerSettings>;
export type FromVideoMixer = FromMixer<VideoMixerRequests, VideoMixerEvent>;
