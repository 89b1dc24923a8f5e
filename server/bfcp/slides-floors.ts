import type { Log } from '../log.ts';
import type { Timers } from '../timers.ts';
import type { Saying } from './association.ts';
import type { FloorUser } from './floor-users.ts';
import { idsOf, type Message, PRIMITIVE, primitiveName } from './message.ts';
import {
  type FloorRequestView,
  failure,
  floorRequestStatus,
  floorStatus,
  goodbyeAck,
  helloAck,
  noFloorStatus,
  userStatus,
} from './sayings.ts';
import { TokenBucket } from './token-bucket.ts';

export interface SlidesFloorsOptions {
  readonly timers: Timers;
  readonly log: Log;
  /** All whose calls may have floor control. */
  readonly users: Iterable<FloorUser>;
  /** The room that they are in; null: in none. */
  roomOf(participant: string): string | null;
  /** Whether they may show slides now. */
  mayPresent(participant: string): boolean;
  nameOf(participant: string): string | null;
  /** The floor of a room is somebody else's now; null: nobody's. */
  changed(room: string, participant: string | null): void;
}

/** Of each room there is one floor: who shows slides. */
export const SLIDES_FLOOR = 1;
const REQUEST_IDS = 0xffff;

interface Holding {
  readonly user: FloorUser;
  readonly requestId: number;
}

/**
 * Who has the floor of the slides, in each room (RFC 8855 §13). Whoever asks gets it, and the one before loses it, as meeting
 * systems do: somebody who wants to show something does not wait for one who forgot to stop. So no request ever waits.
 */
export class SlidesFloors {
  private readonly options: SlidesFloorsOptions;
  private readonly holdings = new Map<string, Holding>();
  private readonly takings = new WeakMap<FloorUser, TokenBucket>();
  /** Those who do not want to be told of the floor. */
  private readonly uninterested = new WeakSet<FloorUser>();
  private readonly greetedBefore = new WeakSet<FloorUser>();
  private lastRequestId = 0;

  constructor(options: SlidesFloorsOptions) {
    this.options = options;
  }

  /** Null: nobody. */
  holder(room: string): string | null {
    return this.holdings.get(room)?.user.participant ?? null;
  }

  /** Gives the floor to somebody who did not ask for it. False: their phone has no floor control, or they are in no room. */
  grant(user: FloorUser): boolean {
    const room = this.options.roomOf(user.participant);
    if (room === null || user.association.path === null) return false;
    if (this.holdings.get(room)?.user === user) return true;
    this.give(room, user);
    this.tellRequest(user, this.viewOf(room, user));
    return true;
  }

  /** Takes the floor from whoever has it. False: nobody has. */
  revoke(room: string): boolean {
    const holding = this.holdings.get(room);
    if (holding === undefined) return false;
    this.holdings.delete(room);
    this.log(room, holding.user, 'revoked');
    this.options.changed(room, null);
    this.tellRevoked(holding);
    this.tellAll(room);
    return true;
  }

  /** They cannot be spoken to, and are told once they can. */
  lost(user: FloorUser): void {
    for (const [room, holding] of this.holdings) if (holding.user === user) this.revoke(room);
  }

  /** They are gone, or give it back. */
  leave(user: FloorUser): void {
    for (const [room, holding] of this.holdings) {
      if (holding.user !== user) continue;
      this.holdings.delete(room);
      this.log(room, user, 'given back');
      this.options.changed(room, null);
      this.tellAll(room);
    }
  }

  /** Tells one how it is with the floor of their room. */
  tell(user: FloorUser): void {
    if (this.uninterested.has(user)) return;
    user.association.tell('floor', () => this.statusFor(user));
  }

  /** A request of theirs. */
  request(user: FloorUser, message: Message): Saying {
    switch (message.primitive) {
      case PRIMITIVE.Hello:
        return this.greeted(user);
      case PRIMITIVE.FloorRequest:
        return this.requested(user, message);
      case PRIMITIVE.FloorRelease:
        return this.released(user, message);
      case PRIMITIVE.FloorRequestQuery:
        return this.requestQueried(user, message);
      case PRIMITIVE.FloorQuery:
        return this.queried(user, message);
      case PRIMITIVE.UserQuery:
        return this.userQueried(user, message);
      case PRIMITIVE.Goodbye:
        this.leave(user);
        return goodbyeAck();
      case PRIMITIVE.ChairAction:
        return failure('unauthorizedOperation', 'moderators decide by other means');
      default:
        return failure('unknownPrimitive', primitiveName(message.primitive));
    }
  }

  /** Phones say it again and again to keep the way open; who presents is news only to those who did not ask. */
  private greeted(user: FloorUser): Saying {
    const room = this.options.roomOf(user.participant);
    if (room !== null && this.holdings.has(room) && !this.greetedBefore.has(user)) this.tell(user);
    this.greetedBefore.add(user);
    return helloAck(user.association.path?.reliable ?? true);
  }

  private requested(user: FloorUser, message: Message): Saying {
    const floors = idsOf(message, 'floorId');
    if (floors.length === 0 || floors.some((id) => id !== SLIDES_FLOOR)) return noSuchFloor(floors);
    const [beneficiary = user.userId] = idsOf(message, 'beneficiaryId');
    if (beneficiary !== user.userId) return failure('unauthorizedOperation', 'only for oneself');
    const room = this.options.roomOf(user.participant);
    // A phone that forgot its request, such as by a restart, gets the same again.
    if (room !== null && this.holdings.get(room)?.user === user) return floorRequestStatus(this.viewOf(room, user)!);
    if (room === null || !this.options.mayPresent(user.participant)) return this.denied('not allowed at present');
    if (!this.mayTake(user)) return this.denied('too often');
    this.give(room, user);
    const view = this.viewOf(room, user)!;
    return { ...floorRequestStatus(view), about: aboutRequest(view.requestId) };
  }

