import type { LayoutName, VideoScene } from '../video-protocol.ts';
import type { Tile } from './layout/arrange.ts';
import type { Cast } from './layout/cast.ts';
import { Stage } from './layout/stage.ts';

/** What of a room somebody sees. */
export interface View {
  layout: LayoutName;
  /** Who is left out; null: nobody. */
  without: string | null;
  /** `apart`: slides alone, for who takes them in a stream of their own, and so does not have them `beside` the others. */
  slides: 'beside' | 'apart' | 'none';
  /** Not in the room yet: nobody is seen. */
  waiting: boolean;
  /** Without those who may not be recorded. */
  forRecording?: boolean;
}

export function viewKey({ layout, without, slides, waiting, forRecording = false }: View): string {
  return waiting ? 'waiting' : `${layout}/${without ?? ''}/${slides}${forRecording ? '/recorded' : ''}`;
}

/** Who is where in one view of a room, in whatever size it is painted. */
export class RoomView {
  readonly view: View;
  private readonly stage: Stage;
  private presenter: string | null = null;

  constructor(view: View) {
    this.view = view;
    this.stage = new Stage(view.layout, view.without);
  }

  /** @param slidesAspect width by height of the slides; null: none have come yet. */
  update(scene: VideoScene, cast: Cast, slidesAspect: number | null): void {
    const { slides } = this.view;
    this.presenter = slidesAspect === null ? null : scene.slides;
    this.stage.update(slides === 'none' ? { ...scene, slides: null } : scene, cast, slidesAspect);
  }

  tiles(canvas: { width: number; height: number }): Tile[] {
    const { slides, waiting } = this.view;
    if (waiting) return [];
    if (slides !== 'apart') return this.stage.tiles(canvas);
    const { width, height } = canvas;
    return this.presenter === null
      ? []
      : [{ leg: this.presenter, kind: 'slides', x: 0, y: 0, width, height, large: true }];
  }
}
