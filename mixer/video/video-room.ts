import type { VideoMixerEvent, VideoRecordingToStart, VideoScene } from '../video-protocol.ts';
import { Composition } from './composition.ts';
import type { Engine } from './engine/engine.ts';
import type { PictureScaler } from './engine/picture-scaler.ts';
import type { EncoderSpeed } from './engine/video-encoder.ts';
import type { Texts } from './paint/texts.ts';
import { PictureRecordings } from './picture-recordings.ts';
import { NO_LIMITS, type Tier, tiersOf } from './picture-tiers.ts';
import { type View, viewKey } from './room-view.ts';
import { RoomViews, streamKey } from './room-views.ts';
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
  /** 0 to 1: where between two frames of others the room has its own, so that the work is even. */
  phase: number;
  now(): number;
  /** There is something to be sent. */
  wake(): void;
  tell(event: VideoMixerEvent): void;
}

/** The pictures of a room: whose are decoded, how they are put together, and who is sent which. */
export class VideoRoom {
  private readonly options: VideoRoomOptions;
  private readonly streams = new Map<string, VideoStream>();
  private readonly views: RoomViews;
  private readonly compositions = new Map<string, Composition>();
  private readonly speed = new SpeedByLoad();
  private readonly recorder: PictureRecordings;
  private readonly snapshot: Snapshot;
  private frames = 0;
  private nextFrameMs: number;
  private assignMs = 0;
  /** Of the present frame: still to be painted. */
  private due: Composition[] = [];

  constructor(options: VideoRoomOptions) {
    const { scene, engine, texts, phase } = options;
    this.options = options;
    this.views = new RoomViews(scene, this.streams);
    this.nextFrameMs = options.now() + (phase * 1000) / scene.fps;
    this.recorder = new PictureRecordings(options.tell);
    this.snapshot = new Snapshot({
      ...{ engine, texts },
      view: () => this.views.of(this.views.own),
      compose: (tier) => this.newComposition(this.views.own, tier),
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

  /** Of its encoders: see `VideoMixerStatistics.effort`. */
  get effort(): number {
    return this.speed.effort;
  }

  update(scene: VideoScene): void {
    this.views.sceneChanged(scene);
    this.assignMs = 0;
  }

  add(stream: VideoStream): void {
    this.streams.set(streamKey(stream.key), stream);
    this.assignMs = 0;
  }

  remove(stream: VideoStream): void {
    this.streams.delete(streamKey(stream.key));
    stream.viewer.leave();
    stream.incoming.setWanted(false, 0, this.options.now());
    this.assignMs = 0;
  }

  /** Something of a stream was agreed anew. */
  streamUpdated(): void {
    this.assignMs = 0;
  }

  loadMeasured(cores: number): void {
    this.speed.measured(cores);
  }

  /** Makes what is due of a frame. What is not done by `untilMs` waits for the next call, of which each does something. */
  run(nowMs: number, untilMs: number): void {
    if (nowMs >= this.nextFrameMs) this.beginFrame(nowMs);
    do this.due.shift()?.frame(nowMs);
    while (this.due.length > 0 && this.options.now() < untilMs);
  }

  /** When there is something to make again. */
  get nextMs(): number {
    return this.due.length > 0 ? Number.NEGATIVE_INFINITY : this.nextFrameMs;
  }

  /** What the room looks like now, for who only looks at it: JPEG, base64. Rejects with a `MixerFailure`. */
  jpeg(width: number): Promise<string> {
    return this.snapshot.take(width, this.views.scene.canvas, this.options.now());
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

  private beginFrame(nowMs: number): void {
    const { counts } = this.options;
    const everyMs = 1000 / this.views.scene.fps;
    const late = Math.floor((nowMs - this.nextFrameMs) / everyMs);
    counts.framesSkipped += late + this.due.length;
    this.frames += late + 1;
    this.nextFrameMs += (late + 1) * everyMs;
    this.views.update(this.recorder.count > 0, nowMs);
    if (nowMs >= this.assignMs) this.assign(nowMs);
    this.due = [...this.compositions.values()].filter(({ tier }) => late > 0 || this.frames % tier.everyNth === 0);
    this.wantStreams(nowMs);
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
        } else encoder.adaptBitrate(nowMs);
      }
      if (composition.encoders.size > 0) continue;
      composition.close();
      this.compositions.delete(key);
    }
    this.views.keep(new Set(this.shown(nowMs).map(({ view }) => view)));
  }

  private assignViewer(stream: VideoStream, nowMs: number): void {
    const { viewer } = stream;
    const view = stream.mayBeSent ? this.views.seenBy(stream) : null;
    if (view === null) return viewer.leave();
    const { canvas, fps } = this.views.scene;
    const { media } = stream;
    const tier = viewer.tier(tiersOf(canvas, fps, media!.limits), nowMs);
    viewer.watch(this.encoderFor(view, tier, encoderFormat(media!.send)));
  }

  private assignRecorder(): void {
    const { canvas, fps } = this.views.scene;
    const [tier] = tiersOf(canvas, fps, NO_LIMITS);
    const encoder =
      this.recorder.count === 0 ? null : this.encoderFor(this.views.forRecording, tier!, PictureRecordings.format);
    this.recorder.record(encoder);
  }

  private encoderFor(view: View, tier: Tier, format: EncoderFormat): SharedEncoder {
    const key = `${viewKey(view)}/${tier.width}x${tier.height}/${tier.everyNth}/${tier.fps}`;
    let composition = this.compositions.get(key);
    if (composition === undefined) {
      composition = this.newComposition(view, tier);
      this.compositions.set(key, composition);
    }
    const { engine, counts, wake } = this.options;
    const speed = (): EncoderSpeed => this.speed.speed;
    return composition.encoder(format, () => new SharedEncoder({ engine, counts, format, tier, speed, encoded: wake }));
  }

  private newComposition(view: View, tier: Tier): Composition {
    const { engine, scaler, texts, counts } = this.options;
    return new Composition({
      ...{ engine, scaler, texts, counts, tier, view: this.views.of(view) },
      scene: () => this.views.scene,
      picture: (tile, nowMs) => this.views.streamIn(tile)?.incoming.pictureAt(nowMs) ?? null,
    });
  }

  /** All compositions that somebody sees. */
  private shown(nowMs: number): Composition[] {
    const looked = this.snapshot.inUse(nowMs);
    return looked === null ? [...this.compositions.values()] : [...this.compositions.values(), looked];
  }

  /** Only what somebody sees is decoded; and of its sender no more is asked than its place needs. */
  private wantStreams(nowMs: number): void {
    const pixels = new Map<VideoStream, number>();
    const shown = this.shown(nowMs);
    for (const tile of shown.flatMap(({ tiles }) => tiles)) {
      const stream = this.views.streamIn(tile);
      if (stream !== null) pixels.set(stream, Math.max(pixels.get(stream) ?? 0, tile.width * tile.height));
    }
    const { width, height } = this.views.scene.canvas;
    for (const stream of this.streams.values()) {
      // That there are slides is known by their first picture; who is shown is decided by that.
      if (stream.key.stream === 'slides' && stream.incoming.size === null) pixels.set(stream, width * height);
      stream.incoming.setWanted(pixels.has(stream), pixels.get(stream) ?? 0, nowMs);
    }
  }
}
