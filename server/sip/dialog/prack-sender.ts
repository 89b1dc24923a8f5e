import type { SipResponse } from '../message/message.ts';
import type { SdpText } from './call.ts';
import type { CallSession } from './call-session.ts';
import { tagsOf } from './peer-capabilities.ts';
import { readSessionBody, sdpOf } from './session-body.ts';

/** Takes the provisional responses to one INVITE of ours in one dialog, and acknowledges reliable ones (RFC 3262 §4). */
export class PrackSender {
  private readonly session: CallSession;
  private lastRseq: number | null = null;

  constructor(session: CallSession) {
    this.session = session;
  }

  received(response: SipResponse): void {
    const { session } = this;
    const sdp = sdpOf(readSessionBody(response));
    if (!tagsOf(response.headers, 'require').has('100rel')) {
      if (sdp !== null && session.offers.meaningOf('1xx', 'them') === 'preview') session.learnAnswer(sdp);
      return;
    }
    const rseq = Number(/^\s*(\d{1,10})\s*$/.exec(response.headers.get('rseq') ?? '')?.[1]);
    // A repeated one is acknowledged already; before one that is missing, none is.
    if (!(rseq > 0) || (this.lastRseq !== null && rseq !== this.lastRseq + 1)) return;
    this.lastRseq = rseq;
    const rack = `${rseq} ${response.cseq.number} INVITE`;
    const meaning = session.offers.take('1xx-rel', 'them', sdp !== null);
    if (meaning === 'offer' && sdp !== null) return this.answerOffer(sdp, rack);
    this.send(rack, null);
    if (meaning === 'answer' && sdp !== null) session.learnAnswer(sdp);
  }

  /** Theirs, in reply to an INVITE of ours without one. */
  private answerOffer(offer: SdpText, rack: string): void {
    const { session } = this;
    session.remoteSdp = offer;
    session.handler?.reoffered(offer, {
      accept: (sdp) => {
        session.offers.take('PRACK', 'us', true);
        session.localSdp = sdp;
        this.send(rack, sdp);
      },
      reject: () => {
        // An offer in a response cannot be refused but by ending the call (RFC 6337 §3.1.2).
        session.offers.take('PRACK', 'us', false);
        this.send(rack, null);
        session.hangUp('offer not acceptable');
      },
    });
  }

  private send(rack: string, sdp: SdpText | null): void {
    const { session } = this;
    if (session.state === 'ended') return;
    const content = sdp === null ? {} : { body: sdp, contentType: 'application/sdp' };
    const ignored = { response: () => {}, failed: () => {} };
    session.client.send('PRACK', { headers: [['RAck', rack]], ...content }, ignored);
  }
}
