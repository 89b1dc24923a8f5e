/**
 * What the server and a mixer process say to each other: requests with replies, and events.
 *
 * This is the only file of mixer/ that server/ imports. All values are plain data, carried by the process's IPC channel
 * (structured clone). Audio never crosses it.
 */

/** Raised whenever a message changes its meaning; a mixer of another version is refused at the handshake. */
export const PROTOCOL_VERSION = 4;

/** Names as in SDP; those of L16 with the sampling rate, which makes them different codecs to a mixer. */
export type AudioCodecName = 'PCMU' | 'PCMA' | 'G722' | 'opus' | 'L16/8000' | 'L16/16000' | 'L16/48000';

/** One negotiated payload format (RFC 3551 §6, RFC 7587 §7). */
export interface AudioFormat {
  codec: AudioCodecName;
  /** RTP payload type, 0–127. */
  payloadType: number;
  /** The RTP clock, which for G.722 is not its sampling rate (RFC 3551 §4.5.2). */
  clockRateHz: number;
  /** Format parameters (`a=fmtp`), names in lower case. */
  parameters: Record<string, string>;
}

export interface TelephoneEventFormat {
  payloadType: number;
  clockRateHz: number;
}

/** The header extension with the level of each packet (RFC 6464). */
export interface AudioLevelExtension {
  /** Local identifier (RFC 8285 §4.1), 1–14, or to 255 where it comes in the two-byte form. */
  id: number;
  /** Its V bit says whether there is voice in the packet. */
  vad: boolean;
}

/** Where the other side said that it takes media; where it really sends from is found by latching (RFC 4961). */
export interface RemoteMediaAddress {
  address: string;
  rtpPort: number;
  /** The same as `rtpPort` when RTP and RTCP are multiplexed (RFC 5761). */
  rtcpPort: number;
}

/** From our point of view: `sendonly` means that we send and do not receive. */
export type MediaDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** Crypto suites of SRTP by their names in SDP (RFC 4568 §6.2, RFC 6188 §4, RFC 7714 §14.1). */
export type SrtpSuite =
  | 'AES_CM_128_HMAC_SHA1_80'
  | 'AES_CM_128_HMAC_SHA1_32'
  | 'AES_256_CM_HMAC_SHA1_80'
  | 'AES_256_CM_HMAC_SHA1_32'
  | 'AEAD_AES_128_GCM'
  | 'AEAD_AES_256_GCM';

/** How a stream is secured (RFC 3711). Keys are base64 of master key and master salt, and must never be logged. */
export interface MediaCrypto {
  suite: SrtpSuite;
  /** Ours. One that was replaced never comes back in the life of a leg: its packet index would begin anew. */
  sendKey: string;
  receiveKey: string;
  /** The master key identifier in all packets that we receive, hexadecimal; null when they have none. */
  receiveMki: string | null;
}

/** What an offer and answer (RFC 3264) settled for one audio stream. */
export interface AudioMedia {
  /** Null as long as the other side's address is not known (late offer) or is 0.0.0.0 (hold, RFC 3264 §8.4). */
  remote: RemoteMediaAddress | null;
  rtcpMux: boolean;
  direction: MediaDirection;
  /** What we send. */
  send: AudioFormat;
  /** Length of the packets that we send, milliseconds: 10, 20, 30, 40, 50 or 60. */
  sendPtimeMs: number;
  /** All that we may receive. Holds `send.codec`, perhaps under another payload type. */
  receive: AudioFormat[];
  /** RFC 4733; null where it was not negotiated. We send no keys. */
  receiveTelephoneEvent: TelephoneEventFormat | null;
  /** Payload type of comfort noise (RFC 3389) in place of our silence, where the other side negotiated it beside G.711. */
  sendComfortNoise?: number | null;
  /** The other side tells the level of its packets; null or absent: it does not. */
  receiveAudioLevel?: AudioLevelExtension | null;
  /** Null or absent: plain RTP. */
  crypto?: MediaCrypto | null;
  /** The other side wants our VoIP metrics in RTCP (RFC 3611 §5.1). */
  voipMetrics?: boolean;
}

