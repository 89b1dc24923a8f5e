import type {
  StreamKey,
  VideoMixerEvent,
  VideoRecordingToStart,
  VideoScene,
  VideoStreamName,
} from '../video-protocol.ts';
import { Composition } from './composition.ts';
import type { Engine } from './engine/engine.ts';
import type { Picture } from './engine/picture.ts';
import type { PictureScaler } from './engine/picture-scaler.ts';
import type { EncoderSpeed } from './engine/video-encoder.ts';
import type { Tile } from './layout/arrange.ts';
import { Cast } from './layout/cast.ts';
import type { Texts } from './paint/texts.ts';
import { PictureRecordings } from './picture-recordings.ts';
import { type Tier, tiersOf } from './picture-tiers.ts';
import { hasUnrecorded, recordedScene } from './recorded-scene.ts';
import { RoomView, type View, viewKey } from './room-view.ts';
import { type EncoderFormat, encoderFormat, SharedEncoder } from './shared-encoder.ts';
import { Snapshot } from './snapshot.ts';
import { SpeedByLoad } from './speed-by-load.ts';
import type { VideoCounts } from './video-counts.ts';
import type { VideoStream } from './video-stream.ts';

/** Who sees what is looked at again this often, and at once when the scene changes. */
const ASSIGN_EVERY_MS = 200;

export interface VideoRoomOptions {
  engine: Engine;
  /** Of the process. */
  scaler: PictureScaler;
  texts: Texts;
  counts: VideoCounts;
  scene: VideoScene;
  now(): number;
  tell(event: VideoMixerEvent): void;
}

/** The pictures of a room: whose are decoded, how they are put together, and who is sent which. */
export class VideoRoom {
  private readonly options: VideoRoomOptions;
  private scene: VideoScene;
  private readonly cast = new Cast();
  /** The room without those who may not be recorded; null: all may. */
  private recorded: { scene: VideoScene; cast: Cast } | null = null;
  private readonly streams = new Map<string, VideoStream>();
  /** By `viewKey`; each is painted in one size or more. */
  private readonly views = new Map<string, RoomView>();
  private readonly compositions = new Map<string, Composition>();
  private readonly speed = new SpeedByLoad();
  private readonly recorder: PictureRecordings;
  private readonly snapshot: Snapshot;
  private frames = 0;
  private nextFrameMs: number;
  private assignMs = 0;

  constructor(options: VideoRoomOptions) {
    this.options = options;
    this.scene = options.scene;
    this.leaveOutUnrecorded();
    this.nextFrameMs = options.now();
    this.recorder = new PictureRecordings(options.tell);
    this.snapshot = new Snapshot({
      engine: options.engine,
      texts: options.texts,
      view: () => this.roomView(this.ownView),
      compose: (tier) => this.newComposition(this.ownView, tier),
    });
  }

  get encoders(): number {
    let count = 0;
    for (const composition of this.compositions.values()) count += composition.encoders.size;
    return count;
  }

  get recordings(): number {
    return this.recorder.count;
  }

  update(scene: VideoScene): void {
    this.scene = scene;
    this.leaveOutUnrecorded();
    this.assignMs = 0;
  }

  add(stream: VideoStream): void {
    this.streams.set(keyOf(stream.key), stream);
    this.assignMs = 0;
  }

  remove(stream: VideoStream): void {
    this.streams.delete(keyOf(stream.key));
    stream.viewer.leave();
    stream.setWanted(false, 0, this.options.now());
    this.assignMs = 0;
  }

  loadMeasured(cores: number): void {
    this.speed.measured(cores);
  }

  /** A frame, when it is due. */
  run(nowMs: number): void {
    if (nowMs < this.nextFrameMs) return;
    const everyMs = 1000 / this.scene.fps;
    const late = Math.floor((nowMs - this.nextFrameMs) / everyMs);
    this.options.counts.framesSkipped += late;
    this.frames += late + 1;
    this.nextFrameMs += (late + 1) * everyMs;
    this.updateViews(nowMs);
    if (nowMs >= this.assignMs) this.assign(nowMs);
    for (const composition of this.compositions.values()) {
      if (this.frames % composition.tier.everyNth === 0 || late > 0) composition.frame(nowMs);
    }
    this.wantStreams(nowMs);
  }

