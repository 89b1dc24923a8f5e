import type { RoomPolicy } from './policy.ts';
import { Presenter } from './presenter.ts';
import type { ParticipantView, RecordingFlag, RecordingView, RoomView } from './views.ts';

/** What changed in a room, for whoever shows it. */
export type RoomChange =
  | { change: 'room-opened' | 'room-changed' | 'room-closed' }
  | { change: 'participant-joined' | 'participant-changed' | 'participant-left'; participant: ParticipantView }
  | { change: 'floor-changed'; floor: string[] }
  | { change: 'speaker-changed'; activeSpeaker: string | null }
  | ({ change: 'stage-changed' } & RoomStage)
  | { change: RecordingChange; recording: RecordingView };

/** Who is where in the picture; see `RoomView`. */
export interface RoomStage {
  spotlight: string[];
  places: (string | null)[];
  presenter: string | null;
}

/** Something of a recording is other than before; all files that were wanted of it are there; it is gone with its files. */
export type RecordingChange = 'recording-changed' | 'recording-ready' | 'recording-removed';

export type RoomListener = (room: Room, change: RoomChange) => void;

/**
 * The state of one room: plain data with a version that goes up by one with every change. Nothing happens in here:
 * the focus carries out what a change means for calls and media.
 */
export class Room {
  readonly name: string;
  readonly origin: RoomView['origin'];
  readonly breakoutOf: string | null;
  private policyNow: RoomPolicy;
  private versionNow = 0;
  private floorNow: readonly string[] = [];
  private activeSpeakerNow: string | null = null;
  private stageNow: RoomStage = { spotlight: [], places: [], presenter: null };
  private running: RecordingView | null = null;
  private readonly presenter = new Presenter();
  private readonly participantsById = new Map<string, ParticipantView>();
  private readonly listener: RoomListener;

  constructor(
    name: string,
    origin: RoomView['origin'],
    policy: RoomPolicy,
    listener: RoomListener,
    breakoutOf: string | null = null,
  ) {
    this.name = name;
    this.origin = origin;
    this.breakoutOf = breakoutOf;
    this.policyNow = policy;
    this.listener = listener;
  }

  get policy(): RoomPolicy {
    return this.policyNow;
  }

  get version(): number {
    return this.versionNow;
  }

  get size(): number {
    return this.participantsById.size;
  }

  get full(): boolean {
    return this.size >= this.policyNow.maxParticipants;
  }

  /** Those who have entered: who is asked for a PIN or waits is not among them. */
  get present(): ParticipantView[] {
    return this.participants.filter(({ state }) => state === 'connected' || state === 'on-hold');
  }

  participant(id: string): ParticipantView | undefined {
    return this.participantsById.get(id);
  }

  get participants(): ParticipantView[] {
    return [...this.participantsById.values()];
  }

  join(participant: ParticipantView): void {
    this.participantsById.set(participant.id, participant);
    this.changed({ change: 'participant-joined', participant });
    this.slidesTold(participant);
  }

  /** Does nothing when all of it is so already, or the participant has gone. */
  change(id: string, patch: Partial<ParticipantView>): ParticipantView | undefined {
    const before = this.participantsById.get(id);
    if (!before || !differs(before, patch)) return before;
    const participant = { ...before, ...patch };
    this.participantsById.set(id, participant);
    this.changed({ change: 'participant-changed', participant });
    this.slidesTold(participant);
    return participant;
  }

  /** Levels are measured, not decided: they do not make a new version. */
  measured(id: string, levelDb: number): void {
    const before = this.participantsById.get(id);
    if (before) this.participantsById.set(id, { ...before, levelDb });
  }

  /** Who leaves loses the floor first, speaks no more and has no place in the picture: what is told never names one who is not there. */
  leave(id: string): ParticipantView | undefined {
    const participant = this.participantsById.get(id);
    if (!participant) return undefined;
    this.giveFloor(this.floorNow.filter((holder) => holder !== id));
    if (this.activeSpeakerNow === id) this.setActiveSpeaker(null);
    this.leaveStage(id);
    this.participantsById.delete(id);
    this.changed({ change: 'participant-left', participant });
    return participant;
  }

  changePolicy(patch: Partial<RoomPolicy>): void {
    if (!differs(this.policyNow, patch)) return;
    this.policyNow = { ...this.policyNow, ...patch };
    this.changed({ change: 'room-changed' });
  }

  /** Those who are heard by all; none: all are. */
  get floor(): readonly string[] {
    return this.floorNow;
  }

  get activeSpeaker(): string | null {
    return this.activeSpeakerNow;
  }