export interface LegControl {
  /** Nobody hears this participant. */
  muted: boolean;
  /** This participant hears nobody. */
  deaf: boolean;
  /** Gain on what this participant sends, dB. */
  gainDb: number;
  /** Gain on what this participant hears, dB. */
  volumeDb: number;
  /** Not part of the room: hears only what is played to them, and nobody hears them. Keys are told all the same. */
  apart: boolean;
  /** Legs of the same room that hear this participant; null: all. */
  speaksTo: string[] | null;
  /** False: what this participant says gets into no recording, neither into its mix nor into a track. */
  recorded: boolean;
  /** There are pictures to keep step with: `legSound` is told. Absent: false. */
  tellsSound?: boolean;
  /** What they say waits at least so long before it is heard, as their pictures come later; 0 to 400. Absent: 0. */
  minDelayMs?: number;
}

/** Settings that a mixer process gets once, after its `hello`. */
export interface MixerSettings {
  bindAddress: string;
  /** This process's own part of the port range, both ends included. */
  rtpPortMin: number;
  rtpPortMax: number;
  /** How long a port rests after use, so that a late packet of one call does not reach the next. */
  portQuarantineMs: number;
  /** No RTP and no RTCP for this long: the mixer says `legSilent`. */
  silenceTimeoutMs: number;
  opusComplexity: number;
  /** How many are heard at a time: the loudest who speak. */
  maxTalkers: number;
  /** Whether talkers are brought to a common loudness. */
  automaticGain: 'off' | 'gentle' | 'on';
  /** Level of the noise under the mix, dBov. */
  comfortNoiseDb: number;
}

export interface MediaPorts {
  /** Even. */
  rtpPort: number;
  rtcpPort: number;
}

export interface LegStatistics {
  packetsReceived: number;
  packetsSent: number;
  bytesReceived: number;
  bytesSent: number;
  /** Cumulative, as in our receiver reports (RFC 3550 §6.4.1); can be negative with duplicates. */
  packetsLost: number;
  /** Interarrival jitter (RFC 3550 §6.4.1), milliseconds. */
  jitterMs: number;
  /** From the other side's receiver reports; null before the first. */
  remoteFractionLost: number | null;
  roundTripMs: number | null;
  /** Frames that the jitter buffer had to conceal, and packets too late to be used. */
  concealedFrames: number;
  latePackets: number;
  /** Present jitter buffer delay. */
  bufferDelayMs: number;
  /** Where media really comes from, once latched. */
  latchedAddress: string | null;
  latchedPort: number | null;
  receivingCodec: AudioCodecName | null;
  /** Null before the first packet. */
  quality: LegQuality | null;
  /** SRTP and SRTCP that was dropped because it was not authentic or came twice. */
  srtpRefused: number;
  /** RTP that was dropped because it came from elsewhere than the latched source. */
  foreignPackets: number;
  /** When RTP came, or was sent; milliseconds since 1970. Null before the first. */
  firstReceivedMs: number | null;
  lastReceivedMs: number | null;
  firstSentMs: number | null;
  /** Loudest of the last 5 to 10 seconds of what is received, dBov; null while it is not listened to. */
  receivedLevelDb: number | null;
  /** Of the last 20 ms that were sent, dBov; null when that was a mix of this participant's own, or nothing. */
  sentLevelDb: number | null;
}

