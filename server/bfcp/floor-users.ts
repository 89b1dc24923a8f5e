import type { Log } from '../log.ts';
import type { FloorControlMedia } from '../sdp/floor-control.ts';
import type { Timer, Timers } from '../timers.ts';
import { Association, MAX_PAYLOAD_BYTES, type Saying } from './association.ts';
import { type ErrorName, type Message, primitiveName } from './message.ts';
import { type ParsedHeader, parseAttributes, parseHeader, toMessage } from './parse-message.ts';
import type { Path } from './path.ts';
import { failure, unknownAttributes } from './sayings.ts';
import { TokenBucket } from './token-bucket.ts';
import { writeMessage } from './write-message.ts';

/** One call that may have floor control, as its SDP has it. */
export interface FloorUser {
  readonly participant: string;
  /** Of this call alone, so that nobody else in the room knows it: who says it is them. */
  readonly conferenceId: number;
  /** Unique among all, as others are told it. */
  readonly userId: number;
  /** Something came from their phone by floor control. */
  isHeard: boolean;
  readonly association: Association;
}

/** Where a call is: the address of its signalling or media. */
export interface CallAddresses {
  /** It is there, or says so. */
  isAt(address: string): boolean;
  /** Something came from there. */
  isSeenAt(address: string): boolean;
}

export interface FloorUsersOptions {
  readonly timers: Timers;
  readonly log: Log;
  /** A whole number from 0 to below the limit that nobody guesses. */
  readonly random: (limit: number) => number;
  /** Opens a connection to a phone that waits for one. */
  readonly connect: (address: string, port: number) => Path;
  readonly request: (user: FloorUser, message: Message) => Saying;
  /** `isHeard` has changed. */
  readonly asks: (user: FloorUser) => void;
  /** Its connection has gone, or it does not answer any more. */
  readonly lost: (user: FloorUser, reason: string) => void;
}

interface Registration extends FloorUser {
  readonly call: CallAddresses;
  /** `offered`: it may have been agreed upon, and their answer is still on its way. */
  media: FloorControlMedia | 'offered' | null;
  dialling: { path: Path | null; timer: Timer | null; attempts: number } | null;
}

/** Signed 32-bit numbers hold them, too. */
const CONFERENCE_IDS = 0x7fffffff;
const USER_IDS = 0xffff;
const CONNECT_AGAIN_MS = 2000;
const CONNECT_ATTEMPTS = 5;

/** Which phone is whose: by the ids that our SDP gave to its call, and the address that it comes from. */
export class FloorUsers {
  private readonly options: FloorUsersOptions;
  private readonly byParticipant = new Map<string, Registration>();
  private readonly byConference = new Map<number, Registration>();
  private readonly userIds = new Set<number>();
  /** Of connections, whose they are. */
  private readonly byPath = new Map<Path, Registration>();
  /** What strangers get, answers and log lines. */
  private readonly strangers: TokenBucket;

  constructor(options: FloorUsersOptions) {
    this.options = options;
    this.strangers = new TokenBucket(20, 10, options.timers.now());
  }

  of(participant: string): FloorUser | undefined {
    return this.byParticipant.get(participant);
  }

  [Symbol.iterator](): Iterator<FloorUser> {
    return this.byParticipant.values();
  }

  /** Null: there are no ids any more. */
  register(participant: string, call: CallAddresses): FloorUser | null {
    const known = this.byParticipant.get(participant);
    if (known !== undefined) return known;
    if (this.userIds.size >= USER_IDS / 2) return null;
    const { timers, request, lost } = this.options;
    const conferenceId = this.freeId(CONFERENCE_IDS, this.byConference);
    const userId = this.freeId(USER_IDS, this.userIds);
    const association = new Association({
      ...{ conferenceId, userId, timers },
      request: (message) => request(registration, message),
      lost: (reason) => lost(registration, reason),
    });
    const registration: Registration = {
      ...{ participant, conferenceId, userId, association, call },
      ...{ media: 'offered', dialling: null, isHeard: false },
    };
    this.byParticipant.set(participant, registration);
    this.byConference.set(conferenceId, registration);
    this.userIds.add(userId);
    return registration;
  }

  /** What an offer and answer came to; null: no floor control. */
  agreed(participant: string, media: FloorControlMedia | null): void {
    const registration = this.byParticipant.get(participant);
    if (registration === undefined) return;
    registration.media = media;
    if (media === null) {
      this.setHeard(registration, false);
      return this.disconnect(registration);
    }
    const idle = registration.association.path === null && registration.dialling === null;
    if (media.setup === 'active' && idle) this.dial(registration);
  }

  remove(participant: string): void {
    const registration = this.byParticipant.get(participant);
    if (registration === undefined) return;
    this.byParticipant.delete(participant);
    this.byConference.delete(registration.conferenceId);
    this.userIds.delete(registration.userId);
    this.disconnect(registration);
  }

  close(): void {
    for (const participant of [...this.byParticipant.keys()]) this.remove(participant);
  }

