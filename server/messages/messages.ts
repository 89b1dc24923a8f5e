import type { Identify, Refusal } from '../focus/admission.ts';
import { ControlError, type MessageDelivery } from '../focus/control.ts';
import type { Member } from '../focus/focus.ts';
import { memberWhoSends } from '../focus/member-who-sends.ts';
import type { Log } from '../log.ts';
import type { Room } from '../rooms/room.ts';
import { roomName } from '../rooms/room-name.ts';
import type { Call } from '../sip/dialog/call.ts';
import type { PeerContact } from '../sip/dialog/ways.ts';
import type { ResponseParts } from '../sip/message/create-message.ts';
import type { SipRequest } from '../sip/message/message.ts';
import type { NameAddress } from '../sip/message/name-address.ts';
import { createUri, parseUri, writeUri } from '../sip/message/uri.ts';
import type { Flow } from '../sip/transport/flow.ts';
import type { LoneRequest } from '../sip/user-agent/lone-request.ts';
import type { MethodHandler } from '../sip/user-agent/user-agent.ts';
import type { Timers } from '../timers.ts';
import { hopsLeft, readText, type TextMessage } from './text-message.ts';

export interface MessagesOptions {
  readonly rooms: { get(name: string): Room | undefined };
  readonly focus: {
    members(room: Room): Member[];
    participantOf(call: Call): { readonly id: string; readonly room: Room } | undefined;
  };
  readonly location: { user(name: string | null): string | null; contacts(user: string): PeerContact[] };
  readonly timers: Timers;
  readonly log: Log;
  readonly domain: string;
  readonly identify: Identify;
  /** Whether to believe what a peer at this address says of who sends (RFC 3325). */
  readonly isTrusted: (address: string) => boolean;
  /** Sends a request; told of its final status later. */
  readonly send: (request: LoneRequest, concluded: (status: number) => void) => void;
}

/** How long it is waited for what phones say to a text of the room's own. */
const ANSWER_WITHIN_MS = 3000;
/** So many texts of rooms' own that phones have not answered are not too many. */
const MOST_UNANSWERED = 10_000;

type Respond = (status: number, parts?: ResponseParts) => void;
type Text = Extract<TextMessage, { body: Uint8Array }>;

/** Text messages (RFC 3428): to a room for those who are in it, and between users. */
export class Messages implements MethodHandler {
  readonly optionTags = [];
  readonly inDialogs = true;
  private readonly options: MessagesOptions;
  private unanswered = 0;

  constructor(options: MessagesOptions) {
    this.options = options;
  }

  /** Within a call to the room that it is in, whatever the Request-URI says. */
  received(request: SipRequest, flow: Flow, respond: Respond, call: Call | null): void {
    const { rooms, focus, isTrusted } = this.options;
    const own = call === null ? undefined : focus.participantOf(call);
    const name = request.uri?.user ?? null;
    const room = own?.room ?? rooms.get(roomName(name) ?? '');
    const members = room === undefined ? [] : focus.members(room);
    const member =
      own === undefined
        ? memberWhoSends(request, flow, members, isTrusted(flow.remoteAddress))
        : (members.find(({ id }) => id === own.id) ?? null);
    const sender = member ?? this.userWhoSends(request, flow);
    if ('status' in sender) {
      // Nobody is to find out who our users are; rooms are no secret.
      return refuse(respond, sender.status === 403 && room === undefined ? { status: 404 } : sender);
    }
    const user = room === undefined ? this.options.location.user(name) : null;
    if (room === undefined && user === null) return respond(404);
    const text = readText(request);
    if ('status' in text) return refuse(respond, text);
    if (room !== undefined) {
      const others = members.filter(({ id }) => id !== member?.id);
      this.toRoom(room, others, sender.displayName ?? userPart(sender.uri), request, text);
      respond(202);
    } else if (user !== null) {
      this.toUser(user, sender, request, text, respond);
    }
  }

  /** A text of the room's own, to one who is in it. */
  fromRoom(room: Room, participant: string, text: string): void {
    const member = this.options.focus.members(room).find(({ id }) => id === participant);
    if (member !== undefined) this.toMember(room, member, room.policy.displayName, plainText(text));
  }