  /** What the room looks like now, for who only looks at it: JPEG, base64. */
  jpeg(width: number): Promise<string> {
    return this.snapshot.take(width, this.scene.canvas, this.options.now());
  }

  startRecording(params: VideoRecordingToStart): Promise<void> {
    this.assignMs = 0;
    return this.recorder.start(params);
  }

  isRecording(recording: string): boolean {
    return this.recorder.has(recording);
  }

  pauseRecording(recording: string, paused: boolean, originMs: number): void {
    this.recorder.pause(recording, paused, originMs);
  }

  stopRecording(recording: string): Promise<{ bytes: number }> {
    return this.recorder.stop(recording);
  }

  /** Settled when its recordings are on the disk. */
  async close(): Promise<void> {
    for (const stream of this.streams.values()) stream.viewer.leave();
    for (const composition of this.compositions.values()) composition.close();
    this.compositions.clear();
    this.snapshot.close();
    await this.recorder.close();
  }

  private updateViews(nowMs: number): void {
    const withPicture = new Set<string>();
    for (const { key, sendsPictures } of this.streams.values()) {
      if (key.stream === 'main' && sendsPictures) withPicture.add(key.leg);
    }
    this.cast.update(this.scene, withPicture, nowMs);
    if (this.recorder.count > 0) this.recorded?.cast.update(this.recorded.scene, withPicture, nowMs);
    for (const view of this.views.values()) this.updateView(view);
  }

  private updateView(view: RoomView): void {
    const recorded = view.view.forRecording ? this.recorded : null;
    view.update(recorded?.scene ?? this.scene, recorded?.cast ?? this.cast, this.slidesAspect());
  }

  private leaveOutUnrecorded(): void {
    const cast = this.recorded?.cast ?? new Cast();
    this.recorded = hasUnrecorded(this.scene) ? { scene: recordedScene(this.scene), cast } : null;
  }

  /** Gives each viewer the composition and the encoder that fits, and closes what nobody needs any more. */
  private assign(nowMs: number): void {
    this.assignMs = nowMs + ASSIGN_EVERY_MS;
    for (const stream of this.streams.values()) this.assignViewer(stream, nowMs);
    this.assignRecorder();
    for (const [key, composition] of this.compositions) {
      for (const [format, encoder] of composition.encoders) {
        if (encoder.unused) {
          encoder.close();
          composition.encoders.delete(format);
        } else encoder.adaptBitrate();
      }
      if (composition.encoders.size > 0) continue;
      composition.close();
      this.compositions.delete(key);
    }
    this.forgetViews(nowMs);
  }

  private forgetViews(nowMs: number): void {
    const used = new Set([...this.compositions.values()].map(({ view }) => view));
    const looked = this.snapshot.inUse(nowMs);
    if (looked !== null) used.add(looked.view);
    for (const [key, view] of this.views) if (!used.has(view)) this.views.delete(key);
  }

  private assignViewer(stream: VideoStream, nowMs: number): void {
    const { viewer } = stream;
    const view = stream.mayBeSent ? this.viewOf(stream) : null;
    if (view === null) return viewer.leave();
    const { canvas, fps } = this.scene;
    const { media } = stream;
    const tier = viewer.tier(tiersOf(canvas, fps, media!.limits.maxFps), nowMs);
    viewer.watch(this.encoderFor(view, tier, encoderFormat(media!.send)));
  }

  private assignRecorder(): void {
    const [tier] = tiersOf(this.scene.canvas, this.scene.fps, this.scene.fps);
    const encoder =
      this.recorder.count === 0 ? null : this.encoderFor(this.recordedView, tier!, PictureRecordings.format);
    this.recorder.record(encoder);
  }

