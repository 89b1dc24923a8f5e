import type { Identify, Refusal } from '../focus/admission.ts';
import { dialled } from '../focus/arrival.ts';
import type { Member } from '../focus/focus.ts';
import { memberWhoSends } from '../focus/member-who-sends.ts';
import type { Log } from '../log.ts';
import type { Room, RoomChange, RoomListener } from '../rooms/room.ts';
import { roomName } from '../rooms/room-name.ts';
import type { Call } from '../sip/dialog/call.ts';
import type { EventPackage, ReceivedSubscription } from '../sip/dialog/received-subscription.ts';
import type { Timers } from '../timers.ts';
import { CONTENT_TYPE } from './conference-document.ts';
import { ConferenceJournal } from './conference-journal.ts';
import { ConferenceSubscriber } from './conference-subscriber.ts';

export interface ConferenceEventsOptions {
  readonly rooms: { get(name: string): Room | undefined; subscribe(listener: RoomListener): () => void };
  readonly focus: {
    members(room: Room): Member[];
    participantOf(call: Call): { readonly id: string; readonly room: Room } | undefined;
    call(id: string): { readonly calledByUs: boolean } | undefined;
  };
  readonly timers: Timers;
  readonly log: Log;
  readonly domain: string;
  /** Whether there is video at all. */
  hasVideo(): boolean;
  readonly identify: Identify;
  readonly isTrusted: (address: string) => boolean;
  readonly limits?: ConferenceEventLimits;
}

/** How many subscriptions there may be at a time. */
export interface ConferenceEventLimits {
  readonly inAll: number;
  readonly perRoom: number;
  /** Trusted peers are spared: they stand for others. */
  readonly perAddress: number;
}

const USUAL_LIMITS: ConferenceEventLimits = { inAll: 10_000, perRoom: 1000, perAddress: 200 };
const BUSY: Refusal = { status: 503, reason: 'Too many subscriptions', headers: [['Retry-After', '60']] };

interface RoomSubscribers {
  readonly journal: ConferenceJournal;
  readonly all: Set<ConferenceSubscriber>;
  /** They are about to be told. */
  due: boolean;
}

/** The event package `conference` (RFC 4575): who subscribes to a room is told who is in it. */
export class ConferenceEvents implements EventPackage {
  readonly contentType = CONTENT_TYPE;
  /** RFC 4575 §3.4. */
  readonly limits = { usual: 3600, shortest: 60, longest: 3600 };
  /** RFC 4575 §3.10 leaves it to us; what changes meanwhile is told in one. */
  readonly minIntervalMs = 1000;
  private readonly options: ConferenceEventsOptions;
  private readonly most: ConferenceEventLimits;
  private readonly rooms = new Map<Room, RoomSubscribers>();
  private readonly byAddress = new Map<string, number>();
  private count = 0;

  constructor(options: ConferenceEventsOptions) {
    this.options = options;
    this.most = options.limits ?? USUAL_LIMITS;
    options.rooms.subscribe((room, change) => this.changed(room, change));
  }

  /** Subscriptions at the moment. */
  get size(): number {
    return this.count;
  }

  subscribed(received: ReceivedSubscription): void {
    const { request, flow } = received;
    const place = this.placeFor(received);
    const refusal = 'status' in place ? place : this.tooMany(place.room, flow.remoteAddress);
    if ('status' in place || refusal !== null) {
      const { status, reason, headers } = (refusal ?? place) as Refusal;
      const source = `${flow.remoteAddress}:${flow.remotePort}`;
      this.options.log.info({ room: dialled(request.uri).user, source, status, reason }, 'subscription refused');
      return received.reject(status, { reason, ...(headers ? { headers } : {}) });
    }
    this.add(received, place.room, place.participant);
  }

  /** The server stops: it may be there again later (RFC 6665 §4.1.3). */
  stop(): void {
    for (const { all } of this.rooms.values()) for (const subscriber of all) subscriber.terminate('probation');
  }

  /** The room, and as which of its participants; null: by a right of their own. */
  private placeFor({
    request,
    flow,
    call,
  }: ReceivedSubscription): { room: Room; participant: string | null } | Refusal {
    const { rooms, focus, identify, isTrusted } = this.options;
    const own = call === null ? undefined : focus.participantOf(call);
    const room = own?.room ?? rooms.get(roomName(dialled(request.uri).user) ?? '');
    if (room === undefined) return { status: 404, reason: 'No such room' };
    if (isTrusted(flow.remoteAddress)) return { room, participant: null };
    const members = focus.members(room);
    const member =
      own === undefined ? memberWhoSends(request, flow, members, false) : members.find(({ id }) => id === own.id);
    // Who gives a password wants to be more than a participant, and goes on being told after leaving.
    if (member != null && !request.headers.has('authorization')) return { room, participant: member.id };
    const identity = identify(request, flow);
    if (identity === null) return { status: 403, reason: 'Only participants and signed-in users may subscribe' };
    return 'status' in identity ? identity : { room, participant: null };
  }

  private tooMany(room: Room, address: string): Refusal | null {
    const { inAll, perRoom, perAddress } = this.most;
    const inRoom = this.rooms.get(room)?.all.size ?? 0;
    if (this.count >= inAll || inRoom >= perRoom) return BUSY;
    if (this.options.isTrusted(address)) return null;
    return (this.byAddress.get(address) ?? 0) >= perAddress ? BUSY : null;
  }

  private add(received: ReceivedSubscription, room: Room, participant: string | null): void {
    const { domain, focus, log, hasVideo } = this.options;
    const calledByUs = (id: string): boolean => focus.call(id)?.calledByUs ?? false;
    const subscribers = this.rooms.get(room) ?? {
      journal: new ConferenceJournal(room, { domain, calledByUs, hasVideo }),
      all: new Set(),
      due: false,
    };
    const { journal, all } = subscribers;
    const address = received.flow.remoteAddress;
    const subscriber = new ConferenceSubscriber(received.event.id, participant, journal, () => {
      all.delete(subscriber);
      this.counted(address, -1);
      if (all.size === 0 && this.rooms.get(room) === subscribers) this.rooms.delete(room);
    });
    all.add(subscriber);
    this.rooms.set(room, subscribers);
    this.counted(address, 1);
    log.debug({ room: room.name, source: address, participant }, 'subscribed to the conference');
    subscriber.start(received);
  }

  private counted(address: string, by: 1 | -1): void {
    this.count += by;
    const count = (this.byAddress.get(address) ?? 0) + by;
    if (count === 0) this.byAddress.delete(address);
    else this.byAddress.set(address, count);
  }

  private changed(room: Room, change: RoomChange): void {
    const subscribers = this.rooms.get(room);
    if (subscribers === undefined) return;
    const { journal, all } = subscribers;
    if (change.change === 'room-closed') {
      for (const subscriber of all) subscriber.terminate('noresource');
      return;
    }
    const before = journal.serial;
    journal.changed(change);
    if (change.change === 'participant-left') this.left(all, change.participant.id);
    if (journal.serial === before || subscribers.due) return;
    // What changes in one go is told in one.
    subscribers.due = true;
    this.options.timers.set(0, () => {
      subscribers.due = false;
      for (const subscriber of all) subscriber.news();
    });
  }

  /** Who was told as a participant is one no more. */
  private left(all: ReadonlySet<ConferenceSubscriber>, id: string): void {
    for (const subscriber of all) if (subscriber.participant === id) subscriber.terminate('rejected');
  }
}