  /**
   * A text of the room's own, to these. Settled when all phones have answered, or after three seconds; what cannot be
   * delivered is logged, also later. Throws `too-many-messages`.
   */
  async fromRoomTo(room: Room, members: readonly Member[], text: string): Promise<MessageDelivery[]> {
    if (this.unanswered >= MOST_UNANSWERED) {
      throw new ControlError('too-many-messages', `${this.unanswered} texts wait for what phones say to them`);
    }
    const deliveries = members.map(
      ({ id }): MessageDelivery => ({ participant: id, outcome: 'pending', status: null }),
    );
    const content = plainText(text);
    let left = members.length;
    this.unanswered += left;
    await new Promise<void>((resolve) => {
      if (left === 0) return resolve();
      const late = this.options.timers.set(ANSWER_WITHIN_MS, resolve);
      for (const [index, member] of members.entries()) {
        this.toMember(room, member, room.policy.displayName, content, (status) => {
          this.unanswered--;
          deliveries[index] = { participant: member.id, outcome: outcomeOf(status), status };
          if (--left > 0) return;
          late.clear();
          resolve();
        });
      }
    });
    return [...deliveries];
  }

  /** Users send as themselves, whatever From says. */
  private userWhoSends(request: SipRequest, flow: Flow): { uri: string; displayName: string | null } | Refusal {
    const identity = this.options.identify(request, flow);
    if (identity === null) return { status: 403, reason: 'Only participants and signed-in users may send messages' };
    if ('status' in identity) return identity;
    const uri = writeUri(createUri({ user: identity.user, host: this.options.domain }));
    return { uri, displayName: request.from.displayName };
  }

  /** From the room, so that answers go there, under the name of who wrote it. */
  private toRoom(room: Room, others: readonly Member[], writer: string, request: SipRequest, text: Text): void {
    const content = { maxForwards: hopsLeft(request), ...text };
    for (const member of others) this.toMember(room, member, writer, content);
  }

  private toMember(
    room: Room,
    { id, uri, displayName, contact }: Member,
    writer: string | null,
    content: Text & { readonly maxForwards?: number },
    concluded: (status: number) => void = () => undefined,
  ): void {
    const { send, log, domain } = this.options;
    const from = address(writeUri(createUri({ user: room.name, host: domain })), writer);
    send({ method: 'MESSAGE', contact, from, to: address(uri, displayName), ...content }, (status) => {
      if (status >= 300) log.info({ room: room.name, participant: id, status }, 'message not delivered');
      concluded(status);
    });
  }

  /** To all of the user's phones at once; the first that takes it answers for all (RFC 3261 §16.7). */
  private toUser(
    user: string,
    sender: Pick<Member, 'uri' | 'displayName'>,
    request: SipRequest,
    text: Text,
    respond: Respond,
  ): void {
    const { send, location, domain } = this.options;
    const contacts = location.contacts(user);
    if (contacts.length === 0) return respond(480);
    const from = address(sender.uri, sender.displayName);
    const to = address(writeUri(createUri({ user, host: domain })), null);
    const refusals: number[] = [];
    let answered = false;
    for (const contact of contacts) {
      send({ method: 'MESSAGE', contact, from, to, maxForwards: hopsLeft(request), ...text }, (status) => {
        if (answered) return;
        if (status >= 300) refusals.push(status);
        answered = status < 300 || refusals.length === contacts.length;
        if (answered) respond(status < 300 ? status : bestOf(refusals));
      });
    }
  }
}

function refuse(respond: Respond, refusal: Pick<Refusal, 'status' | 'headers'> & { reason?: string }): void {
  const { status, reason, headers } = refusal;
  respond(status, { ...(reason === undefined ? {} : { reason }), ...(headers === undefined ? {} : { headers }) });
}

function plainText(text: string): Text {
  return { body: Buffer.from(text), contentType: 'text/plain;charset=utf-8' };
}

/** 408 and 503 also stand for no answer, and for no way to get there (RFC 3261 §8.1.3.1). */
function outcomeOf(status: number): MessageDelivery['outcome'] {
  if (status < 300) return 'delivered';
  return status === 408 || status === 503 ? 'unreachable' : 'refused';
}

/** What is said for all: 6xx, else the lowest class (RFC 3261 §16.7 step 6); never what only we could follow. */
function bestOf(refusals: readonly number[]): number {
  const rank = (status: number) => (status >= 600 ? 0 : Math.floor(status / 100));
  const [best = 480] = [...refusals].sort((one, other) => rank(one) - rank(other));
  if (best === 401 || best === 407) return 403;
  return best < 400 || best === 503 ? 480 : best;
}

function userPart(uri: string): string {
  return parseUri(uri)?.user ?? uri;
}

function address(uriText: string, displayName: string | null): NameAddress {
  return { displayName, uriText, uri: parseUri(uriText), parameters: new Map() };
}
