import type { CryptoAttribute } from './crypto-attribute.ts';
import { isReachable, type RemoteStream, withoutAddress } from './remote-stream.ts';
import type { MediaDescription } from './session-description.ts';
import { chooseCrypto, type SrtpPolicy } from './srtp-policy.ts';

/** In the order in which they are looked for, so that the failure told is that of the stream that came nearest. */
const OBSTACLES = [304, 302, 301, 305] as const;

/** Why a stream cannot be taken: a warning code (RFC 3261 §20.43). */
export type Obstacle = (typeof OBSTACLES)[number];

/** A stream of an offer that we can take. */
export interface Candidate<S extends RemoteStream> {
  mediaIndex: number;
  stream: S;
  /** Theirs that was chosen; null for plain RTP. */
  crypto: CryptoAttribute | null;
}

/** What a stream must have to be taken. */
export interface StreamConditions<S extends RemoteStream> {
  /** Ours. */
  address: string;
  srtp: SrtpPolicy;
  read(media: MediaDescription): S;
  isUsable(stream: S): boolean;
}

/**
 * Of the streams of an offer with these `indices`, the first that we can take, a secured one rather than a plain one; the
 * one in use as long as we can. `inUse` is null when none is.
 *
 * Streams in the address family that is not ours come last: see `withoutAddress`.
 */
export function chooseStream<S extends RemoteStream>(
  streams: readonly MediaDescription[],
  indices: readonly number[],
  inUse: number | null,
  conditions: StreamConditions<S>,
): Candidate<S> | Obstacle {
  const order = inUse !== null && indices.includes(inUse) ? [inUse, ...indices] : indices;
  const reached = firstOf(streams, order, inUse, conditions, false);
  return reached === 301 ? firstOf(streams, order, inUse, conditions, true) : reached;
}

function firstOf<S extends RemoteStream>(
  streams: readonly MediaDescription[],
  order: readonly number[],
  inUse: number | null,
  conditions: StreamConditions<S>,
  otherFamily: boolean,
): Candidate<S> | Obstacle {
  let nearest: Obstacle = 304;
  let plain: Candidate<S> | null = null;
  for (const mediaIndex of order) {
    const candidate = tryStream(streams[mediaIndex]!, mediaIndex, conditions, otherFamily);
    if (typeof candidate === 'number') {
      if (OBSTACLES.indexOf(candidate) > OBSTACLES.indexOf(nearest)) nearest = candidate;
    } else if (candidate.crypto !== null || mediaIndex === inUse) {
      return candidate;
    } else {
      plain ??= candidate;
    }
  }
  return plain ?? nearest;
}

function tryStream<S extends RemoteStream>(
  media: MediaDescription,
  mediaIndex: number,
  { address, srtp, read, isUsable }: StreamConditions<S>,
  otherFamily: boolean,
): Candidate<S> | Obstacle {
  if (media.port === 0) return 304;
  const crypto = chooseCrypto(media, srtp);
  if (crypto === false) return 302;
  const stream = read(media);
  // Of streams in two address families (RFC 4091), the one of ours is taken.
  const reached = isReachable(stream, address) ? stream : otherFamily ? withoutAddress(stream) : null;
  if (reached === null) return 301;
  return isUsable(reached) ? { mediaIndex, stream: reached, crypto } : 305;
}