  /** Whether all may hear this one, as far as the floor goes. */
  maySpeak(id: string): boolean {
    return this.floorNow.length === 0 || this.floorNow.includes(id);
  }

  /** Only these are heard by all from now on; nobody: the floor is free. Who is not there does not get it. */
  giveFloor(ids: readonly string[]): void {
    const floor = [...new Set(ids)].filter((id) => this.participantsById.has(id));
    if (String(floor) === String(this.floorNow)) return;
    this.floorNow = floor;
    this.changed({ change: 'floor-changed', floor: [...floor] });
  }

  /** Null: nobody speaks. One who is not there never does. */
  setActiveSpeaker(id: string | null): void {
    if (id === this.activeSpeakerNow || (id !== null && !this.participantsById.has(id))) return;
    this.activeSpeakerNow = id;
    this.changed({ change: 'speaker-changed', activeSpeaker: id });
  }

  get stage(): RoomStage {
    return this.stageNow;
  }

  /** Who among those who ask for it may show slides; null: nobody, or somebody else took it by beginning to. */
  get slidesFloor(): string | null {
    return this.presenter.floor;
  }

  /** Null: it is taken from whoever has it. */
  giveSlidesFloor(id: string | null): void {
    if (id === null || this.participantsById.has(id)) this.presenter.giveFloor(id);
    this.showPresenter();
  }

  /** Whether this one shows slides only while having their floor; at first they do without. */
  setAsksForSlides(id: string, asks: boolean): void {
    if (this.participantsById.has(id)) this.presenter.asksFirst(id, asks);
    this.showPresenter();
  }

  /** Who is not there gets no place. */
  setStage({ spotlight, places }: Partial<Pick<RoomStage, 'spotlight' | 'places'>>): void {
    const isHere = (id: string): boolean => this.participantsById.has(id);
    const stage = { ...this.stageNow };
    if (spotlight !== undefined) stage.spotlight = [...new Set(spotlight)].filter(isHere);
    if (places !== undefined) stage.places = onlyOnce(places.map((id) => (id !== null && isHere(id) ? id : null)));
    this.replaceStage(stage);
  }

  /** Whether a recording runs; there is one at a time. */
  get recording(): RecordingFlag {
    if (this.running === null) return 'off';
    return this.running.state === 'paused' ? 'paused' : 'recording';
  }

  recordingTold(change: RecordingChange, recording: RecordingView): void {
    const runs = recording.state === 'recording' || recording.state === 'paused';
    if (runs) this.running = recording;
    else if (this.running?.id === recording.id) this.running = null;
    this.changed({ change, recording });
  }

  view(recordings: RecordingView[]): RoomView {
    const { pin, moderatorPin, ...policy } = this.policyNow;
    return {
      name: this.name,
      origin: this.origin,
      breakoutOf: this.breakoutOf,
      ...policy,
      pinRequired: pin !== null,
      moderatorPinSet: moderatorPin !== null,
      floor: [...this.floorNow],
      activeSpeaker: this.activeSpeakerNow,
      ...this.stageNow,
      recording: this.recording,
      version: this.versionNow,
      participants: this.participants,
      recordings,
    };
  }

  private slidesTold({ id, video }: ParticipantView): void {
    this.presenter.told(id, video?.slides ?? false);
    this.showPresenter();
  }

  private showPresenter(): void {
    const presenter = this.presenter.current;
    if (presenter !== this.stageNow.presenter) this.replaceStage({ ...this.stageNow, presenter });
  }

  private leaveStage(id: string): void {
    this.presenter.left(id);
    const { spotlight, places } = this.stageNow;
    this.replaceStage({
      spotlight: spotlight.filter((other) => other !== id),
      places: places.map((other) => (other === id ? null : other)),
      presenter: this.presenter.current,
    });
  }

  private replaceStage(stage: RoomStage): void {
    if (!differs(this.stageNow, stage)) return;
    this.stageNow = stage;
    this.changed({ change: 'stage-changed', ...stage });
  }

  private changed(change: RoomChange): void {
    this.versionNow++;
    this.listener(this, change);
  }
}

function differs<T extends object>(before: T, patch: Partial<T>): boolean {
  return (Object.keys(patch) as (keyof T)[]).some((key) => JSON.stringify(before[key]) !== JSON.stringify(patch[key]));
}

/** Nobody can be at two places; the first one counts. */
function onlyOnce(places: readonly (string | null)[]): (string | null)[] {
  return places.map((id, index) => (id !== null && places.indexOf(id) < index ? null : id));
}
