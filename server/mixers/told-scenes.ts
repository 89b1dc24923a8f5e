import type { VideoScene } from '../../mixer/video-protocol.ts';
import type { Timers } from '../timers.ts';

export interface ToldScenesOptions {
  readonly timers: Timers;
  /** What the picture of a room is made of now. */
  sceneOf(room: string): VideoScene;
  /** Whether a mixer can be told of it now. */
  isThere(room: string): boolean;
  /** Rejects when the mixer has not taken it. */
  tell(room: string, scene: VideoScene): Promise<unknown>;
}

/** What was told of rooms' pictures, so that each change is told once: at the end of the turn, however much has changed. */
export class ToldScenes {
  private readonly options: ToldScenesOptions;
  /** As each room's mixer was told last. */
  private readonly told = new Map<string, string>();
  /** Rooms whose scene may be another one by now. */
  private readonly changed = new Set<string>();

  constructor(options: ToldScenesOptions) {
    this.options = options;
  }

  /** For who tells it as the room is opened. */
  opening(room: string): VideoScene {
    const scene = this.options.sceneOf(room);
    this.told.set(room, JSON.stringify(scene));
    return scene;
  }

  /** The room is open no more, or its mixer is another. */
  forget(room: string): void {
    this.told.delete(room);
  }

  mayHaveChanged(room: string): void {
    if (this.changed.has(room)) return;
    this.changed.add(room);
    if (this.changed.size === 1) this.options.timers.set(0, () => this.tellChanged());
  }

  private tellChanged(): void {
    const rooms = [...this.changed];
    this.changed.clear();
    for (const room of rooms) if (this.options.isThere(room)) this.tell(room);
  }

  private tell(room: string): void {
    const scene = this.options.sceneOf(room);
    const text = JSON.stringify(scene);
    if (text === this.told.get(room)) return;
    this.told.set(room, text);
    this.options.tell(room, scene).catch(() => this.told.delete(room));
  }
}
