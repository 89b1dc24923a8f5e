/** An SDP session description (RFC 8866) as plain data: what was read is kept, in its order, whether understood or not. */
export interface SessionDescription {
  origin: SdpOrigin;
  /** `s=`; `-` when there is none to speak of (RFC 8866 §5.3). */
  sessionName: string;
  connection: SdpConnection | null;
  /** The `t=`, `r=` and `z=` lines as written, since an answer repeats them (RFC 3264 §6). */
  timing: SdpLine[];
  attributes: SdpAttribute[];
  /** All other session lines (`i`, `u`, `e`, `p`, `b`, `k`, unknown ones), in their order. */
  otherLines: SdpLine[];
  media: MediaDescription[];
}

/** `o=` (RFC 8866 §5.2). Identifier and version are decimal numbers of up to 64 bits, hence text. */
export interface SdpOrigin {
  username: string;
  sessionId: string;
  sessionVersion: string;
  networkType: string;
  addressType: string;
  address: string;
}

/** `c=` (RFC 8866 §5.7). `address` as written: with TTL and count (`224.2.1.1/127`) if it has them, or a host name. */
export interface SdpConnection {
  networkType: string;
  addressType: string;
  address: string;
}

/** `a=name` has the value null, `a=name:` an empty one. */
export interface SdpAttribute {
  name: string;
  value: string | null;
}

export interface SdpLine {
  /** One letter. */
  type: string;
  value: string;
}

/** An `m=` line and what follows it (RFC 8866 §5.14). */
export interface MediaDescription {
  /** `audio`, `video`, … as written. */
  media: string;
  /** 0 to 65535; 0 is a stream that is refused or closed (RFC 3264 §6, §8.2). */
  port: number;
  /** 2 in `m=audio 4000/2`; 1 as a rule. */
  portCount: number;
  /** `RTP/AVP`, … as written. */
  protocol: string;
  /** As written. Empty only in a refused stream of a phone that left them out. */
  formats: string[];
  connections: SdpConnection[];
  attributes: SdpAttribute[];
  /** All other lines of this section (`i`, `b`, `k`, unknown ones), in their order. */
  otherLines: SdpLine[];
}

/** What both a session and a media section have. */
export type AttributeHolder = Pick<MediaDescription, 'attributes'>;
