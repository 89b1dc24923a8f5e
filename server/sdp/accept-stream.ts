import type { MediaCrypto } from '../../mixer/protocol.ts';
import type { Obstacle } from './choose-stream.ts';
import { hasCryptoAttribute, readCryptoAttributes } from './crypto-attribute.ts';
import type { LocalMedia } from './local-description.ts';
import { isReachable, type RemoteStream, withoutAddress } from './remote-stream.ts';
import type { MediaDescription } from './session-description.ts';
import { isPlainProfile, isSecureProfile, type SrtpPolicy } from './srtp-policy.ts';

/** A stream of ours that was answered. */
export interface AcceptedStream<S extends RemoteStream> {
  stream: S;
  /** Null: plain RTP. */
  crypto: MediaCrypto | null;
}

/** What the answer says of a stream that we offered; else why it is of no use. */
export function acceptStream<S extends RemoteStream>(
  ourStream: MediaDescription,
  theirStream: MediaDescription | undefined,
  { address, srtp }: LocalMedia,
  read: (media: MediaDescription) => S,
): AcceptedStream<S> | Obstacle {
  if (theirStream === undefined || theirStream.media !== ourStream.media || theirStream.port === 0) return 304;
  if (!fits(ourStream.protocol, theirStream.protocol)) return 302;
  const said = read(theirStream);
  const stream = isReachable(said, address) ? said : withoutAddress(said);
  if (stream === null) return 301;
  const crypto = agreedCrypto(ourStream, theirStream, srtp);
  return crypto === false ? 302 : { stream, crypto };
}

/**
 * Deviation: RFC 3264 §6 would have the very profile of the offer. With and without feedback (RTP/AVP, RTP/AVPF) it is the
 * same RTP.
 */
function fits(ours: string, theirs: string): boolean {
  return ours === theirs || (isSecureProfile(ours) ? isSecureProfile(theirs) : isPlainProfile(theirs));
}

/**
 * The one `a=crypto` line of the answer belongs to that of our offer which has its tag and suite (RFC 4568 §7.1.3).
 *
 * Null: plain RTP, where we leave the choice. False: none that we can use, though there must be or is one.
 */
function agreedCrypto(
  ourStream: MediaDescription,
  theirStream: MediaDescription,
  srtp: SrtpPolicy,
): MediaCrypto | null | false {
  if (srtp === 'off') return null;
  if (!hasCryptoAttribute(theirStream))
    return srtp === 'required' || isSecureProfile(ourStream.protocol) ? false : null;
  const [theirs, ...surplus] = readCryptoAttributes(theirStream);
  const ours = readCryptoAttributes(ourStream).find(({ tag, suite }) => tag === theirs?.tag && suite === theirs.suite);
  if (theirs === undefined || surplus.length > 0 || ours === undefined) return false;
  return { suite: ours.suite, sendKey: ours.key, receiveKey: theirs.key, receiveMki: theirs.mki };
}