  /** Deviation: without FLOOR-REQUEST-ID, which RFC 8855 §5.3.2 wants, it is the request that they have. */
  private released(user: FloorUser, message: Message): Saying {
    const room = this.options.roomOf(user.participant);
    const holding = room === null ? undefined : this.holdings.get(room);
    const [requestId = holding?.requestId] = idsOf(message, 'floorRequestId');
    if (room === null || holding === undefined || holding.user !== user || holding.requestId !== requestId) {
      return noSuchRequest();
    }
    this.leave(user);
    return floorRequestStatus({ requestId, floorId: SLIDES_FLOOR, status: 'released', beneficiary: null });
  }

  private requestQueried(user: FloorUser, message: Message): Saying {
    const room = this.options.roomOf(user.participant);
    const [requestId] = idsOf(message, 'floorRequestId');
    const view = room === null ? null : this.viewOf(room, user);
    return view === null || view.requestId !== requestId ? noSuchRequest() : floorRequestStatus(view);
  }

  /** Who asks is told of changes from then on, and who asks for no floor is not any more (RFC 8855 §12.2). */
  private queried(user: FloorUser, message: Message): Saying {
    const floors = idsOf(message, 'floorId');
    if (floors.some((id) => id !== SLIDES_FLOOR)) return noSuchFloor(floors);
    if (floors.length > 0) {
      this.uninterested.delete(user);
      return this.statusFor(user);
    }
    this.uninterested.add(user);
    return noFloorStatus();
  }

  /** Of oneself, or of another in the room. */
  private userQueried(user: FloorUser, message: Message): Saying {
    const room = this.options.roomOf(user.participant);
    const [wanted = user.userId] = idsOf(message, 'beneficiaryId');
    const found = [...this.in(room)].find(({ userId }) => userId === wanted);
    if (room === null || found === undefined) return failure('userDoesNotExist', 'nobody of that id is in the room');
    const view = this.viewOf(room, found);
    return userStatus({ userId: found.userId, name: this.options.nameOf(found.participant) }, view);
  }

  private give(room: string, user: FloorUser): void {
    const before = this.holdings.get(room);
    if (before !== undefined) this.tellRevoked(before);
    this.lastRequestId = (this.lastRequestId % REQUEST_IDS) + 1;
    this.holdings.set(room, { user, requestId: this.lastRequestId });
    this.log(room, user, 'given');
    this.options.changed(room, user.participant);
    this.tellAll(room);
  }

  private tellRevoked({ user, requestId }: Holding): void {
    this.tellRequest(user, { requestId, floorId: SLIDES_FLOOR, status: 'revoked', beneficiary: null });
  }

  private tellRequest(user: FloorUser, view: FloorRequestView | null): void {
    if (view !== null) user.association.tell(aboutRequest(view.requestId), () => floorRequestStatus(view));
  }

  /** Deviation: also those who did not ask for it (RFC 8855 §13.5), as phones show who presents, and do not all ask. */
  private tellAll(room: string): void {
    for (const user of this.in(room)) this.tell(user);
  }

  private statusFor(user: FloorUser): Saying {
    const room = this.options.roomOf(user.participant);
    return floorStatus(SLIDES_FLOOR, room === null ? null : this.viewOf(room, null));
  }

  /** The request of the one who has the floor; `whose`: only if it is theirs. */
  private viewOf(room: string, whose: FloorUser | null): FloorRequestView | null {
    const holding = this.holdings.get(room);
    if (holding === undefined || (whose !== null && holding.user !== whose)) return null;
    const { user, requestId } = holding;
    const { userId, participant } = user;
    const beneficiary = { userId, name: this.options.nameOf(participant) };
    return { requestId, floorId: SLIDES_FLOOR, status: 'granted', beneficiary };
  }

  private *in(room: string | null): Iterable<FloorUser> {
    for (const user of this.options.users) {
      if (room !== null && this.options.roomOf(user.participant) === room) yield user;
    }
  }

  /** Everybody in the room is told of each change. */
  private mayTake(user: FloorUser): boolean {
    const nowMs = this.options.timers.now();
    let bucket = this.takings.get(user);
    if (bucket === undefined) {
      bucket = new TokenBucket(5, 0.5, nowMs);
      this.takings.set(user, bucket);
    }
    return bucket.take(nowMs);
  }

  private denied(info: string): Saying {
    this.lastRequestId = (this.lastRequestId % REQUEST_IDS) + 1;
    const requestId = this.lastRequestId;
    return floorRequestStatus({ requestId, floorId: SLIDES_FLOOR, status: 'denied', beneficiary: null, info });
  }

  private log(room: string, { participant }: FloorUser, what: string): void {
    this.options.log.info({ room, participant }, `floor of the slides ${what}`);
  }
}

function noSuchFloor(floors: readonly number[]): Saying {
  return failure('invalidFloorId', floors.length === 0 ? 'no floor is named' : `the only floor is ${SLIDES_FLOOR}`);
}

function aboutRequest(requestId: number): string {
  return `request ${requestId}`;
}

function noSuchRequest(): Saying {
  return failure('floorRequestIdDoesNotExist', 'there is no such request of yours');
}