/** How a call sounds, both ways, since it began. Scores are estimates by the E-model (ITU-T G.107), 1 to 4.5. */
export interface LegQuality {
  /** What we get from the participant. */
  received: {
    mos: number;
    /** Lost on the way. */
    lossPercent: number;
    /** Interarrival jitter (RFC 3550 §6.4.1). */
    jitterMs: number;
    /** Lost or too late, and made up. */
    concealedPercent: number;
    /** Share lost within bursts and between them, and how long these are on average (RFC 3611 §4.7.2). */
    burstLossPercent: number;
    burstMs: number;
    gapLossPercent: number;
    gapMs: number;
  };
  /** What the participant gets from us, by its last report; null before the first. */
  sent: {
    mos: number;
    lossPercent: number;
    jitterMs: number | null;
    /** Only who sends VoIP metrics (RFC 3611 §4.7) says these. */
    discardedPercent: number | null;
    burstLossPercent: number | null;
  } | null;
  roundTripMs: number | null;
  /** Present jitter buffer delay. */
  bufferDelayMs: number;
}

/** Upper ends of the buckets that tick times are counted in; what is longer is in one more. */
export const TICK_TIME_BOUNDS_MS: readonly number[] = [
  0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60, 100,
];

/** Since the mixer's start: how many in each bucket, the bound included, and their sum. */
export interface TickTimeCounts {
  counts: readonly number[];
  totalMs: number;
}

export interface MixerStatistics {
  rooms: number;
  legs: number;
  sockets: number;
  /** Media packets since start that could not be sent or were refused there (ICMP), as far as the kernel says. */
  socketErrors: number;
  portsInUse: number;
  portsResting: number;
  /** Room ticks since start, and those that began more than a tick late. */
  ticks: number;
  lateTicks: number;
  /** Of each pass over the rooms in which at least one ticked. */
  tickTimes: TickTimeCounts;
  /** Share of the last second that ticks took, 0–1. */
  tickLoad: number;
  /** Busy share of the process in the last seconds, ticks and packets, 0–1. */
  load: number;
  /** What its load leaves for Opus encoders, 0–10. */
  opusComplexity: number;
  encodes: number;
  /** Encodes there would have been with one encoder a listener. */
  encodesUnshared: number;
  decodes: number;
  recordings: number;
  /** Means over the legs that receive; null when none does. */
  quality: { mos: number; lossPercent: number; jitterMs: number; roundTripMs: number | null } | null;
  memoryBytes: number;
  /** User and system time of the process since its start. */
  cpuMs: number;
}

export interface RecordingResult {
  /** Length of the time line of this part, without pauses. */
  durationMs: number;
  /** Of all its files. */
  bytes: number;
}

/** Where the time line of a recording's part is. */
export interface RecordingPosition {
  /** Where its next tick begins, milliseconds. */
  positionMs: number;
  /**
   * When it was 0, or would have been without pauses: milliseconds of `process.hrtime`, the clock that all processes of a
   * machine have in common. Right to the microsecond, whenever this is read. Null while nothing is recorded.
   */
  originMs: number | null;
}

export interface RecordingToStart {
  room: string;
  recording: string;
  /** Is there already. Gets `mix-PART.mka` and `track-PART-LEG-N.mka`, N from 1 on for each run of one codec. */
  directory: string;
  /** Counts up when a recording goes on after a mixer died. */
  part: number;
  /** Each participant's own packets as well, as they were received. */
  tracks: boolean;
  paused: boolean;
  /** Base64 of 32 octets, which must never be logged: files are sealed with it, and named `….sealed`. Null: plain. */
  key: string | null;
}

export interface SoundToPlay {
  playback: string;
  to: { room: string } | { leg: string };
  /** Played one after the other. `.g722` is raw G.722 (64 kbit/s); `.wav` is PCM, 16 bit, mono, 8, 16 or 48 kHz. */
  files: string[];
  gainDb: number;
  /** Base64 of 32 octets, which must never be logged: the files are sealed with it, and named `….sealed`. */
  key?: string;
  /** Where to begin, from the beginning of the first file; default 0. */
  startMs?: number;
  /** Begins again at the end, until it is stopped; and rests while something else is played to the same leg or room. */
  repeat: boolean;
}

