import type { WantedFile } from '../recordings/recorded-files.ts';
import type { Recordings } from '../recordings/recordings.ts';
import { policyConflict, type RoomPolicy, saidOf } from '../rooms/policy.ts';
import type { Room } from '../rooms/room.ts';
import { roomName } from '../rooms/room-name.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { ParticipantDetails, ParticipantView, RecordingView, RoomDetails, RoomView } from '../rooms/views.ts';
import type { Announcements } from './announcements.ts';
import { Breakouts } from './breakouts.ts';
import {
  type Announcement,
  type AnnouncementPatch,
  type AnnouncementProgress,
  type BreakoutGroup,
  type ConferenceControl,
  ControlError,
  type MessageDelivery,
  type NewAnnouncement,
  type NewMessage,
  type NewParticipant,
  type NewRecording,
  type ParticipantPatch,
  type RecordingFile,
  type RecordingFormat,
  type RecordingMark,
  type RoomPatch,
} from './control.ts';
import type { DialOuts } from './dial-outs.ts';
import type { Focus, Member } from './focus.ts';
import type { Moderation } from './moderation.ts';
import { carryOut, type ParticipantsControl } from './participants-control.ts';
import type { RoomPictures } from './room-pictures.ts';
import type { RoomRecordings } from './room-recordings.ts';

export interface ConferencesOptions {
  rooms: Rooms;
  focus: Focus;
  participants: ParticipantsControl;
  moderation: Moderation;
  announcements: Announcements;
  dialOuts: DialOuts;
  recordings: RoomRecordings;
  pictures: Pick<RoomPictures, 'of'>;
  /** Texts from the room to these; throws a `ControlError`. */
  sendTexts(room: Room, members: readonly Member[], text: string): Promise<MessageDelivery[]>;
  /** What there is of recordings, also of rooms that are gone. */
  recorded: Pick<Recordings, 'list' | 'latest' | 'get' | 'remove' | 'file' | 'want'>;
}

/** Carries out what HTTP asks of the rooms: finds what is named, and passes on to who does it. */
export class Conferences implements ConferenceControl {
  private readonly options: ConferencesOptions;
  private readonly breakouts: Breakouts;

  constructor(options: ConferencesOptions) {
    const { rooms, focus, participants } = options;
    this.options = options;
    this.breakouts = new Breakouts({
      rooms,
      in: (room) => focus.in(room),
      participant: (room, id) => participants.find(room, id),
      wasRecorded: (room) => options.recorded.list(room).length > 0,
      vacated: (room) => focus.vacated(room),
    });
  }

  rooms(): RoomView[] {
    return [...this.options.rooms].map((room) => this.viewOf(room));
  }

  room(name: string): RoomView {
    return this.viewOf(this.find(name));
  }

  breakoutOf(name: string): string | null {
    return this.options.rooms.get(roomName(name) ?? '')?.breakoutOf ?? null;
  }

  roomDetails(name: string): RoomDetails {
    const room = this.find(name);
    const { pin, moderatorPin } = room.policy;
    return { ...this.viewOf(room), pin, moderatorPin };
  }

  createRoom(name: string, policy: Partial<RoomPolicy>): RoomView {
    const { rooms } = this.options;
    const valid = roomName(name);
    if (valid === null) throw new ControlError('room-name-invalid', `${name} cannot be a room's name`);
    if (rooms.get(valid)) throw new ControlError('room-exists', `room ${valid} is there already`);
    checkPolicy(rooms.policyWith(policy));
    return this.viewOf(rooms.open(valid, 'created', policy));
  }

  updateRoom(name: string, { spotlight, places, ...said }: RoomPatch): RoomView {
    const room = this.find(name);
    const policy = saidOf(said);
    checkPolicy({ ...room.policy, ...policy });
    for (const id of [...(spotlight ?? []), ...(places ?? [])])
      if (id !== null) this.options.participants.view(room, id);
    room.changePolicy(policy);
    room.setStage({ ...(spotlight && { spotlight }), ...(places && { places }) });
    return this.viewOf(room);
  }

  async picture(name: string, width: number): Promise<Uint8Array> {
    const room = this.find(name);
    return carryOut(() => this.options.pictures.of(room.name, width));
  }

  async deleteRoom(name: string): Promise<void> {
    const { rooms, recordings } = this.options;
    const room = this.find(name);
    this.hangUpAll(room, 'the room was closed');
    await recordings.stopAll(room);
    if (room.origin === 'configured') return;
    // Somebody may have come meanwhile.
    this.hangUpAll(room, 'the room was closed');
    rooms.close(room);
  }

  async endConference(name: string): Promise<void> {
    const room = this.find(name);
    await this.options.moderation.end(room, ['conference-ends'], 'a moderator ended the conference');
  }

