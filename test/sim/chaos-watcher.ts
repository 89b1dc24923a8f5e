import type { Room } from '../../server/rooms/room.ts';
import type { Rooms } from '../../server/rooms/rooms.ts';
import type { SipMessage, SipRequest } from '../../server/sip/message/message.ts';
import type { Flow } from '../../server/sip/transport/flow.ts';
import { KnownConference } from '../conference-event/read-conference.ts';
import { type PhoneWorld, SERVER } from './chaos-phone.ts';
import { sharedOfDocument, type Views } from './chaos-views.ts';

export interface WatcherWorld extends PhoneWorld {
  readonly rooms: Rooms;
  readonly views: Views;
  readonly problems: string[];
}

interface Watching {
  readonly callId: string;
  readonly room: Room;
  readonly known: KnownConference;
  toTag: string | null;
  cseq: number;
}

/** Subscribes to one room, again when that has ended, and holds what it is told against what HTTP showed then. */
export class Watcher {
  /** Documents that were compared. */
  compared = 0;
  partial = 0;
  private readonly name: string;
  private readonly address: string;
  private readonly world: WatcherWorld;
  private readonly flow: Flow;
  private watching: Watching | null = null;
  private serial = 0;

  constructor(name: string, index: number, world: WatcherWorld) {
    this.name = name;
    this.address = `203.0.113.${index + 1}`;
    this.world = world;
    this.flow = world.wire.flow(this.address, SERVER);
    world.wire.attach(this.address, (message) => this.received(message));
  }

  /** Begins, or asks for all again. */
  subscribe(expires = 3600): void {
    const room = this.world.rooms.get(this.name);
    if (this.watching === null) {
      if (room === undefined) return;
      const callId = `${this.name}-${++this.serial}`;
      this.watching = { callId, room, known: new KnownConference(), toTag: null, cseq: 0 };
    } else if (this.watching.toTag === null) return;
    this.watching.cseq++;
    this.send(this.watching, expires);
  }

  stop(): void {
    if (this.watching !== null) this.subscribe(0);
  }

  /** Nothing happened in the room for some seconds: what it was told is what there is. */
  checkCurrent(): void {
    const { rooms, views, problems } = this.world;
    const { watching } = this;
    if (watching === null || rooms.get(this.name) !== watching.room) return;
    const known = sharedOfDocument(watching.known);
    const now = views.at(watching.room, watching.room.version);
    if (known !== now) problems.push(`sip: ${this.name} was not told of all: ${known} is ${now}`);
  }

  private received(message: SipMessage): void {
    const { watching } = this;
    if (message.kind === 'response') {
      if (watching === null || message.callId !== watching.callId) return;
      watching.toTag ??= message.to.parameters.get('tag') ?? null;
      // The room has gone meanwhile.
      if (message.status >= 300) this.watching = null;
      return;
    }
    const known = watching !== null && message.callId === watching.callId;
    const { timers, random } = this.world;
    if (known) this.take(watching, message);
    // Who takes time over one is sent no other.
    timers.set(random.chance(0.1) ? random.below(3000) : 0, () => this.respond(message, known ? 200 : 481));
  }

  private take(watching: Watching, notify: SipRequest): void {
    const { views, problems } = this.world;
    const { known, room } = watching;
    if (notify.body.length > 0) {
      if (known.take(Buffer.from(notify.body).toString()) === 'partial') this.partial++;
      const shown = views.at(room, known.roomVersion);
      const told = sharedOfDocument(known);
      this.compared++;
      if (told !== shown) problems.push(`sip: ${this.name} at ${known.roomVersion}: ${told} is ${shown}`);
    }
    if (notify.headers.get('Subscription-State')?.startsWith('terminated')) this.watching = null;
  }

  private send({ callId, toTag, cseq }: Watching, expires: number): void {
    const to = `<sip:${this.name}@${SERVER}>`;
    const lines = [
      `SUBSCRIBE sip:${this.name}@${SERVER} SIP/2.0`,
      `Via: SIP/2.0/TCP ${this.address};branch=z9hG4bK-${callId}-${cseq}`,
      `From: <sip:watcher@${this.address}>;tag=${callId}`,
      `To: ${to}${toTag === null ? '' : `;tag=${toTag}`}`,
      `Call-ID: ${callId}`,
      `CSeq: ${cseq} SUBSCRIBE`,
      'Max-Forwards: 70',
      `Contact: <sip:watcher@${this.address};transport=tcp>`,
      'Event: conference',
      `Expires: ${expires}`,
      'Content-Length: 0',
      '',
      '',
    ];
    this.flow.send(Buffer.from(lines.join('\r\n')));
  }

  private respond({ headers }: SipRequest, status: number): void {
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headers.get(name)}`);
    const contact = `Contact: <sip:watcher@${this.address};transport=tcp>`;
    const lines = [`SIP/2.0 ${status} Whatever`, ...copied, contact, 'Content-Length: 0', '', ''];
    this.flow.send(Buffer.from(lines.join('\r\n')));
  }
}
