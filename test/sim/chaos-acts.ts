import type { ParticipantPatch } from '../../server/focus/control.ts';
import type { Room } from '../../server/rooms/room.ts';
import { anybody, anyRoom } from './chaos-choices.ts';
import type { ChaosDay } from './chaos-day.ts';
import { camera, look, pictures, stage } from './chaos-video-acts.ts';
import type { SeededRandom } from './seeded-random.ts';

type Act = (day: ChaosDay) => void;

const KEY_PAUSE_MS = 150;
const SEQUENCES = [
  '*6',
  '*5',
  '*4',
  '*7',
  '*#',
  '*0',
  '*1',
  '*2',
  '*3',
  '*9',
  '1',
  '1234#',
  '9999#',
  '0000#',
  '#',
  '*',
];

function press(day: ChaosDay, leg: string, sequence: string): void {
  [...sequence].forEach((key, index) => {
    day.timers.set(index * KEY_PAUSE_MS, () => {
      const mixer = [...day.server.mixerProcesses].find(({ legs }) => legs.has(leg));
      mixer?.happens({ event: 'legKey', leg, key, durationMs: 80 });
    });
  });
}

function call(day: ChaosDay): void {
  const { random, phones } = day;
  const idle = phones.filter((phone) => phone.call === null);
  if (idle.length === 0) return;
  const pin = random.pick(['', '', ';pin=9999', ';pin=1234', ';pin=0000']);
  random.pick(idle).dial(day.anyRoomName() + pin);
}

function leave({ random, phones }: ChaosDay): void {
  const busy = phones.filter((phone) => phone.call !== null);
  if (busy.length > 0) random.pick(busy).hangUp();
}

function keys(day: ChaosDay): void {
  const who = anybody(day);
  if (who !== null) press(day, who.participant.id, day.random.pick(SEQUENCES));
}

function anyPatch(random: SeededRandom, room: Room): ParticipantPatch {
  const yes = random.chance(0.5);
  const others = room.participants.map(({ id }) => id);
  return random.pick<ParticipantPatch>([
    { muted: yes },
    { muted: yes },
    { deaf: yes },
    { hand: yes },
    { gainDb: random.below(10), volumeDb: random.below(10) - 9 },
    { role: random.pick(['moderator', 'participant', 'listener']) },
    { speaksTo: yes || others.length === 0 ? null : [random.pick(others)] },
    { admitted: true },
    { muted: yes, hand: !yes, role: 'moderator' },
    { camera: yes },
    { layout: random.pick(['grid', 'speaker', null] as const), hideSelf: yes },
  ]);
}

function patch(day: ChaosDay): void {
  const who = anybody(day);
  if (who === null) return;
  const { conferences } = day.server.conference;
  const { room, participant } = who;
  day.http(() => conferences.updateParticipant(room.name, participant.id, anyPatch(day.random, room)));
}

function move(day: ChaosDay): void {
  // The last one out closes a room that was opened by dialling.
  const who = (day.random.chance(0.5) ? anybody(day, ({ origin }) => origin === 'adhoc') : null) ?? anybody(day);
  if (who === null) return;
  const { conferences } = day.server.conference;
  const to = anyRoom(day).name;
  day.http(() => conferences.updateParticipant(who.room.name, who.participant.id, { room: to }));
}

function putOut(day: ChaosDay): void {
  const who = anybody(day);
  if (who === null) return;
  day.http(() => day.server.conference.conferences.removeParticipant(who.room.name, who.participant.id));
}

function muteAll(day: ChaosDay): void {
  const { name } = anyRoom(day);
  day.http(() => day.server.conference.conferences.muteAll(name, day.random.chance(0.6), 'moderators'));
}

function floor(day: ChaosDay): void {
  const who = anybody(day);
  if (who === null) return;
  const { conferences } = day.server.conference;
  const others = day.random.chance(0.3) ? [day.random.pick(who.room.participants).id] : [];
  const ids = day.random.chance(0.3) ? [] : [who.participant.id, ...others];
  day.http(() => conferences.giveFloor(who.room.name, ids));
}

function policy(day: ChaosDay): void {
  const { random } = day;
  const yes = random.chance(0.3);
  const changed = random.pick([
    { locked: yes },
    { lobby: yes },
    { music: yes },
    { maxParticipants: 8 + random.below(10) },
    { displayName: random.pick([null, '<Board>', 'Ümläut & Co']) },
    { announce: random.pick(['names', 'chimes', 'none'] as const) },
    { waitForModerator: yes },
    { locked: false, maxParticipants: 30 },
    { record: random.pick(['manual', 'always', 'from-two'] as const) },
    { recordingAnnounced: yes, recordTracks: !yes },
    { video: !yes },
    { recordVideo: !yes, hideSelf: yes },
    { layout: random.pick(['auto', 'single'] as const), videoSize: random.pick(['360p', '1080p'] as const) },
  ]);
  const { name } = anyRoom(day);
  day.http(() => day.server.conference.conferences.updateRoom(name, changed));
}

function end(day: ChaosDay): void {
  const { name } = anyRoom(day);
  day.http(() => day.server.conference.conferences.endConference(name));
}

function close(day: ChaosDay): void {
  const adhoc = [...day.server.rooms].filter(({ origin }) => origin === 'adhoc');
  if (adhoc.length === 0) return;
  const { name } = day.random.pick(adhoc);
  day.http(() => day.server.conference.conferences.deleteRoom(name));
}

