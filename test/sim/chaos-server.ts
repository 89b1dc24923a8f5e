import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { ConferenceEvents } from '../../server/conference-event/conference-events.ts';
import { type ConferenceParts, createConferences } from '../../server/conference-parts.ts';
import { loadConfig } from '../../server/config/load.ts';
import type { Config } from '../../server/config/schema.ts';
import { EventStreams } from '../../server/events/event-streams.ts';
import { RoomEvents } from '../../server/events/room-events.ts';
import { roomScene } from '../../server/focus/room-scene.ts';
import type { Mixer } from '../../server/mixers/mixer-fleet.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import { UserAgent } from '../../server/sip/user-agent/user-agent.ts';
import { SoundLibrary } from '../../server/sounds/sound-library.ts';
import type { FakeMixerProcess } from './chaos-mixer.ts';
import { type PhoneWorld, SERVER, SESSION_TIMER } from './chaos-phone.ts';
import { mixersLiveIn } from './chaos-process.ts';
import { ChaosRecordings } from './chaos-recordings.ts';
import type { FakeVideoMixerProcess } from './chaos-video-mixer.ts';

const MIXERS = 2;

/** The server as `server.ts` puts it together, but for sockets, disks and processes. */
export class ChaosServer {
  readonly rooms = new Rooms();
  readonly events: RoomEvents;
  readonly streams: EventStreams;
  readonly conference: ConferenceParts;
  readonly conferenceEvents: ConferenceEvents;
  readonly agent: UserAgent;
  readonly recordings: ChaosRecordings;
  readonly mixerProcesses = new Set<FakeMixerProcess>();
  readonly videoProcesses = new Set<FakeVideoMixerProcess>();
  /** Calls that began and have not ended, as records see them. */
  readonly observed = new Set<string>();
  private readonly directory = mkdtempSync(join(tmpdir(), 'parley-chaos-'));
  private readonly world: PhoneWorld;

  constructor(world: PhoneWorld, problems: string[]) {
    this.world = world;
    const { timers, random, wire } = world;
    mixersLiveIn({ timers, random, alive: this.mixerProcesses, videoAlive: this.videoProcesses, problems });
    const loaded = loadConfig({ argv: [], env: {}, cwd: this.directory });
    if (!loaded.ok) throw new Error('no configuration');
    const changed = { dataDir: this.directory, audioMixers: MIXERS, videoMixers: MIXERS, publicAddress: [SERVER] };
    const config: Config = { ...loaded.config, ...changed, domain: SERVER, srtp: 'off', adhocRooms: 'anyone' };
    const write = (line: string): void => {
      // Some do, on purpose.
      if (!/"(video )?mixer died"|"reason":"no luck"/.test(line)) problems.push(line);
    };
    const log = pino({ level: 'error' }, { write });
    const recordings = new ChaosRecordings({ directory: join(this.directory, 'recordings'), log });
    recordings.load();
    this.recordings = recordings;
    const recordingsOf = (room: string) => recordings.latest(room);
    this.events = new RoomEvents({ instance: 'chaos', epochMs: () => timers.now(), recordingsOf });
    this.rooms.subscribe(this.events.changed);
    this.streams = new EventStreams(this.events, timers, log);
    const sounds = new SoundLibrary({
      ...{ directory: join(this.directory, 'sounds'), log, epochMs: () => timers.now() },
      findFfmpeg: async () => null,
    });
    const identify = () => ({ user: 'ann' });
    const isTrusted = (address: string) => address.startsWith('203.0.113.');
    this.conference = createConferences(config, {
      ...{ rooms: this.rooms, recordings, sounds, log, identify, isTrusted },
      timers: Object.assign(timers, { active: 0 }),
      sendText: () => {},
      sendTexts: async () => [],
      call: (invitee, handler) => this.agent.call(invitee, handler),
      observer: {
        began: ({ id }) => void this.observed.add(id),
        established: () => {},
        keyTold: () => {},
        ended: ({ id }) => {
          if (!this.observed.delete(id)) problems.push(`${id} ended, but never began`);
        },
        refused: () => {},
      },
    });
    const { focus } = this.conference;
    this.conferenceEvents = new ConferenceEvents({
      ...{ focus, rooms: this.rooms, timers, log, domain: SERVER, identify, isTrusted, hasVideo: () => true },
    });
    this.agent = new UserAgent({
      ...wire.transports(SERVER),
      ...{ timers, random, publicAddress: SERVER, ports: { tcp: 5060 }, isFocus: true, sessionTimer: SESSION_TIMER },
      handler: {
        invited: (call) => focus.invited(call),
        referred: (referral) => focus.referred(referral),
        availability: (options, flow) => focus.availability(options, flow),
        packages: { conference: this.conferenceEvents },
      },
    });
    wire.attach(SERVER, (message, flow) => this.agent.received(message, flow));
  }

  /** What does not go together when nothing is under way. */
  outOfStep(): string[] {
    const { calls } = this.conference.focus;
    const { legs, observed, participants } = this.left();
    const counts = { calls, legs, observed, participants };
    const differ = new Set(Object.values(counts)).size > 1;
    const empty = [...this.rooms].filter(({ origin, size }) => origin === 'adhoc' && size === 0);
    const useless = empty.filter(({ name }) => ![...this.rooms].some(({ breakoutOf }) => breakoutOf === name));
    return [
      ...this.picturesOutOfStep(),
      ...(differ ? [`not as many of each: ${JSON.stringify(counts)}`] : []),
      ...useless.map(({ name }) => `${name} is open, and nobody is in it`),
    ];
  }