export interface PlaybackPosition {
  /** From the beginning of the first file. */
  positionMs: number;
  /** Of all files. */
  durationMs: number;
}

/** Each request: its parameters and its result. Identifiers are made by the server. */
export interface MixerRequests {
  openRoom: { params: { room: string }; result: Record<string, never> };
  /** Closes all that is in it. */
  closeRoom: { params: { room: string }; result: Record<string, never> };
  /**
   * Opens sockets for a participant. `ports` asks for the ports of a former life (after a crash); without it the mixer
   * takes a pair from its range. `media` may follow later with `updateLeg`.
   * Errors: `no-such-room`, `no-ports`, `port-in-use`.
   */
  openLeg: {
    params: {
      room: string;
      leg: string;
      cname: string;
      control: LegControl;
      ports?: MediaPorts;
      media?: AudioMedia;
    };
    result: MediaPorts;
  };
  updateLeg: { params: { leg: string; media: AudioMedia }; result: Record<string, never> };
  controlLeg: { params: { leg: string; control: LegControl }; result: Record<string, never> };
  legStatistics: { params: { leg: string }; result: LegStatistics };
  /** Sends an RTCP BYE, closes the sockets and says what the leg had counted. */
  closeLeg: { params: { leg: string }; result: LegStatistics };
  /**
   * Records the room into new Matroska files. Answered right after the first 20 ms that were recorded, or at once when it
   * begins paused.
   * Errors: `no-such-room`, `already-exists`, `cannot-write`, `bad-request`.
   */
  startRecording: { params: RecordingToStart; result: RecordingPosition };
  /**
   * Pauses or goes on, exactly between two ticks; answered at once, or right after the first 20 ms that were recorded
   * again. Nothing happens if it is so already. Errors: `no-such-recording`.
   */
  controlRecording: { params: { recording: string; paused: boolean }; result: RecordingPosition };
  /**
   * Answered when all its files are on the disk and closed. Errors: `no-such-recording`; `cannot-write` when the end of it
   * could not be written.
   */
  stopRecording: { params: { recording: string }; result: RecordingResult };
  /**
   * Plays to a participant, over what they hear, which is turned down meanwhile; or to all in a room who are neither deaf
   * nor apart, and into its recordings. Answered when it is known that all files can be read; what is played to one leg or
   * one room is played one after the other. Its end is told by `playbackEnded`, once, unless the answer was an error.
   * Errors: `no-such-room`, `no-such-leg`, `already-exists`, `cannot-read`, `too-many-sounds`.
   */
  playSound: { params: SoundToPlay; result: Record<string, never> };
  /**
   * Changes the volume of what is being played or waits for its turn, and goes on at `positionMs`, or at the end when
   * there is not so much; both without a click. Without either it only says where it stands.
   * Errors: `no-such-sound`, `cannot-read`.
   */
  controlSound: { params: { playback: string; gainDb?: number; positionMs?: number }; result: PlaybackPosition };
  /** Fades out. Nothing happens if it has ended. */
  stopSound: { params: { playback: string }; result: Record<string, never> };
  /**
   * To another room of this mixer, with what is being played to the leg: same ports, same stream.
   * Errors: `no-such-leg`, `no-such-room`.
   */
  moveLeg: { params: { leg: string; room: string }; result: Record<string, never> };
  /**
   * Records what the participant says, muted or not, into a WAV file (PCM, 16 bit, mono, 16 kHz), without the silence
   * before and after it. Ends after `maxMs` (60 000 at most), after `endsAtSilenceMs` without a word, at a key, or with
   * the leg, and is answered then. When nothing was said, `durationMs` is 0 and there is no file.
   * Errors: `no-such-leg`, `already-exists`, `cannot-write`, `bad-request`.
   */
  recordLeg: {
    params: { leg: string; path: string; maxMs: number; endsAtSilenceMs: number };
    result: { durationMs: number };
  };
  statistics: { params: Record<string, never>; result: MixerStatistics };
}

