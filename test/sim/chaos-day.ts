import { ControlError } from '../../server/focus/control.ts';
import type { RoomPolicy } from '../../server/rooms/policy.ts';
import { chaosActs } from './chaos-acts.ts';
import { ChaosPhone, type PhoneWorld } from './chaos-phone.ts';
import { EventReader } from './chaos-reader.ts';
import { ChaosServer } from './chaos-server.ts';
import { Views } from './chaos-views.ts';
import { Watcher } from './chaos-watcher.ts';
import { Wire } from './chaos-wire.ts';
import { SeededRandom } from './seeded-random.ts';
import { VirtualTimers } from './virtual-timers.ts';

const CALLERS = 50;
const HOUR_MS = 3_600_000;
const HOURS = 24;
/** So much at once, so that things cross; then it is quiet for a while. */
const BURSTS_PER_HOUR = 2;
const ACTS_PER_BURST = 14;
const MOST_BETWEEN_MS = 2500;
/** By then, all that was begun has come to its end: the longest are calls that nobody answers, and those made again. */
const QUIET_MS = 10 * 60_000;

const ROOMS: Record<string, Partial<RoomPolicy>> = {
  plain: { announce: 'chimes', music: true, record: 'from-two', recordTracks: true },
  pin: { pin: '1234', moderatorPin: '9999', muteOnEntry: true, record: 'always', recordTracks: true },
  lobby: { lobby: true, moderatorPin: '9999', displayName: 'The <lobby>', announce: 'chimes' },
  board: { waitForModerator: true, moderatorPin: '9999', endWhenModeratorLeaves: true, announce: 'names', music: true },
  hall: { listenersOnly: true, moderatorPin: '9999', maxParticipants: 12, chimesAbove: 3, record: 'from-two' },
};
/** Opened by whoever dials them. */
const ADHOC = ['adhoc-a', 'adhoc-b'];

export interface ChaosOutcome {
  readonly problems: readonly string[];
  /** What of the server has not gone, by name. */
  readonly left: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
  readonly acts: Readonly<Record<string, number>>;
}

/** A day of a server with 50 callers who do what they like; the same for the same seed, but for participants' ids. */
export class ChaosDay {
  readonly timers = new VirtualTimers();
  readonly random: SeededRandom;
  readonly server: ChaosServer;
  readonly phones: ChaosPhone[];
  readonly problems: string[] = [];
  readonly counts: Record<string, number> = {};
  /** Streams whose pictures came or went. */
  pictures = 0;
  private readonly world: PhoneWorld;
  private readonly readers: EventReader[];
  private readonly views: Views;
  private readonly watchers: Watcher[];
  private readonly actCounts: Record<string, number> = {};

  constructor(seed: number) {
    this.random = new SeededRandom(seed);
    const { timers, random } = this;
    this.world = { timers, random, wire: new Wire(timers, random) };
    this.server = new ChaosServer(this.world, this.problems);
    const { rooms, streams, conference } = this.server;
    const { conferences } = conference;
    const state = () => conferences.rooms();
    this.readers = [0, 1].map(() => new EventReader(streams, state, this.problems));
    this.views = new Views(conferences, this.readers, this.problems);
    rooms.subscribe(this.views.changed);
    this.phones = Array.from({ length: CALLERS }, (_, index) => new ChaosPhone(index, this.world));
    const names = [...Object.keys(ROOMS), ...ADHOC, 'plain-1'];
    const watcherWorld = { ...this.world, rooms, views: this.views, problems: this.problems };
    this.watchers = names.map((name, index) => new Watcher(name, index, watcherWorld));
  }

  /** Any room that somebody could dial. */
  anyRoomName(): string {
    return this.random.pick([...Object.keys(ROOMS), ...ADHOC, 'plain']);
  }

