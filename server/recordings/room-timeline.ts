import type { Room, RoomChange } from '../rooms/room.ts';
import type { ParticipantView } from '../rooms/views.ts';
import type { TimelineEntry } from './timeline.ts';

export interface RoomTimelineOptions {
  tell(entry: TimelineEntry): void;
  /** Somebody has come in since it began. */
  entered(participant: ParticipantView): void;
  /** Somebody is recorded who was not before, from the beginning on. */
  recorded(participant: ParticipantView): void;
}

/** Makes the time line of a recording of what changes in its room: who is there, and what they do. */
export class RoomTimeline {
  readonly #room: Room;
  readonly #options: RoomTimelineOptions;
  /** Those who are in, as they were told of last. */
  readonly #present = new Map<string, ParticipantView>();
  readonly #talking = new Set<string>();
  #paused: boolean;

  /** Tells who is there. */
  constructor(room: Room, paused: boolean, options: RoomTimelineOptions) {
    this.#room = room;
    this.#options = options;
    this.#paused = paused;
    options.tell({ type: 'started' });
    for (const participant of room.present) this.#came(participant);
  }

  changed(change: RoomChange): void {
    switch (change.change) {
      case 'participant-joined':
      case 'participant-changed':
        return this.#seen(change.participant);
      case 'participant-left':
        return this.#went(change.participant.id);
      case 'floor-changed':
        return this.#checkTalking();
    }
  }

  /** What is pressed in a pause, or by who may not be recorded, is nobody's business. */
  keyPressed(id: string, key: string): void {
    if (this.#paused || this.#present.get(id)?.recorded !== true) return;
    this.#options.tell({ type: 'key', participant: id, key });
  }

  setPaused(paused: boolean): void {
    if (paused === this.#paused) return;
    this.#paused = paused;
    if (!paused) this.#options.tell({ type: 'resumed' });
    this.#checkTalking();
    if (paused) this.#options.tell({ type: 'paused' });
  }

  #seen(participant: ParticipantView): void {
    const { id } = participant;
    if (!isPresent(participant)) return this.#went(id);
    const before = this.#present.get(id);
    if (before === undefined) {
      this.#came(participant);
      return this.#options.entered(participant);
    }
    this.#present.set(id, participant);
    this.#tellChanges(before, participant);
  }

  #came(participant: ParticipantView): void {
    const { id, displayName, uri, role, muted, deaf, recorded } = participant;
    const { tell } = this.#options;
    this.#present.set(id, participant);
    tell({ type: 'joined', participant: id, name: displayName, uri, role });
    if (recorded) this.#options.recorded(participant);
    else tell({ type: 'recording-off', participant: id });
    if (muted !== null) tell({ type: 'muted', participant: id, by: muted.by });
    if (deaf) tell({ type: 'deaf', participant: id, on: true });
    this.#tellTalking(participant);
  }

  #went(id: string): void {
    if (!this.#present.delete(id)) return;
    if (this.#talking.delete(id)) this.#options.tell({ type: 'talking', participant: id, on: false });
    this.#options.tell({ type: 'left', participant: id });
  }

  #tellChanges(before: ParticipantView, after: ParticipantView): void {
    const { id: participant, displayName: name, muted, deaf, recorded } = after;
    const { tell } = this.#options;
    // Who falls silent does so before the reason is told, and who can be heard again, after it.
    if (!this.#isHeard(after)) this.#tellTalking(after);
    if (before.displayName !== name) tell({ type: 'name', participant, name });
    if (before.recorded !== recorded) tell({ type: recorded ? 'recording-on' : 'recording-off', participant });
    if (recorded && (!before.recorded || before.displayName !== name)) this.#options.recorded(after);
    if (before.muted?.by !== muted?.by) {
      if (muted !== null) tell({ type: 'muted', participant, by: muted.by });
      else if (before.muted !== null) tell({ type: 'unmuted', participant, by: before.muted.by });
    }
    if (before.deaf !== deaf) tell({ type: 'deaf', participant, on: deaf });
    this.#tellTalking(after);
  }

  #checkTalking(): void {
    for (const participant of this.#present.values()) this.#tellTalking(participant);
  }

  #tellTalking(participant: ParticipantView): void {
    const { id } = participant;
    const on = this.#isHeard(participant);
    if (on === this.#talking.has(id)) return;
    if (on) this.#talking.add(id);
    else this.#talking.delete(id);
    this.#options.tell({ type: 'talking', participant: id, on });
  }

  /** Whether they speak, and it is recorded: who whispers, say, is not in the room's mix. */
  #isHeard({ id, talking, muted, speaksTo, recorded }: ParticipantView): boolean {
    return talking && recorded && !this.#paused && muted === null && speaksTo === null && this.#room.maySpeak(id);
  }
}

function isPresent({ state }: ParticipantView): boolean {
  return state === 'connected' || state === 'on-hold';
}