  /**
   * What came: a datagram, or one message of a connection.
   * False: it is of no use, and a connection that brought it should be closed.
   */
  received(bytes: Uint8Array, path: Path): boolean {
    const header = parseHeader(bytes, path.reliable);
    if (header === null) return this.refuse(null, path, 'unableToParse', 'it is too short');
    const registration = this.byConference.get(header.conferenceId);
    if (registration === undefined) return this.refuse(header, path, 'conferenceDoesNotExist', 'no such conference');
    if (registration.userId !== header.userId) return this.refuse(header, path, 'userDoesNotExist', 'no such user');
    const owner = this.byPath.get(path);
    const isOthers = owner !== undefined && owner !== registration;
    const reason = isOthers ? 'the connection is that of another call' : this.whyNotFrom(registration, path);
    if (reason !== null) return this.refuse(header, path, 'unauthorizedOperation', reason);
    // Deviation: version 1 is taken over UDP, too, where Tandberg's codecs speak it, and 2 over TCP (RFC 8855 §5.1).
    if (header.version !== 1 && header.version !== 2) {
      return this.refuse(header, path, 'unsupportedVersion', `version ${header.version}`);
    }
    if (!registration.association.admits(header, path)) return true;
    if (path.reliable) this.byPath.set(path, registration);
    if (registration.dialling !== null) registration.dialling.attempts = 0;
    this.setHeard(registration, true);
    this.take(registration, header, bytes.subarray(header.headerBytes));
    return true;
  }

  /** A connection has gone. */
  closed(path: Path): void {
    const registration = this.byPath.get(path);
    this.byPath.delete(path);
    if (registration?.association.pathClosed(path)) {
      this.options.lost(registration, 'its connection was closed');
    }
    for (const dialled of this.byParticipant.values()) {
      if (dialled.dialling?.path === path) this.dialAgain(dialled);
    }
  }

  private setHeard(registration: Registration, isHeard: boolean): void {
    if (registration.isHeard === isHeard) return;
    registration.isHeard = isHeard;
    this.options.asks(registration);
  }

  private take({ association, participant }: Registration, header: ParsedHeader, rest: Uint8Array): void {
    if (header.fragment === null && rest.length !== header.payloadBytes) {
      return association.answer(header, failure('incorrectLength', `${rest.length} octets for ${header.payloadBytes}`));
    }
    if (header.payloadBytes > MAX_PAYLOAD_BYTES)
      return association.answer(header, failure('incorrectLength', 'too long'));
    const payload = header.fragment === null ? rest : association.assemble(header, rest);
    if (payload === null) return;
    const parsed = parseAttributes(payload);
    this.options.log.trace({ participant, message: primitiveName(header.primitive) }, 'floor control');
    if (!parsed.ok) return association.answer(header, failure('unableToParse', parsed.reason));
    if (parsed.unknownMandatory.length > 0)
      return association.answer(header, unknownAttributes(parsed.unknownMandatory));
    association.received(toMessage(header, parsed.attributes));
  }

  /** Null: it may. */
  private whyNotFrom({ media, call }: Registration, path: Path): string | null {
    if (media === null) return 'the call has no floor control';
    if (media !== 'offered' && (media.transport === 'TCP') !== path.reliable) return `the call has ${media.transport}`;
    const described = media === 'offered' ? null : (media.remote?.address ?? null);
    const { remoteAddress } = path;
    return remoteAddress === described || call.isAt(remoteAddress) ? null : 'the call is at another address';
  }

  /** Deviation: strangers who send many get no answer (RFC 8855 §5.2.6 has an Error for each). */
  private refuse(header: ParsedHeader | null, path: Path, error: ErrorName, reason: string): false {
    const { timers, log } = this.options;
    if (!this.strangers.take(timers.now())) return false;
    const { remoteAddress, remotePort, reliable } = path;
    const source = `${remoteAddress}:${remotePort}`;
    log.info({ source, transport: reliable ? 'tcp' : 'udp', reason }, 'floor control refused');
    // An answer to an answer would be one more that the other side did not ask for.
    if (header === null || header.responder) return false;
    const { conferenceId, transactionId, userId } = header;
    const ids = { version: header.version === 2 ? 2 : 1, responder: !reliable, conferenceId, transactionId, userId };
    path.send(writeMessage({ ...ids, ...failure(error, reason) }));
    return false;
  }

  /** Who says so may not have us connect to anybody: only where something of the call comes from, which media may do soon. */
  private dial(registration: Registration): void {
    const { media, call, participant } = registration;
    if (media === null || media === 'offered' || media.remote === null) return;
    const { address, port } = media.remote;
    registration.dialling ??= { path: null, timer: null, attempts: 0 };
    const { dialling } = registration;
    dialling.attempts++;
    dialling.timer = null;
    if (call.isSeenAt(address)) dialling.path = this.options.connect(address, port);
    else {
      this.options.log.debug({ participant, address }, 'floor control is not connected: nothing comes from there');
      this.dialAgain(registration);
    }
  }

  private dialAgain(registration: Registration): void {
    const { dialling, participant } = registration;
    if (dialling === null) return;
    dialling.path = null;
    if (dialling.attempts >= CONNECT_ATTEMPTS) {
      this.options.log.warn({ participant }, 'no floor control: the phone takes no connection');
      registration.dialling = null;
      return;
    }
    dialling.timer = this.options.timers.set(CONNECT_AGAIN_MS, () => this.dial(registration));
  }

  private disconnect(registration: Registration): void {
    const { dialling, association } = registration;
    registration.dialling = null;
    dialling?.timer?.clear();
    dialling?.path?.close();
    if (association.path !== null) this.byPath.delete(association.path);
    association.close();
  }

  private freeId(below: number, taken: { has(id: number): boolean }): number {
    for (;;) {
      const id = 1 + this.options.random(below);
      if (!taken.has(id)) return id;
    }
  }
}
