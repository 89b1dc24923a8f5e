import type { FloorControlMedia, FloorControlServer } from '../sdp/floor-control.ts';
import { type CallAddresses, type FloorUser, FloorUsers, type FloorUsersOptions } from './floor-users.ts';
import type { Path } from './path.ts';
import { SLIDES_FLOOR, SlidesFloors, type SlidesFloorsOptions } from './slides-floors.ts';

export interface FloorControlOptions
  extends Omit<SlidesFloorsOptions, 'users'>,
    Pick<FloorUsersOptions, 'random' | 'connect'> {
  /** Whether the phone of this one asks for the floor: something came from it by floor control, or it has none any more. */
  asks(participant: string, asks: boolean): void;
}

/** What an SDP session says of it, without the ports. */
export type FloorControlIds = Pick<FloorControlServer, 'conferenceId' | 'userId' | 'floorId'>;

/**
 * The floor control server for slides (RFC 8855): which phone is whose, and who has the floor of each room. Without sockets:
 * messages come in by `received`, and go out by the path that they came on.
 */
export class FloorControl {
  private readonly users: FloorUsers;
  private readonly floors: SlidesFloors;

  constructor(options: FloorControlOptions) {
    const { timers, log, random, connect } = options;
    this.users = new FloorUsers({
      ...{ timers, log, random, connect },
      request: (user, message) => this.floors.request(user, message),
      asks: ({ participant, isHeard }) => options.asks(participant, isHeard),
      lost: (user, reason) => {
        log.info({ participant: user.participant, reason }, 'floor control lost');
        this.floors.lost(user);
      },
    });
    this.floors = new SlidesFloors({
      ...{ timers, log, users: this.users },
      roomOf: (participant) => options.roomOf(participant),
      mayPresent: (participant) => options.mayPresent(participant),
      nameOf: (participant) => options.nameOf(participant),
      changed: (room, participant) => options.changed(room, participant),
    });
  }

  /**
   * A call that may have floor control; the same ids as long as it lasts. Null: there are too many.
   * @param call its phone speaks from where the call is
   */
  register(participant: string, call: CallAddresses): FloorControlIds | null {
    const user = this.users.register(participant, call);
    return user && { conferenceId: user.conferenceId, userId: user.userId, floorId: SLIDES_FLOOR };
  }

  /** What an offer and answer came to; null: the call has none, and its floor goes. */
  agreed(participant: string, media: FloorControlMedia | null): void {
    if (media === null) this.leave(participant);
    this.users.agreed(participant, media);
  }

  /** The call is over. */
  remove(participant: string): void {
    this.leave(participant);
    this.users.remove(participant);
  }

  /** They have come to another room: their phone is told how it is there. */
  moved(participant: string): void {
    const user = this.users.of(participant);
    if (user?.isHeard) this.floors.tell(user);
  }

  /** Who has the floor of a room's slides; null: nobody. */
  holder(room: string): string | null {
    return this.floors.holder(room);
  }

  /** Gives it to somebody who did not ask. False: their phone has no floor control. */
  grant(participant: string): boolean {
    const user = this.users.of(participant);
    return user !== undefined && this.floors.grant(user);
  }

  /** Takes it from whoever has it. False: nobody has. */
  revoke(room: string): boolean {
    return this.floors.revoke(room);
  }

  /** Whether something came from their phone by floor control. */
  isHeard(participant: string): boolean {
    return this.users.of(participant)?.isHeard ?? false;
  }

  /** A datagram, or one message of a connection. False: a connection that brought it should be closed. */
  received(bytes: Uint8Array, path: Path): boolean {
    return this.users.received(bytes, path);
  }

  /** A connection has gone, or could not be made. */
  closed(path: Path): void {
    this.users.closed(path);
  }

  close(): void {
    this.users.close();
  }

  private leave(participant: string): void {
    const user: FloorUser | undefined = this.users.of(participant);
    if (user !== undefined) this.floors.leave(user);
  }
}
