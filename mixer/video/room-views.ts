import type { StreamKey, VideoScene, VideoStreamName } from '../video-protocol.ts';
import type { Tile } from './layout/arrange.ts';
import { Cast } from './layout/cast.ts';
import { hasUnrecorded, recordedScene } from './recorded-scene.ts';
import { RoomView, type View, viewKey } from './room-view.ts';
import type { VideoStream } from './video-stream.ts';

/** Who sees what of a room, and who is where in it. */
export class RoomViews {
  scene: VideoScene;
  private readonly streams: ReadonlyMap<string, VideoStream>;
  private readonly cast = new Cast();
  /** The room without those who may not be recorded; null: all may. */
  private recorded: { scene: VideoScene; cast: Cast } | null = null;
  /** By `viewKey`; each is painted in one size or more. */
  private readonly views = new Map<string, RoomView>();
  /** Whose cameras moderators have turned off. */
  private turnedOff: ReadonlySet<string> = new Set();

  /** @param streams of the room, by `streamKey` */
  constructor(scene: VideoScene, streams: ReadonlyMap<string, VideoStream>) {
    this.scene = scene;
    this.streams = streams;
    this.sceneChanged(scene);
  }

  sceneChanged(scene: VideoScene): void {
    this.scene = scene;
    const cast = this.recorded?.cast ?? new Cast();
    this.turnedOff = new Set(scene.participants.filter(({ camera }) => !camera).map(({ leg }) => leg));
    this.recorded = hasUnrecorded(scene) ? { scene: recordedScene(scene), cast } : null;
  }

  /** For each picture. @param isRecorded somebody needs the view of the recording */
  update(isRecorded: boolean, nowMs: number): void {
    const withPicture = new Set<string>();
    for (const { key, incoming } of this.streams.values()) {
      if (key.stream === 'main' && incoming.isSeen) withPicture.add(key.leg);
    }
    this.cast.update(this.scene, withPicture, nowMs);
    if (isRecorded) this.recorded?.cast.update(this.recorded.scene, withPicture, nowMs);
    for (const view of this.views.values()) this.updateView(view);
  }

  of(view: View): RoomView {
    const key = viewKey(view);
    let found = this.views.get(key);
    if (found === undefined) {
      found = new RoomView(view);
      this.updateView(found);
      this.views.set(key, found);
    }
    return found;
  }

  /** All others are forgotten. */
  keep(used: ReadonlySet<RoomView>): void {
    for (const [key, view] of this.views) if (!used.has(view)) this.views.delete(key);
  }

  /** As one sees it who has chosen nothing for themselves. */
  get own(): View {
    const { layout, slides } = this.scene;
    return { layout, without: null, slides: slides === null ? 'none' : 'beside', waiting: false };
  }

  /** The same, as long as all may be recorded: then both have one encoder. */
  get forRecording(): View {
    return this.recorded === null ? this.own : { ...this.own, forRecording: true };
  }

  /** What a stream is to be sent; null: nothing. */
  seenBy({ key: { leg, stream } }: VideoStream): View | null {
    const { layout, slides, participants } = this.scene;
    const participant = participants.find((candidate) => candidate.leg === leg);
    if (stream === 'slides') {
      const shown = participant !== undefined && slides !== null && slides !== leg;
      return shown ? { layout, without: null, slides: 'apart', waiting: false } : null;
    }
    if (participant === undefined) return { layout, without: null, slides: 'none', waiting: true };
    const ownSlides = this.streams.get(streamKey({ leg, stream: 'slides' }))?.mayBeSent ?? false;
    return {
      layout: participant.layout ?? layout,
      without: participant.hideSelf ? leg : null,
      slides: slides === null || (ownSlides && slides !== leg) ? 'none' : 'beside',
      waiting: false,
    };
  }

  /** The stream that is in a tile; null: that of a card, or of a camera that is turned off. */
  streamIn({ leg, kind }: Tile): VideoStream | null {
    if (leg === null || (kind === 'camera' && this.turnedOff.has(leg))) return null;
    return this.streams.get(streamKey({ leg, stream: streamOf(kind) })) ?? null;
  }

  /** Slides that are shown: their stream has to be decoded before it is known which place they need. */
  get slides(): VideoStream | null {
    const { slides } = this.scene;
    return slides === null ? null : (this.streams.get(streamKey({ leg: slides, stream: 'slides' })) ?? null);
  }

  private updateView(view: RoomView): void {
    const recorded = view.view.forRecording ? this.recorded : null;
    const size = this.slides?.incoming.size ?? null;
    const aspect = size === null ? null : size.width / size.height;
    view.update(recorded?.scene ?? this.scene, recorded?.cast ?? this.cast, aspect);
  }
}

export function streamKey({ leg, stream }: StreamKey): string {
  return `${leg}/${stream}`;
}

function streamOf(kind: Tile['kind']): VideoStreamName {
  return kind === 'slides' ? 'slides' : 'main';
}
