import { type Attribute, type GroupName, type Message, PRIMITIVE, REQUEST_STATUS } from '../../server/bfcp/message.ts';
import { parseAttributes, parseHeader, toMessage } from '../../server/bfcp/parse-message.ts';
import { writeMessage } from '../../server/bfcp/write-message.ts';
import type { Timer, Timers } from '../../server/timers.ts';

export interface FloorClientOptions {
  readonly conferenceId: number;
  readonly userId: number;
  readonly floorId?: number;
  /** 1 over TCP and 2 over UDP, where it is left out. */
  readonly version?: number;
  readonly reliable: boolean;
  /** False: as clients were that knew RFC 4582 alone, and spoke it over UDP. */
  readonly acknowledges?: boolean;
  readonly timers: Timers;
  send(bytes: Uint8Array): void;
}

interface Asked {
  readonly bytes: Uint8Array;
  readonly answered: (answer: Message | null) => void;
  transmissions: number;
  timer: Timer | null;
}

const T1_MS = 500;
const TRANSMISSIONS = 4;

/** A phone's end of floor control (RFC 8855 §10), with its timers over UDP: what it was told, and whether it has the floor. */
export class FloorClient {
  /** What came unasked, each as often as it came. */
  readonly told: Message[] = [];
  /** As the phone has it: granted to it, and not taken since. */
  hasFloor = false;
  /** Of its last request. */
  requestId: number | null = null;
  /** Who presents, by user id, as FloorStatus says; null: nobody. */
  presenter: number | null = null;
  private readonly options: FloorClientOptions;
  private readonly asked = new Map<number, Asked>();
  private transactionId = 0;
  private readonly waiting: (() => void)[] = [];
  /** Requests that are over: what was granted before, and comes late, is void. */
  private readonly over = new Set<number>();
  /** Transactions of the server over UDP; each is heeded once. */
  private readonly heeded = new Set<number>();

  constructor(options: FloorClientOptions) {
    this.options = options;
  }

  get userId(): number {
    return this.options.userId;
  }

  hello(): Promise<Message | null> {
    return this.ask(PRIMITIVE.Hello, []);
  }

  queryFloor(): Promise<Message | null> {
    return this.ask(PRIMITIVE.FloorQuery, [this.floor]);
  }

  requestFloor(): Promise<Message | null> {
    return this.ask(PRIMITIVE.FloorRequest, [this.floor]);
  }

  releaseFloor(): Promise<Message | null> {
    this.hasFloor = false;
    return this.ask(PRIMITIVE.FloorRelease, [{ name: 'floorRequestId', id: this.requestId ?? 0 }]);
  }

  goodbye(): Promise<Message | null> {
    return this.ask(PRIMITIVE.Goodbye, []);
  }

  /** Null: nothing came, however often it was asked. */
  ask(primitive: number, attributes: Attribute[]): Promise<Message | null> {
    const transactionId = ++this.transactionId;
    const { conferenceId, userId, reliable, version = reliable ? 1 : 2 } = this.options;
    const bytes = writeMessage({
      ...{ version, responder: false, primitive, conferenceId, transactionId, userId },
      attributes,
    });
    return new Promise((answered) => {
      const asked: Asked = { bytes, answered, transmissions: 0, timer: null };
      this.asked.set(transactionId, asked);
      this.transmit(transactionId, asked);
    });
  }

  /** One datagram, or one message of a connection. */
  received(bytes: Uint8Array): void {
    const header = parseHeader(bytes, this.options.reliable);
    const parsed = header && parseAttributes(bytes.subarray(header.headerBytes));
    if (header === null || parsed === null || !parsed.ok) throw new Error('what the server said cannot be read');
    const message = toMessage(header, parsed.attributes);
    const asked = this.asked.get(message.transactionId);
    const isAnswer = this.options.reliable ? message.transactionId !== 0 : message.responder;
    if (isAnswer && asked === undefined) return;
    const isNew = isAnswer || this.options.reliable || !this.heeded.has(message.transactionId);
    if (isNew) this.learn(message);
    if (!isAnswer) this.heeded.add(message.transactionId);
    if (isAnswer) this.settle(message.transactionId, message);
    else {
      this.told.push(message);
      this.acknowledge(message);
    }
    for (const check of [...this.waiting]) check();
  }

  /** Settled once it is so, now or after something that comes. */
  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!isSo()) return;
        const at = this.waiting.indexOf(check);
        if (at !== -1) this.waiting.splice(at, 1);
        resolve();
      };
      this.waiting.push(check);
      check();
    });
  }

  private get floor(): Attribute {
    return { name: 'floorId', id: this.options.floorId ?? 1 };
  }

  private transmit(transactionId: number, asked: Asked): void {
    if (asked.transmissions === TRANSMISSIONS) return this.settle(transactionId, null);
    const waitMs = T1_MS * 2 ** asked.transmissions++;
    if (!this.options.reliable) {
      asked.timer = this.options.timers.set(waitMs, () => this.transmit(transactionId, asked));
    }
    this.options.send(asked.bytes);
  }

  private settle(transactionId: number, answer: Message | null): void {
    const asked = this.asked.get(transactionId)!;
    this.asked.delete(transactionId);
    asked.timer?.clear();
    asked.answered(answer);
  }

  private learn(message: Message): void {
    const status = statusOf(message);
    if (message.primitive === PRIMITIVE.FloorStatus) {
      const beneficiary = findGroup(message.attributes, 'beneficiaryInformation');
      this.presenter = beneficiary?.id ?? null;
    }
    if (message.primitive !== PRIMITIVE.FloorRequestStatus || status === null) return;
    const isGranted = status.status === REQUEST_STATUS.granted;
    if (!isGranted) this.over.add(status.requestId);
    if (isGranted && !this.over.has(status.requestId)) {
      this.requestId = status.requestId;
      this.hasFloor = true;
    } else if (status.requestId === this.requestId) this.hasFloor = false;
  }

  private acknowledge({ primitive, transactionId }: Message): void {
    const { conferenceId, userId, reliable, acknowledges = true, version = 2 } = this.options;
    const ack = new Map<number, number>([
      [PRIMITIVE.FloorRequestStatus, PRIMITIVE.FloorRequestStatusAck],
      [PRIMITIVE.FloorStatus, PRIMITIVE.FloorStatusAck],
    ]).get(primitive);
    if (reliable || !acknowledges || ack === undefined) return;
    this.options.send(
      writeMessage({
        ...{ version, responder: true, primitive: ack, conferenceId, transactionId, userId },
        attributes: [],
      }),
    );
  }
}

/** Of the request that a FloorRequestStatus or FloorStatus is about; null: about none. */
export function statusOf({ attributes }: Message): { requestId: number; status: number } | null {
  const request = findGroup(attributes, 'floorRequestInformation');
  const overall = request && findGroup(request.attributes, 'overallRequestStatus');
  const status = overall?.attributes.find(({ name }) => name === 'requestStatus');
  return request && status?.name === 'requestStatus' ? { requestId: request.id, status: status.status } : null;
}

/** The code of an Error; null: it is none. */
export function errorOf(message: Message | null): number | null {
  const code = message?.attributes.find(({ name }) => name === 'errorCode');
  return code?.name === 'errorCode' ? code.code : null;
}

function findGroup(attributes: readonly Attribute[], name: GroupName): Extract<Attribute, { name: GroupName }> | null {
  for (const attribute of attributes) {
    if (attribute.name === name) return attribute as Extract<Attribute, { name: GroupName }>;
    const within = 'attributes' in attribute ? findGroup(attribute.attributes, name) : null;
    if (within !== null) return within;
  }
  return null;
}
