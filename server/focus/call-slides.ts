import type { FloorControl } from '../bfcp/floor-control.ts';
import type { FloorControlMedia } from '../sdp/floor-control.ts';
import type { MediaSession } from '../sdp/media-session.ts';
import { canonicalAddress } from '../sip/transport/addresses.ts';

/** The floor control server, and where phones reach it. */
export interface FloorControlServing {
  readonly control: FloorControl;
  /** UDP and TCP. */
  readonly port: number;
}

/** What is known of where a call comes from. */
export interface CallPlaces {
  /** Of its signalling. */
  signalling(): string | null;
  /** Where its SDP says that media is to go. */
  described(): string | null;
}

/** Floor control of one call (BFCP, RFC 8855): told in its SDP, and there as long as it is agreed upon. */
export class CallSlides {
  private readonly participant: string;
  private readonly serving: FloorControlServing | null;
  private readonly places: CallPlaces;
  private mediaFrom: string | null = null;
  private isClosed = false;

  /** @param serving null: there is no floor control server */
  constructor(participant: string, serving: FloorControlServing | null, places: CallPlaces) {
    this.participant = participant;
    this.serving = serving;
    this.places = places;
  }

  /** Before an offer or answer of ours. */
  bind(session: MediaSession, wanted: boolean): void {
    if (this.serving === null) return;
    const { control, port } = this.serving;
    const ids = wanted && !this.isClosed ? control.register(this.participant, this) : null;
    session.bindFloorControl(ids && { tcpPort: port, udpPort: port, ...ids });
  }

  /** After each offer and answer. Null: they came to none. */
  agreed(media: FloorControlMedia | null): void {
    this.serving?.control.agreed(this.participant, media);
  }

  /** Media really comes from there. */
  mediaComesFrom(address: string): void {
    this.mediaFrom = canonicalAddress(address);
  }

  /** Something came from there. */
  isSeenAt(address: string): boolean {
    return address === this.places.signalling() || address === this.mediaFrom;
  }

  /** It is there, or says so. */
  isAt(address: string): boolean {
    return this.isSeenAt(address) || address === this.places.described();
  }

  close(): void {
    this.isClosed = true;
    this.serving?.control.remove(this.participant);
  }
}