  async participant(roomNamed: string, id: string): Promise<ParticipantDetails> {
    const { participants } = this.options;
    const room = this.find(roomNamed);
    const call = participants.find(room, id);
    const [statistics, pictures] = await Promise.all([call.statistics(), call.pictures()]);
    return { ...participants.view(room, id), quality: statistics?.quality ?? null, pictures };
  }

  async updateParticipant(room: string, id: string, patch: ParticipantPatch): Promise<ParticipantView> {
    return this.options.participants.update(this.find(room), id, patch);
  }

  addParticipant(room: string, participant: NewParticipant): ParticipantView {
    return this.options.participants.add(this.find(room), participant);
  }

  async removeParticipant(room: string, id: string, reason = 'removed by a moderator'): Promise<void> {
    this.options.participants.remove(this.find(room), id, reason);
  }

  async muteAll(room: string, muted: boolean, except: 'moderators' | readonly string[]): Promise<void> {
    await this.options.participants.muteAll(this.find(room), muted, except);
  }

  async giveFloor(name: string, participants: readonly string[]): Promise<string[]> {
    const room = this.find(name);
    await this.options.participants.giveFloor(room, participants);
    return [...room.floor];
  }

  async announce(room: string, announcement: NewAnnouncement): Promise<Announcement> {
    return this.options.announcements.start(this.find(room), announcement);
  }

  announcements(room: string): Announcement[] {
    return this.options.announcements.list(this.find(room));
  }

  async updateAnnouncement(room: string, id: string, patch: AnnouncementPatch): Promise<AnnouncementProgress> {
    return this.options.announcements.update(this.find(room), id, patch);
  }

  stopAnnouncement(room: string, id: string): void {
    this.options.announcements.stop(this.find(room), id);
  }

  async sendMessage(name: string, { text, to }: NewMessage): Promise<MessageDelivery[]> {
    const { focus, sendTexts } = this.options;
    const room = this.find(name);
    const members = to === null ? focus.members(room) : [...new Set(to)].map((id) => this.memberNamed(room, id));
    return sendTexts(room, members, text);
  }

  async openBreakouts(roomNamed: string, groups: readonly BreakoutGroup[]): Promise<RoomView[]> {
    const room = this.find(roomNamed);
    const opened = await carryOut(() => this.breakouts.open(room, groups));
    return opened.map((one) => this.viewOf(one));
  }

  async closeBreakouts(roomNamed: string): Promise<void> {
    const room = this.find(roomNamed);
    await carryOut(() => this.breakouts.close(room));
  }

  async startRecording(room: string, wanted: NewRecording): Promise<RecordingView> {
    return this.options.recordings.start(this.find(room), wanted, 'moderator');
  }

  async updateRecording(room: string, id: string, state: 'recording' | 'paused' | 'stopped'): Promise<RecordingView> {
    return this.options.recordings.update(this.find(room), id, state);
  }

  markRecording(room: string, id: string, text: string): RecordingMark {
    return this.options.recordings.mark(this.find(room), id, text);
  }

  async deleteRecording(room: string, id: string): Promise<void> {
    await this.options.recordings.remove(this.find(room), id);
  }

  recordings(room: string): RecordingView[] {
    const recorded = this.options.recorded.list(roomName(room) ?? '');
    return recorded.length > 0 ? recorded : this.options.recorded.list(this.find(room).name);
  }

  allRecordings(): RecordingView[] {
    return this.options.recorded.list();
  }

  recording(id: string): RecordingView {
    return this.options.recorded.get(id);
  }

  async removeRecording(id: string): Promise<void> {
    await this.options.recorded.remove(id);
  }

  recordingFile(id: string, format: RecordingFormat, normalized: boolean): Promise<RecordingFile> {
    return this.options.recorded.file(id, format, normalized);
  }

  wantRecordingFile(id: string, format: RecordingFormat, normalized: boolean, again: boolean): Promise<WantedFile> {
    return this.options.recorded.want(id, format, normalized, again);
  }

  private memberNamed(room: Room, id: string): Member {
    const { focus, participants } = this.options;
    const member = focus.member(participants.find(room, id));
    if (member === null) throw new ControlError('participant-elsewhere', `${id} has not answered yet`);
    return member;
  }

  private hangUpAll(room: Room, reason: string): void {
    const { rooms, focus, dialOuts } = this.options;
    for (const one of [room, ...rooms.breakoutsOf(room)]) {
      dialOuts.cancelAll(one);
      for (const participant of focus.in(one)) participant.hangUp(reason);
    }
  }

  private find(name: string): Room {
    const room = this.options.rooms.get(roomName(name) ?? '');
    if (!room) throw new ControlError('room-not-found', `there is no room ${name}`);
    return room;
  }

  private viewOf(room: Room): RoomView {
    return room.view(this.options.recorded.latest(room.name));
  }
}

function checkPolicy(policy: RoomPolicy): void {
  const conflict = policyConflict(policy);
  if (conflict) throw new ControlError('room-policy-invalid', `${conflict.member} ${conflict.text}`);
}