  /** What HTTP asks for; refusals are part of it. */
  http(asked: () => unknown): void {
    const failed = (error: unknown): void => {
      if (error instanceof ControlError) this.count(`refused ${error.code}`);
      else this.problems.push(`http: ${error instanceof Error ? error.stack : String(error)}`);
    };
    try {
      Promise.resolve(asked()).catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }

  async run(): Promise<ChaosOutcome> {
    const { conferences, mixers, video } = this.server.conference;
    const started = Promise.all([mixers.start(), video.start()]);
    await this.pass(1000);
    await started;
    for (const reader of this.readers) reader.open();
    for (const [name, policy] of Object.entries(ROOMS)) conferences.createRoom(name, policy);
    for (let hour = 0; hour < HOURS; hour++) await this.hour();
    await this.end();
    const left = this.server.left();
    await this.server.close();
    return { problems: this.problems, left, counts: this.allCounts(), acts: this.actCounts };
  }

  private async hour(): Promise<void> {
    for (let burst = 0; burst < BURSTS_PER_HOUR; burst++) {
      for (const watcher of this.watchers) if (this.random.chance(0.3)) watcher.subscribe();
      for (let act = 0; act < ACTS_PER_BURST; act++) {
        this.act();
        await this.pass(this.random.below(MOST_BETWEEN_MS));
      }
      this.breakReader();
      // Nobody does anything: what is under way ends, and all views get there.
      await this.pass(HOUR_MS / BURSTS_PER_HOUR - (ACTS_PER_BURST * MOST_BETWEEN_MS) / 2);
      this.views.checkAll();
      for (const watcher of this.watchers) watcher.checkCurrent();
      this.problems.push(...this.server.outOfStep());
    }
  }

  private act(): void {
    const [name, act] = this.random.pick(chaosActs);
    this.actCounts[name] = (this.actCounts[name] ?? 0) + 1;
    act(this);
  }

  /** One reader's connection breaks at times, and it resumes. */
  private breakReader(): void {
    const reader = this.readers[1]!;
    if (reader.isOpen && this.random.chance(0.5)) reader.leave();
    else if (!reader.isOpen) reader.open();
  }

  /** Everybody leaves by themselves, and nobody comes any more. */
  private async end(): Promise<void> {
    for (const phone of this.phones) {
      phone.quiet = true;
      phone.hangUp();
    }
    await this.pass(QUIET_MS);
    // An invitation that was on its way when they hung up.
    for (const phone of this.phones) phone.hangUp();
    await this.pass(QUIET_MS);
    this.views.checkAll();
    for (const watcher of this.watchers) {
      watcher.checkCurrent();
      watcher.stop();
    }
    for (const reader of this.readers) reader.leave();
    await this.pass(QUIET_MS);
  }

  /** Lets time pass, and all work be done that comes of each moment. */
  private async pass(ms: number): Promise<void> {
    const untilMs = this.timers.now() + ms;
    for (;;) {
      await settled();
      // Disks take real time, in which nothing else happens: so a day is the same for the same seed.
      while (this.server.recordings.pending > 0) await settled();
      const nextMs = this.timers.untilNextMs;
      if (nextMs === null || this.timers.now() + nextMs > untilMs) break;
      this.timers.advance(nextMs);
    }
    this.timers.advance(untilMs - this.timers.now());
  }

  private allCounts(): Record<string, number> {
    const { focus, mixers } = this.server.conference;
    const sum = (of: (watcher: Watcher) => number) => this.watchers.reduce((total, one) => total + of(one), 0);
    return {
      ...this.counts,
      versions: this.views.versions,
      flags: this.views.flags,
      documents: sum(({ compared }) => compared),
      partial: sum(({ partial }) => partial),
      resumed: this.readers.reduce((total, { resumed }) => total + resumed, 0),
      calls: focus.counts.started,
      messages: this.world.wire.messages,
      crashes: mixers.restarts + this.server.conference.video.restarts,
      pictures: this.pictures,
      recordings: this.server.recordings.started,
      failed: this.server.recordings.failed,
    };
  }
}

const settled = () => new Promise((resolve) => setImmediate(resolve));
