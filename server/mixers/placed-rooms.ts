import { isLost, MixerError } from './mixer-channel.ts';

/** What is to be known of a mixer for placing rooms on it. */
export interface Placeable {
  /** Null: it is being started again. */
  readonly running: unknown;
  /** How many are in the rooms that are placed on it. */
  legs: number;
}

export interface PlacedRoom<M extends Placeable> {
  readonly mixer: M;
  /** Legs, or streams. */
  readonly legs: ReadonlySet<string>;
  /** Whose room is open for it, even without legs. */
  readonly recordings: Set<string>;
}

interface RoomRecord<M extends Placeable> extends PlacedRoom<M> {
  readonly legs: Set<string>;
}

export interface PlacedRoomsOptions<M extends Placeable> {
  readonly mixers: readonly M[];
  open(mixer: M, room: string): Promise<unknown>;
  close(mixer: M, room: string): Promise<unknown>;
}

/** Which room is on which mixer: where it was placed first, until nothing is left in it. */
export class PlacedRooms<M extends Placeable> {
  private readonly options: PlacedRoomsOptions<M>;
  private readonly byName = new Map<string, RoomRecord<M>>();

  constructor(options: PlacedRoomsOptions<M>) {
    this.options = options;
  }

  get(room: string): PlacedRoom<M> | undefined {
    return this.byName.get(room);
  }

  on(mixer: M): (readonly [string, PlacedRoom<M>])[] {
    return [...this.byName].filter(([, record]) => record.mixer === mixer);
  }

  /** Throws when the room is not open. */
  mixerOf(room: string): M {
    const record = this.byName.get(room);
    if (!record) throw new MixerError('no-such-room', `room ${room} is not open`);
    return record.mixer;
  }

  /** Who places something there must count it at once, as a room without anything is closed. A new one is put `beside`. */
  place(room: string, beside?: M): PlacedRoom<M> {
    const there = this.byName.get(room);
    if (there) return there;
    const mixer = beside ?? this.emptiest();
    if (!mixer) throw new MixerError('mixer-gone', 'no mixer is up');
    const record: RoomRecord<M> = { mixer, legs: new Set(), recordings: new Set() };
    this.byName.set(room, record);
    // Not waited for: the channel keeps the order, so what follows finds the room open, or fails as this did.
    this.options.open(mixer, room).catch(() => undefined);
    return record;
  }

  /** Of those that are up, the one with the fewest legs. */
  emptiest(): M | undefined {
    const up = this.options.mixers.filter(({ running }) => running !== null);
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

  /**
   * To another room of the same mixer, as one is that is not open yet. `elsewhere`: the room is on another, and nothing
   * was done. When `tell` rejects, all is as before, and so does this.
   *
   * @param record of the leg, which has its room
   * @param roomNow of the leg, as long as it is there
   */
  async move(
    leg: string,
    record: { room: string },
    room: string,
    { tell, roomNow }: { tell(): Promise<void>; roomNow(): string | undefined },
  ): Promise<'moved' | 'elsewhere'> {
    const before = record.room;
    if (room === before) return 'moved';
    const mixer = this.mixerOf(before);
    if (this.place(room, mixer).mixer !== mixer) return 'elsewhere';
    // Counted in both as long as it may be in either, so that none is closed under it.
    this.addLeg(room, leg);
    record.room = room;
    try {
      await tell();
    } catch (error) {
      if (record.room === room && roomNow() === room) record.room = before;
      throw error;
    } finally {
      for (const name of [before, room]) {
        if (roomNow() === name) continue;
        this.removeLeg(name, leg);
        this.closeIfEmpty(name);
      }
    }
    return 'moved';
  }

  closeIfEmpty(room: string): void {
    const record = this.byName.get(room);
    if (!record || record.legs.size > 0 || record.recordings.size > 0) return;
    this.byName.delete(room);
    this.options.close(record.mixer, room).catch(() => undefined);
  }

  /** Keeps the room open for a recording, from before `start` is asked for it. When the mixer dies, that is told anew. */
  async startRecording<T>(room: string, recording: string, start: (mixer: M) => Promise<T>): Promise<T> {
    const { mixer, recordings } = this.place(room);
    recordings.add(recording);
    try {
      return await start(mixer);
    } catch (error) {
      if (isLost(error)) throw error;
      recordings.delete(recording);
      this.closeIfEmpty(room);
      throw error;
    }
  }

  /** The mixer where it runs. Throws when it does not. */
  recordingIn(room: string, recording: string): M {
    const record = this.byName.get(room);
    if (!record?.recordings.has(recording)) throw new MixerError('no-such-recording', 'it is not being recorded');
    return record.mixer;
  }

  async stopRecording<T>(room: string, recording: string, stop: (mixer: M) => Promise<T>): Promise<T> {
    const mixer = this.recordingIn(room, recording);
    this.byName.get(room)?.recordings.delete(recording);
    try {
      return await stop(mixer);
    } finally {
      this.closeIfEmpty(room);
    }
  }

  /** They have ended with the process that had them. */
  loseRecordings(mixer: M): { room: string; recording: string }[] {
    const lost: { room: string; recording: string }[] = [];
    for (const [room, { recordings }] of this.on(mixer)) {
      for (const recording of recordings) lost.push({ room, recording });
      recordings.clear();
    }
    return lost;
  }

  /** The mixer has ended it by itself. */
  recordingEnded(recording: string): void {
    for (const [room, { recordings }] of this.byName) if (recordings.delete(recording)) this.closeIfEmpty(room);
  }
}