export type MixerMethod = keyof MixerRequests;
export type MixerParams<M extends MixerMethod> = MixerRequests[M]['params'];
export type MixerResult<M extends MixerMethod> = MixerRequests[M]['result'];

export type MixerErrorCode =
  | 'no-such-room'
  | 'no-such-leg'
  | 'no-such-stream'
  | 'no-such-recording'
  | 'no-such-sound'
  | 'already-exists'
  | 'no-ports'
  | 'port-in-use'
  | 'cannot-write'
  | 'cannot-read'
  | 'too-many-sounds'
  | 'bad-request'
  | 'internal'
  /** Made up by the server's side: the process died, or did not answer in time. */
  | 'mixer-gone'
  | 'deadline';

export type PlaybackEnd = 'finished' | 'stopped' | 'failed';

/** What a mixer tells unasked. */
export type MixerEvent =
  /** The first media packet of a leg. */
  | { event: 'legActive'; leg: string }
  /** Media comes from here; the server keeps it for the mixer's next life. */
  | { event: 'legLatched'; leg: string; address: string; rtpPort: number }
  /** Nothing was received for `silentMs`: told at the silence time-out, and again each time as much has passed. */
  | { event: 'legSilent'; leg: string; silentMs: number }
  | { event: 'legTalking'; leg: string; talking: boolean; levelDb: number }
  /**
   * How late a participant's sound is in the mix, for what is to keep step with it; where `LegControl.tellsSound`: once a
   * second while sound comes, and when it changes by 10 ms. `delayMs`: from the arrival of a packet to the mix.
   * `senderNtpMs`: our wall clock less that of the sender (NTP time of its sender reports), in milliseconds, at the moment
   * at which the sound that is in the mix now was made; null without sender reports.
   */
  | { event: 'legSound'; leg: string; delayMs: number; senderNtpMs: number | null }
  /** Twice a second while somebody talks. */
  | { event: 'legLevel'; leg: string; levelDb: number }
  /** A packet from there could not be handled; `faults` of them until now. */
  | { event: 'packetFault'; leg: string; address: string; port: number; faults: number; reason: string }
  /** A key, told once (RFC 4733). */
  | { event: 'legKey'; leg: string; key: string; durationMs: number }
  /** It has ended by itself; nothing is written any more. The conference goes on. */
  | { event: 'recordingFailed'; recording: string; reason: string }
  /** `stopped` also when its leg or its room was closed; `failed` with a `detail` for the log. */
  | { event: 'playbackEnded'; playback: string; reason: PlaybackEnd; detail?: string }
  /** Each second while there are rooms; `load` is the busy share of the process, ticks and packets, 0–1, smoothed. */
  | { event: 'load'; load: number; tickLoad: number; lateTicks: number };

/** The requests of a protocol: each with its parameters and its result. */
export type Requests<R> = { [M in keyof R]: { params: object; result: object } };

/**
 * Over the channel go arrays of these, as of `FromMixer`: what one turn of the event loop had to say. Video mixers have
 * requests, events and settings of their own.
 */
export type ToMixer<R extends Requests<R> = MixerRequests, S = MixerSettings> =
  | { type: 'configure'; version: number; settings: S }
  | { type: 'request'; id: number; method: keyof R & string; params: R[keyof R & string]['params'] };

export type FromMixer<R extends Requests<R> = MixerRequests, E = MixerEvent> =
  /**
   * `native` are the parts for which it found something quicker in the system: `sockets`, `opus`; of a video mixer,
   * `engine` is what it cannot do without.
   */
  | { type: 'hello'; version: number; pid: number; native?: readonly string[] }
  | { type: 'reply'; id: number; result: R[keyof R & string]['result'] }
  | { type: 'error'; id: number; code: MixerErrorCode; message: string }
  | ({ type: 'event' } & E);
