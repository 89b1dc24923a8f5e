import { MixerError } from './mixer-channel.ts';
import type { Mixer, MixerFleet } from './mixer-fleet.ts';

export interface PlacedRoom {
  readonly mixer: Mixer;
  readonly legs: ReadonlySet<string>;
  /** Whose room is open for it, even without legs. */
  readonly recordings: Set<string>;
}

interface RoomRecord extends PlacedRoom {
  readonly legs: Set<string>;
}

/** Which room is on which mixer: where it was placed first, until nothing is left in it. */
export class PlacedRooms {
  private readonly fleet: Pick<MixerFleet, 'mixers' | 'request'>;
  private readonly byName = new Map<string, RoomRecord>();

  constructor(fleet: Pick<MixerFleet, 'mixers' | 'request'>) {
    this.fleet = fleet;
  }

  get(room: string): PlacedRoom | undefined {
    return this.byName.get(room);
  }

  on(mixer: Mixer): (readonly [string, PlacedRoom])[] {
    return [...this.byName].filter(([, record]) => record.mixer === mixer);
  }

  /** Throws when the room is not open. */
  mixerOf(room: string): Mixer {
    const record = this.byName.get(room);
    if (!record) throw new MixerError('no-such-room', `room ${room} is not open`);
    return record.mixer;
  }

  /** Who places something there must count it at once, as a room without anything is closed. A new one is put `beside`. */
  place(room: string, beside?: Mixer): PlacedRoom {
    const there = this.byName.get(room);
    if (there) return there;
    const mixer = beside ?? this.emptiest();
    if (!mixer) throw new MixerError('mixer-gone', 'no mixer is up');
    const record: RoomRecord = { mixer, legs: new Set(), recordings: new Set() };
    this.byName.set(room, record);
    // Not waited for: the channel keeps the order, so what follows finds the room open, or fails as this did.
    this.fleet.request(mixer, 'openRoom', { room }).catch(() => undefined);
    return record;
  }

  /** Of those that are up, the one with the fewest legs. */
  emptiest(): Mixer | undefined {
    const up = this.fleet.mixers.filter(({ running }) => running !== null);
    const [first, ...others] = up;
    return others.reduce((best, mixer) => (best && mixer.legs < best.legs ? mixer : best), first);
  }

  /** The room is one that was placed. */
  addLeg(room: string, leg: string): void {
    const record = this.byName.get(room);
    if (!record || record.legs.has(leg)) return;
    record.legs.add(leg);
    record.mixer.legs++;
  }

  removeLeg(room: string, leg: string): void {
    const record = this.byName.get(room);
    if (record?.legs.delete(leg)) record.mixer.legs--;
  }

  closeIfEmpty(room: string): void {
    const record = this.byName.get(room);
    if (!record || record.legs.size > 0 || record.recordings.size > 0) return;
    this.byName.delete(room);
    this.fleet.request(record.mixer, 'closeRoom', { room }).catch(() => undefined);
  }

  /** The mixer has ended it by itself. */
  recordingEnded(recording: string): void {
    for (const [room, { recordings }] of this.byName) if (recordings.delete(recording)) this.closeIfEmpty(room);
  }
}
