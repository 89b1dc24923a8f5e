import pino from 'pino';
import { FloorControl } from '../../server/bfcp/floor-control.ts';
import type { Path } from '../../server/bfcp/path.ts';
import type { FloorControlMedia } from '../../server/sdp/floor-control.ts';
import type { Timers } from '../../server/timers.ts';
import { SeededRandom } from '../sim/seeded-random.ts';
import { VirtualTimers } from '../sim/virtual-timers.ts';
import { FloorClient } from './floor-client.ts';

export interface Phone {
  readonly name: string;
  readonly client: FloorClient;
  readonly path: TestPath;
  readonly ids: { conferenceId: number; userId: number; floorId: number };
}

export interface PhoneOptions {
  room?: string;
  transport?: 'TCP' | 'UDP';
  version?: number;
  acknowledges?: boolean;
  address?: string;
}

/** How octets get from one end to the other; at once, where it is left out. */
export type Carry = (bytes: Uint8Array, arrive: (bytes: Uint8Array) => void, reliable: boolean) => void;

/** A way to the server, with what went through it. */
export class TestPath implements Path {
  readonly reliable: boolean;
  readonly remoteAddress: string;
  readonly remotePort = 40_000;
  readonly said: Uint8Array[] = [];
  isClosed = false;
  deliver: (bytes: Uint8Array) => void = () => {};

  constructor(reliable: boolean, remoteAddress = '192.0.2.1') {
    this.reliable = reliable;
    this.remoteAddress = remoteAddress;
  }

  send(bytes: Uint8Array): void {
    this.said.push(bytes);
    if (!this.isClosed) this.deliver(bytes);
  }

  close(): void {
    this.isClosed = this.reliable;
  }
}

/** A floor control server with phones in rooms, in virtual time, without sockets. */
export class FloorScene {
  readonly timers = new VirtualTimers();
  readonly random = new SeededRandom(1);
  readonly roomOf = new Map<string, string>();
  readonly mayNot = new Set<string>();
  /** `room: participant`, as they were told. */
  readonly changes: string[] = [];
  readonly asking = new Set<string>();
  /** Connections that the server has opened. */
  readonly dialled: { address: string; port: number; path: TestPath }[] = [];
  readonly control: FloorControl;
  private readonly carry: Carry;

  constructor(carry: Carry = (bytes, arrive) => arrive(bytes)) {
    this.carry = carry;
    this.control = new FloorControl({
      ...{ timers: this.timers, log: pino({ level: 'silent' }), random: (limit: number) => this.random.below(limit) },
      roomOf: (participant) => this.roomOf.get(participant) ?? null,
      mayPresent: (participant) => !this.mayNot.has(participant),
      nameOf: (participant) => participant,
      changed: (room, participant) => void this.changes.push(`${room}: ${participant ?? 'nobody'}`),
      asks: (participant, asks) => void (asks ? this.asking.add(participant) : this.asking.delete(participant)),
      connect: (address, port) => {
        const path = new TestPath(true, address);
        this.dialled.push({ address, port, path });
        return path;
      },
    });
  }

  /** Somebody whose call has floor control, and who has not said anything by it. */
  add(name: string, { room = 'demo', transport = 'UDP', address = '192.0.2.1', ...speaks }: PhoneOptions = {}): Phone {
    this.roomOf.set(name, room);
    const at = (asked: string): boolean => asked === address;
    const ids = this.control.register(name, { isAt: at, isSeenAt: at })!;
    this.agree(name, { transport, remote: { address, port: 40_000 } });
    const path = new TestPath(transport === 'TCP', address);
    return { name, ids, path, client: this.connect(path, ids, speaks) };
  }

  agree(name: string, media: Partial<FloorControlMedia>): void {
    const { transport = 'UDP' } = media;
    this.control.agreed(name, {
      ...{ transport, setup: transport === 'TCP' ? 'passive' : null },
      ...{ remote: { address: '192.0.2.1', port: 40_000 }, conferenceId: 0, userId: 0, floorId: 1 },
      ...media,
    });
  }

  /** The other end of a path. */
  connect(path: TestPath, ids: Phone['ids'], speaks: Pick<PhoneOptions, 'version' | 'acknowledges'> = {}): FloorClient {
    const timers: Timers = this.timers;
    const client = new FloorClient({
      ...{ conferenceId: ids.conferenceId, userId: ids.userId, reliable: path.reliable, timers, ...speaks },
      send: (bytes) => this.carry(bytes, (come) => void this.control.received(come, path), path.reliable),
    });
    path.deliver = (bytes) => this.carry(bytes, (come) => client.received(come), path.reliable);
    return client;
  }

  leave({ name }: Phone): void {
    this.control.remove(name);
    this.roomOf.delete(name);
  }
}