  /** Who has video has a stream, nobody else has, and each picture is made of what the room is now. */
  private picturesOutOfStep(): string[] {
    const processes = [...this.videoProcesses];
    const streaming = new Set(processes.flatMap(({ streams }) => [...streams.values()].map(({ key }) => key.leg)));
    const all = [...this.rooms].flatMap((room) => room.participants);
    const blind = all.filter(({ id, video }) => video !== null && !streaming.has(id));
    const here = new Set(all.map(({ id }) => id));
    const scenes = processes.flatMap(({ rooms }) => [...rooms]);
    const old = scenes.filter(([name, scene]) => {
      const room = this.rooms.get(name);
      return room !== undefined && JSON.stringify(roomScene(room)) !== JSON.stringify(scene);
    });
    return [
      ...blind.map(({ id }) => `${id} has video, but no stream`),
      ...[...streaming].filter((leg) => !here.has(leg)).map((leg) => `there is a stream of ${leg}, who is not there`),
      ...old.map(([name]) => `the picture of ${name} is made of what was before`),
    ];
  }

  /** All that grows with calls, by name; after a day that is over, each is 0. */
  left(): Record<string, number> {
    const { conference, agent } = this;
    const { mixers, focus, conferences } = conference;
    const { participants, dialOuts, announcements } = parts(conferences, 'options');
    const { host, announcer } = parts(participants, 'options');
    const processes = [...this.mixerProcesses];
    const { video } = conference;
    const countVideo = (of: (one: FakeVideoMixerProcess) => number) =>
      [...this.videoProcesses].reduce((sum, one) => sum + of(one), 0);
    const count = (of: (one: FakeMixerProcess) => number) => processes.reduce((sum, one) => sum + of(one), 0);
    return {
      calls: focus.calls,
      adhoc: [...this.rooms].filter(({ origin }) => origin === 'adhoc').length,
      participants: [...this.rooms].reduce((sum, { size }) => sum + size, 0),
      observed: this.observed.size,
      legs: count(({ legs }) => legs.size),
      mixerRooms: count(({ rooms }) => rooms.size),
      sounds: count(({ playbacks }) => playbacks.size),
      recorded: count(({ recordings }) => recordings.size),
      ...sizes('recordings', parts(conferences, 'options')['recordings'], ['live', 'failures']),
      ...sizes('turns', parts(parts(conferences, 'options')['recordings'], 'turns'), ['last']),
      ...sizes('mixers', mixers, ['legs']),
      ...sizes('mixers.rooms', parts(mixers, 'rooms'), ['byName']),
      ...sizes('mixers.playbacks', parts(mixers, 'playbacks'), ['byId']),
      videoStreams: countVideo(({ streams }) => streams.size),
      videoRooms: countVideo(({ rooms }) => rooms.size),
      videoRecorded: countVideo(({ recordings }) => recordings.size),
      ...sizes('video', video, ['opening']),
      ...sizes('video.streams', parts(video, 'streams'), ['records']),
      ...sizes('video.rooms', parts(video, 'rooms'), ['byName']),
      ...sizes('video.scenes', parts(video, 'scenes'), ['told', 'changed']),
      placedLegs: (parts(parts(mixers, 'fleet'), 'mixers') as unknown as Mixer[]).reduce(
        (sum, { legs }) => sum + legs,
        0,
      ),
      ...sizes('focus', focus, ['byCall']),
      ...sizes('host', host, ['entrances']),
      ...sizes('keys', parts(host, 'keys'), ['menus']),
      ...sizes('life', parts(host, 'life'), ['present', 'alone', 'ends']),
      ...sizes('dialOuts', dialOuts, ['byId']),
      ...sizes('announcements', announcements, ['running']),
      ...sizes('announcer', announcer, ['playing']),
      ...sizes('byes', parts(focus, 'byes'), ['waiting']),
      ...sizes('names', parts(host, 'options')['names'], ['said']),
      nameFiles: readdirSync(join(this.directory, 'names')).length,
      dialogs: agent.calls,
      transactions: agent.transactions.serverTransactions + agent.transactions.clientTransactions,
      ...sizes('agent', agent.subscriptions, ['dialogs']),
      subscriptions: this.conferenceEvents.size,
      ...sizes('conferenceEvents', this.conferenceEvents, ['rooms', 'byAddress']),
      ...sizes('streams', this.streams, ['streams']),
      timers: this.world.timers.pending,
    };
  }

  async close(): Promise<void> {
    this.streams.close();
    await this.recordings.close(0);
    this.conference.mixers.stop();
    this.conference.video.stop();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

type Parts = Record<string, object>;

/** What only the owner should know; a test that looks for leaks must. */
function parts(owner: object | undefined, name: string): Parts {
  const part: unknown = Reflect.get(owner ?? {}, name);
  if (typeof part !== 'object' || part === null) throw new Error(`there is no ${name} any more`);
  return part as Parts;
}

function sizes(what: string, owner: object | undefined, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    names.map((name) => {
      const { size } = parts(owner, name) as unknown as { size: unknown };
      if (typeof size !== 'number') throw new Error(`${what}.${name} is nothing that can be counted`);
      return [`${what}.${name}`, size];
    }),
  );
}
