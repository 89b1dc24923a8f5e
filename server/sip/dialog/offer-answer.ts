/** Who sent a message: we or the peer. */
export type Side = 'us' | 'them';

/** The messages of a session that can have SDP in them (RFC 6337 §2.2); `1xx` is an unreliable provisional response. */
export type SessionMessage =
  | 'INVITE'
  | '1xx'
  | '1xx-rel'
  | '2xx-INVITE'
  | 'ACK'
  | 'PRACK'
  | '2xx-PRACK'
  | 'UPDATE'
  | '2xx-UPDATE';

/** A refusal takes back the offer that its request had. */
export type Refusal = 'refused-INVITE' | 'refused-PRACK' | 'refused-UPDATE';

type OfferCarrier = 'INVITE' | '1xx-rel' | '2xx-INVITE' | 'PRACK' | 'UPDATE';

/** What the SDP in a message is; `nothing` also for SDP that means nothing where it stands. */
export type Meaning =
  | 'offer'
  | 'answer'
  /** The answer that a later reliable message will have too (RFC 6337 §3.1.1). */
  | 'preview'
  | 'nothing'
  /** An offer while the offer of the one who gets it waits for its answer: 491 (RFC 3311 §5.2, RFC 3261 §14.2). */
  | 'glare'
  /** An offer while an earlier one of the same side is not answered: 500 with Retry-After (RFC 3311 §5.2). */
  | 'busy';

/** The patterns of RFC 6337, table 1: where the answer to an offer stands. */
const ANSWERS: Record<OfferCarrier, readonly SessionMessage[]> = {
  INVITE: ['1xx-rel', '2xx-INVITE'],
  '2xx-INVITE': ['ACK'],
  '1xx-rel': ['PRACK'],
  PRACK: ['2xx-PRACK'],
  UPDATE: ['2xx-UPDATE'],
};

interface PendingOffer {
  readonly by: Side;
  readonly in: OfferCarrier;
}

/** The offers and answers of one dialog (RFC 3264 §4, RFC 6337): at most one offer waits at a time. */
export class OfferAnswer {
  private offer: PendingOffer | null = null;
  /** The INVITE that has no final answer yet, or whose ACK is due, and whether its offer and answer are through. */
  private invite: { readonly by: Side; settled: boolean } | null = null;

  /** The one whose offer waits for an answer. */
  get waiting(): Side | null {
    return this.offer?.by ?? null;
  }

  /** What SDP would be in a message, were it sent now. */
  meaningOf(message: SessionMessage, by: Side): Meaning {
    const { offer, invite } = this;
    if (offer !== null && offer.by !== by && ANSWERS[offer.in].includes(message)) return 'answer';
    switch (message) {
      case '1xx':
        return offer?.in === 'INVITE' && offer.by !== by ? 'preview' : 'nothing';
      case '1xx-rel':
      case '2xx-INVITE':
        return offer === null && invite !== null && invite.by !== by && !invite.settled ? 'offer' : 'nothing';
      case 'INVITE':
      case 'PRACK':
      case 'UPDATE':
        if (offer === null) return 'offer';
        return offer.by === by ? 'busy' : 'glare';
      case 'ACK':
      case '2xx-PRACK':
      case '2xx-UPDATE':
        return 'nothing';
    }
  }

  /** A message went out or came in; gives what its SDP is. */
  take(message: SessionMessage, by: Side, sdp: boolean): Meaning {
    const meaning = sdp ? this.meaningOf(message, by) : 'nothing';
    if (message === 'INVITE' && meaning !== 'glare' && meaning !== 'busy') this.invite = { by, settled: false };
    if (meaning === 'offer') this.offer = { by, in: message as OfferCarrier };
    if (meaning === 'answer') this.settle();
    this.close(message, by);
    return meaning;
  }

  /** A request was refused, or got no answer. */
  takeBack(refusal: Refusal): void {
    if (refusal === 'refused-INVITE') {
      // An offer in a reliable provisional response belongs to the INVITE too.
      if (this.offer?.in === 'INVITE' || this.offer?.in === '1xx-rel') this.offer = null;
      this.invite = null;
    } else if (`refused-${this.offer?.in}` === refusal) this.offer = null;
  }

  private settle(): void {
    this.offer = null;
    if (this.invite !== null) this.invite.settled = true;
  }

  /** After the last message that could have had the answer, none comes any more. */
  private close(message: SessionMessage, by: Side): void {
    const { offer } = this;
    if (offer !== null && offer.by !== by && ANSWERS[offer.in].at(-1) === message) this.offer = null;
    if (message === '2xx-INVITE' && this.offer === null) this.invite = null;
    if (message === 'ACK') this.invite = null;
  }
}
