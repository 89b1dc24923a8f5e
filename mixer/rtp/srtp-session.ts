import type { MediaCrypto } from '../protocol.ts';
import { SrtpReceiver } from './srtp-receiver.ts';
import { SrtpSender } from './srtp-sender.ts';

/** The secured media of one participant, both directions, over the changes that offers and answers bring. */
export class SrtpSession {
  /** Received RTP and RTCP that was not authentic, or came twice. */
  refused = 0;
  #crypto: MediaCrypto;
  #sender: SrtpSender;
  #receiver: SrtpReceiver;
  /** That of the key before, until the first packet comes under the new one: who re-keys does so a little later than we. */
  #formerReceiver: SrtpReceiver | null = null;

  constructor(crypto: MediaCrypto) {
    this.#crypto = crypto;
    this.#sender = new SrtpSender(crypto.suite, crypto.sendKey);
    this.#receiver = receiverOf(crypto);
  }

  /** Takes up what a later offer and answer settled; a direction whose key stays goes on as it was. */
  update(crypto: MediaCrypto): void {
    const { suite, sendKey, receiveKey, receiveMki } = this.#crypto;
    const sameSuite = suite === crypto.suite;
    if (!sameSuite || sendKey !== crypto.sendKey) this.#sender = new SrtpSender(crypto.suite, crypto.sendKey);
    if (!sameSuite || receiveKey !== crypto.receiveKey || receiveMki !== crypto.receiveMki) {
      this.#formerReceiver = this.#receiver;
      this.#receiver = receiverOf(crypto);
    }
    this.#crypto = crypto;
  }

  /** As `SrtpSender.protectRtp`. */
  protectRtp(packet: Uint8Array, length: number): number {
    return this.#sender.protectRtp(packet, length);
  }

  protectRtcp(packet: Uint8Array, length: number): number {
    return this.#sender.protectRtcp(packet, length);
  }

  /** As `SrtpReceiver.unprotectRtp`. */
  unprotectRtp(packet: Uint8Array, length: number): number {
    let plainLength = this.#receiver.unprotectRtp(packet, length);
    if (plainLength >= 0) this.#formerReceiver = null;
    else if (this.#formerReceiver) plainLength = this.#formerReceiver.unprotectRtp(packet, length);
    if (plainLength < 0) this.refused++;
    return plainLength;
  }

  unprotectRtcp(packet: Uint8Array, length: number): number {
    let plainLength = this.#receiver.unprotectRtcp(packet, length);
    if (plainLength < 0 && this.#formerReceiver) plainLength = this.#formerReceiver.unprotectRtcp(packet, length);
    if (plainLength < 0) this.refused++;
    return plainLength;
  }
}

function receiverOf({ suite, receiveKey, receiveMki }: MediaCrypto): SrtpReceiver {
  return new SrtpReceiver(suite, receiveKey, receiveMki);
}