function dialOut(day: ChaosDay): void {
  const { random, phones } = day;
  const { uri } = random.pick(phones);
  const participant = {
    ...{ uri, displayName: random.pick([null, 'Called <one>']), retryAfterS: 5 + random.below(60) },
    ...{
      role: random.pick(['participant', 'moderator'] as const),
      recorded: random.chance(0.8),
      confirm: random.chance(0.4),
      video: random.pick([null, true, false]),
      slides: random.chance(0.2),
      retries: random.below(3),
    },
  };
  const { name } = anyRoom(day);
  day.http(() => day.server.conference.conferences.addParticipant(name, participant));
}

/** Those whom we called and who must press 1. */
function confirm(day: ChaosDay): void {
  for (const room of day.server.rooms) {
    for (const { id, state } of room.participants) if (state === 'entering') press(day, id, '1');
  }
}

function breakOut(day: ChaosDay): void {
  const { conferences } = day.server.conference;
  const room = day.server.rooms.get('plain');
  if (room === undefined) return;
  if (day.random.chance(0.5)) return day.http(() => conferences.closeBreakouts('plain'));
  const participants = room.present.filter(() => day.random.chance(0.5)).map(({ id }) => id);
  day.http(() => conferences.openBreakouts('plain', [{ participants }]));
}

function announce(day: ChaosDay): void {
  const { random } = day;
  const wanted = {
    prompt: 'conference-ends',
    recording: null,
    sound: null,
    participant: null,
    gainDb: 0,
    startMs: 0,
    repeat: random.chance(0.3),
  };
  const { name } = anyRoom(day);
  day.http(async () => {
    const { id } = await day.server.conference.conferences.announce(name, wanted);
    // Who has it repeated stops it, if the room is still there.
    day.timers.set(random.below(60_000), () => {
      day.http(() => day.server.conference.conferences.stopAnnouncement(name, id));
    });
  });
}

function record(day: ChaosDay): void {
  const { random } = day;
  const { conferences } = day.server.conference;
  const running = [...day.server.rooms].filter(({ recording }) => recording !== 'off');
  if (running.length === 0 || random.chance(0.4)) {
    const { name } = anyRoom(day);
    return day.http(() => conferences.startRecording(name, random.pick([{}, { tracks: true, announced: false }])));
  }
  const { name } = random.pick(running);
  const last = conferences.recordings(name).at(-1);
  const state = random.pick(['paused', 'recording', 'paused', 'recording', 'stopped'] as const);
  if (last !== undefined) day.http(() => conferences.updateRecording(name, last.id, state));
}

function failRecording({ random, server }: ChaosDay): void {
  const filming = [...server.videoProcesses].filter(({ recordings }) => recordings.size > 0);
  if (filming.length > 0 && random.chance(0.5)) {
    const mixer = random.pick(filming);
    return mixer.failRecording(random.pick([...mixer.recordings.keys()]));
  }
  const recorders = [...server.mixerProcesses].filter(({ recordings }) => recordings.size > 0);
  if (recorders.length === 0) return;
  const mixer = random.pick(recorders);
  mixer.failRecording(random.pick([...mixer.recordings.keys()]));
}

function hold({ random, phones }: ChaosDay): void {
  const up = phones.filter((phone) => phone.isUp);
  if (up.length > 0) random.pick(up).change(random.pick(['sendonly', 'inactive', 'sendrecv', 'sendrecv']));
}

function refer(day: ChaosDay): void {
  const { random, phones } = day;
  const up = phones.filter((phone) => phone.isUp);
  if (up.length === 0) return;
  const { uri } = random.pick(phones);
  const who = random.chance(0.5) ? `sip:p${random.below(50)}@example.com;method=BYE` : uri;
  random.pick(up).refer(who);
}

function talk(day: ChaosDay): void {
  const who = anybody(day);
  const leg = who?.participant.id ?? '';
  const mixer = [...day.server.mixerProcesses].find(({ legs }) => legs.has(leg));
  mixer?.happens({ event: 'legTalking', leg, talking: day.random.chance(0.5), levelDb: -20 });
  mixer?.happens({ event: 'legLevel', leg, levelDb: -30 });
}

function silence(day: ChaosDay): void {
  const leg = anybody(day)?.participant.id ?? '';
  const mixer = [...day.server.mixerProcesses].find(({ legs }) => legs.has(leg));
  mixer?.happens({ event: 'legSilent', leg, silentMs: 60_000 });
}

function crash({ random, server }: ChaosDay): void {
  const all = [...server.mixerProcesses, ...server.videoProcesses];
  if (random.chance(0.7) && all.length > 0) random.pick(all).crash();
}

const often = (times: number, name: string, act: Act) => Array.from({ length: times }, () => [name, act] as const);

/** What happens, each as often as it is in here. */
export const chaosActs: readonly (readonly [string, Act])[] = [
  ...often(24, 'call', call),
  ...often(10, 'leave', leave),
  ...often(12, 'keys', keys),
  ...often(14, 'patch', patch),
  ...often(8, 'move', move),
  ...often(3, 'put out', putOut),
  ...often(2, 'mute all', muteAll),
  ...often(3, 'floor', floor),
  ...often(5, 'policy', policy),
  ...often(1, 'end', end),
  ...often(1, 'close', close),
  ...often(6, 'dial out', dialOut),
  ...often(3, 'confirm', confirm),
  ...often(3, 'break out', breakOut),
  ...often(2, 'announce', announce),
  ...often(16, 'record', record),
  ...often(1, 'fail recording', failRecording),
  ...often(4, 'hold', hold),
  ...often(3, 'refer', refer),
  ...often(5, 'talk', talk),
  ...often(1, 'silence', silence),
  ...often(2, 'crash', crash),
  ...often(6, 'pictures', pictures),
  ...often(4, 'camera', camera),
  ...often(3, 'stage', stage),
  ...often(1, 'look', look),
];
