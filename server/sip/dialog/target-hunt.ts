import type { Timer } from '../../timers.ts';
import type { SipUri } from '../message/uri.ts';
import { InviteBranch } from './invite-branch.ts';
import type { OutgoingInvites } from './outgoing-invites.ts';
import type { Way } from './ways.ts';

/** How many ring at a time. */
const MAX_AT_ONCE = 10;

/** How long those of one preference ring, while there are others: phones hardly ever refuse by themselves. */
const RING_MS = 20_000;

/** The ways to one contact, one of which is enough. */
interface Place {
  readonly q: number;
  readonly ways: Way[];
}

/**
 * Looks for somebody who answers at one target after the other: where it is the address of a user with several phones, at
 * all those of one q at a time, then at those of the next lower one (RFC 3261 §16.6).
 */
export class TargetHunt {
  private readonly invites: OutgoingInvites;
  private readonly targets: SipUri[];
  private readonly over: () => void;
  private target: SipUri | null = null;
  private groups: Place[][] = [];
  /** Those that ring now, and those that rang before and did not end yet. */
  private ringing = new Set<InviteBranch>();
  private readonly leaving = new Set<InviteBranch>();
  private ringTimer: Timer | null = null;
  private stopped = false;

  /** `over` is called once when nobody is left to ask; not after `cancel`. */
  constructor(invites: OutgoingInvites, targets: readonly SipUri[], over: () => void) {
    this.invites = invites;
    this.targets = [...targets];
    this.over = over;
  }

  start(): void {
    const target = this.targets.shift();
    if (this.stopped) return;
    if (target === undefined) {
      this.stopped = true;
      return this.over();
    }
    this.target = target;
    const { context, finals } = this.invites;
    context.ways.find(this.invites.hopTo(target), (ways, status) => {
      if (status !== undefined) finals.add(status, '');
      this.groups = groupsOf(ways);
      this.nextGroup();
    });
  }

  /** CANCEL to all that ring. Who answers all the same is told of. */
  cancel(fields: ReadonlyArray<readonly [string, string]>): void {
    this.stopped = true;
    this.ringTimer?.clear();
    for (const branch of [...this.ringing, ...this.leaving]) branch.cancel(fields);
  }

  private nextGroup(): void {
    this.ringTimer?.clear();
    if (this.stopped) return;
    const group = this.groups.shift();
    if (group === undefined) return this.start();
    const cseq = this.invites.nextCseq();
    const branches = group
      .filter(() => this.invites.takeBranch())
      .map(({ ways }) => new InviteBranch(this.invites, this.target!, ways, cseq, (branch) => this.ended(branch)));
    if (branches.length === 0) return this.nextGroup();
    this.ringing = new Set(branches);
    if (this.groups.length + this.targets.length > 0) {
      this.ringTimer = this.invites.context.timers.set(RING_MS, () => this.ringElsewhere());
    }
    for (const branch of branches) if (!this.stopped) branch.start();
  }

  /** Nobody answered for long. */
  private ringElsewhere(): void {
    const branches = [...this.ringing];
    this.ringing = new Set();
    this.invites.finals.add(408, '');
    for (const branch of branches) {
      this.leaving.add(branch);
      branch.cancel([]);
    }
    this.nextGroup();
  }

  private ended(branch: InviteBranch): void {
    this.leaving.delete(branch);
    if (this.ringing.delete(branch) && this.ringing.size === 0) this.nextGroup();
  }
}

/** By falling q, at most so many at a time; ways that lead to no contact of a user are those to one place. */
function groupsOf(ways: readonly Way[]): Place[][] {
  const places: Place[] = [];
  const known = new Map<Way['contact'], Place>();
  for (const way of ways) {
    const place = known.get(way.contact) ?? { q: way.contact?.q ?? 1, ways: [] };
    if (place.ways.length === 0) places.push(place);
    known.set(way.contact, place);
    place.ways.push(way);
  }
  places.sort((one, other) => other.q - one.q);
  const groups: Place[][] = [];
  for (const place of places) {
    const last = groups.at(-1);
    if (last !== undefined && last[0]!.q === place.q && last.length < MAX_AT_ONCE) last.push(place);
    else groups.push([place]);
  }
  return groups;
}