  private encoderFor(view: View, tier: Tier, format: EncoderFormat): SharedEncoder {
    const key = `${viewKey(view)}/${tier.width}x${tier.height}/${tier.everyNth}`;
    let composition = this.compositions.get(key);
    if (composition === undefined) {
      composition = this.newComposition(view, tier);
      this.compositions.set(key, composition);
    }
    const { engine, counts } = this.options;
    const speed = (): EncoderSpeed => this.speed.speed;
    return composition.encoder(format, () => new SharedEncoder({ engine, counts, format, tier, speed }));
  }

  private newComposition(view: View, tier: Tier): Composition {
    const { engine, scaler, texts, counts } = this.options;
    return new Composition({
      ...{ engine, scaler, texts, counts, tier, view: this.roomView(view) },
      scene: () => this.scene,
      picture: (tile, nowMs) => this.pictureOf(tile, nowMs),
    });
  }

  private roomView(view: View): RoomView {
    const key = viewKey(view);
    let found = this.views.get(key);
    if (found === undefined) {
      found = new RoomView(view);
      this.updateView(found);
      this.views.set(key, found);
    }
    return found;
  }

  /** As one sees it who has chosen nothing for themselves. */
  private get ownView(): View {
    const { layout, slides } = this.scene;
    return { layout, without: null, slides: slides === null ? 'none' : 'beside', waiting: false };
  }

  /** The same, as long as all may be recorded: then both have one encoder. */
  private get recordedView(): View {
    return this.recorded === null ? this.ownView : { ...this.ownView, forRecording: true };
  }

  /** What a stream is to be sent; null: nothing. */
  private viewOf({ key: { leg, stream } }: VideoStream): View | null {
    const { layout, slides, participants } = this.scene;
    const participant = participants.find((candidate) => candidate.leg === leg);
    if (stream === 'slides') {
      const shown = participant !== undefined && slides !== null && slides !== leg;
      return shown ? { layout, without: null, slides: 'apart', waiting: false } : null;
    }
    if (participant === undefined) return { layout, without: null, slides: 'none', waiting: true };
    const ownSlides = this.streams.get(keyOf({ leg, stream: 'slides' }))?.mayBeSent ?? false;
    return {
      layout: participant.layout ?? layout,
      without: participant.hideSelf ? leg : null,
      slides: slides === null || (ownSlides && slides !== leg) ? 'none' : 'beside',
      waiting: false,
    };
  }

  private pictureOf({ leg, kind }: Tile, nowMs: number): Picture | null {
    if (leg === null) return null;
    return this.streams.get(keyOf({ leg, stream: streamOf(kind) }))?.pictureAt(nowMs) ?? null;
  }

  private slidesAspect(): number | null {
    const { slides } = this.scene;
    const size = slides === null ? null : this.streams.get(keyOf({ leg: slides, stream: 'slides' }))?.pictureSize;
    return size ? size.width / size.height : null;
  }

  /** Only what somebody sees is decoded; and of its sender no more is asked than its place needs. */
  private wantStreams(nowMs: number): void {
    const pixels = new Map<string, number>();
    const add = (composition: Composition): void => {
      for (const { leg, kind, width, height } of composition.tiles) {
        if (leg === null) continue;
        const key = keyOf({ leg, stream: streamOf(kind) });
        pixels.set(key, Math.max(pixels.get(key) ?? 0, width * height));
      }
    };
    for (const composition of this.compositions.values()) add(composition);
    const looked = this.snapshot.inUse(nowMs);
    if (looked !== null) add(looked);
    for (const [key, stream] of this.streams) stream.setWanted(pixels.has(key), pixels.get(key) ?? 0, nowMs);
  }
}

function keyOf({ leg, stream }: StreamKey): string {
  return `${leg}/${stream}`;
}

function streamOf(kind: Tile['kind']): VideoStreamName {
  return kind === 'slides' ? 'slides' : 'main';
}
