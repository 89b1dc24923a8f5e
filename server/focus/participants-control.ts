import type { Announcer } from '../ivr/announcer.ts';
import { MixerError } from '../mixers/mixer-channel.ts';
import type { Room } from '../rooms/room.ts';
import { roomName } from '../rooms/room-name.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { ParticipantView } from '../rooms/views.ts';
import { parseUri } from '../sip/message/uri.ts';
import type { ConferenceHost } from './conference-host.ts';
import { ControlError, type NewParticipant, type ParticipantPatch } from './control.ts';
import type { DialOuts } from './dial-outs.ts';
import type { Focus } from './focus.ts';
import type { Moderation } from './moderation.ts';
import type { ParticipantCall } from './participant-call.ts';
import type { Decision } from './participant-controls.ts';

export interface ParticipantsControlOptions {
  readonly rooms: Rooms;
  readonly focus: Focus;
  readonly moderation: Moderation;
  readonly announcer: Announcer;
  readonly dialOuts: DialOuts;
  readonly host: Pick<ConferenceHost, 'admit' | 'refuse'>;
}

/** What is done from outside with single participants. All failures are `ControlError`s. */
export class ParticipantsControl {
  private readonly options: ParticipantsControlOptions;

  constructor(options: ParticipantsControlOptions) {
    this.options = options;
  }

  find(room: Room, id: string): ParticipantCall {
    const participant = this.options.focus.participant(room, id);
    if (!participant) throw new ControlError('participant-not-found', `there is no participant ${id} in ${room.name}`);
    return participant;
  }

  view(room: Room, id: string): ParticipantView {
    const view = room.participant(id);
    if (!view) throw new ControlError('participant-not-found', `there is no participant ${id} in ${room.name}`);
    return view;
  }

  /** Nothing is done when one part of it cannot be. */
  async update(room: Room, id: string, patch: ParticipantPatch): Promise<ParticipantView> {
    const { moderation, host } = this.options;
    const participant = this.find(room, id);
    const target = this.targetOf(participant, patch);
    for (const other of patch.speaksTo ?? []) this.view(room, other);
    // First, as nothing is done where it cannot be.
    if (patch.admitted === true && !host.admit(participant)) {
      throw new ControlError('participant-not-waiting', `${id} does not wait to be let in`);
    }
    const { muted, role, hand } = patch;
    await carryOut(async () => {
      // First, as who becomes a moderator is not muted for having entered.
      if (role !== undefined) await moderation.setRole(participant, role);
      if (muted !== undefined) await moderation.setMuted(participant, muted, 'moderator');
      if (hand !== undefined) moderation.setHand(participant, hand);
      await this.setSoundAndPicture(participant, patch);
      if (target !== null) await participant.moveTo(target);
    });
    return this.view(participant.room, id);
  }

  add(room: Room, participant: NewParticipant): ParticipantView {
    const { uri: text, displayName, role, recorded, video, slides, confirm, retries, retryAfterS } = participant;
    const uri = parseUri(text);
    // A request method and headers in it would be for the one who answers to decide, not for us to send.
    if (uri === null || uri.headers.size > 0 || uri.parameters.has('method')) {
      throw new ControlError('participant-uri-invalid', `${text} is no SIP address that can be called`);
    }
    if (room.full) throw new ControlError('room-full', `${room.name} holds ${room.policy.maxParticipants}`);
    if (this.options.focus.full || this.options.focus.isBusy(room)) {
      throw new ControlError('server-full', 'the server holds no more calls');
    }
    const callee = { uri, displayName, role, recorded, video, slides, confirm };
    return this.options.dialOuts.start(room, callee, { retries, retryAfterS });
  }

  /** Who waits in the lobby is told that a moderator did not let them in. */
  remove(room: Room, id: string, reason: string): void {
    const { dialOuts, host, announcer } = this.options;
    if (dialOuts.waits(room, id)) return void dialOuts.cancel(id);
    const participant = this.find(room, id);
    dialOuts.cancel(id);
    if (host.refuse(participant)) return;
    const { announce, language } = room.policy;
    const isIn = room.present.some((present) => present.id === id);
    if (announce === 'none' || !isIn) participant.hangUp(reason);
    else announcer.say({ leg: id }, language, ['removed'], () => participant.hangUp(reason));
  }

  async muteAll(room: Room, muted: boolean, except: 'moderators' | readonly string[]): Promise<void> {
    const spared = ({ id, controls }: ParticipantCall): boolean =>
      except === 'moderators' ? controls.role === 'moderator' : except.includes(id);
    await carryOut(() => this.options.moderation.muteAll(room, muted, spared));
    const { announce, language } = room.policy;
    if (announce === 'none' || room.present.length === 0) return;
    this.options.announcer.say({ room: room.name }, language, [muted ? 'all-muted' : 'all-unmuted']);
  }

  /** Nobody: the floor is free. */
  async giveFloor(room: Room, ids: readonly string[]): Promise<void> {
    for (const id of ids) this.find(room, id);
    const waiting = ids.find((id) => !room.present.some((present) => present.id === id));
    if (waiting !== undefined) throw new ControlError('participant-elsewhere', `${waiting} has not entered yet`);
    await carryOut(() => this.options.moderation.giveFloor(room, ids));
  }

  private async setSoundAndPicture(participant: ParticipantCall, patch: ParticipantPatch): Promise<void> {
    const { deaf, gainDb, volumeDb, recorded, speaksTo, camera, layout, hideSelf } = patch;
    const decision: Decision = {};
    if (deaf !== undefined) decision.deaf = deaf;
    if (gainDb !== undefined) decision.gainDb = gainDb;
    if (volumeDb !== undefined) decision.volumeDb = volumeDb;
    if (recorded !== undefined) decision.recorded = recorded;
    if (speaksTo !== undefined) decision.speaksTo = speaksTo === null ? null : [...new Set(speaksTo)];
    if (camera !== undefined) decision.camera = camera;
    if (layout !== undefined) decision.layout = layout;
    if (hideSelf !== undefined) decision.hideSelf = hideSelf;
    await participant.decide(decision);
  }

  /** Where they are to be moved; null: they stay. */
  private targetOf(participant: ParticipantCall, { room: name, admitted }: ParticipantPatch): Room | null {
    if (name === undefined) return null;
    const target = this.options.rooms.get(roomName(name) ?? '');
    if (!target) throw new ControlError('room-not-found', `there is no room ${name}`);
    if (target === participant.room) return null;
    if (target.full) throw new ControlError('room-full', `${target.name} holds ${target.policy.maxParticipants}`);
    const isIn = participant.room.present.some(({ id }) => id === participant.id);
    if (!isIn && admitted !== true) {
      throw new ControlError('participant-elsewhere', `${participant.id} has not entered ${participant.room.name} yet`);
    }
    return target;
  }
}

/** What a mixer could not do, in the words of the conference. */
export async function carryOut<T>(change: () => Promise<T>): Promise<T> {
  try {
    return await change();
  } catch (error) {
    if (error instanceof MixerError) throw new ControlError('mixer-unavailable', error.message);
    throw error;
  }
}
