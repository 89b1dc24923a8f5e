import type { AudioCodecName } from '../../mixer/protocol.ts';

/** What became of one format of theirs. `accepted`: it may be received; `auxiliary`: keys, comfort noise, what is sent again. */
export interface ExplainedFormat {
  payloadType: number;
  /** `opus/48000/2`, as the rtpmap has it. */
  name: string;
  verdict: 'sent' | 'accepted' | 'auxiliary' | 'lost';
  reason: string;
}

export interface ExplainedStream {
  /** `audio`, `video` … */
  media: string;
  protocol: string;
  taken: boolean;
  reason: string;
  /** Of audio and video; empty for others. */
  formats: ExplainedFormat[];
}

export interface NegotiationExplanation {
  /** Whether it was their offer that we answered, or their answer to ours. */
  theirs: 'offer' | 'answer';
  streams: ExplainedStream[];
  /** Audio codecs of ours that they did not name. */
  notNamed: AudioCodecName[];
}
