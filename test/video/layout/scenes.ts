import type { Tile } from '../../../mixer/video/layout/arrange.ts';
import { Cast } from '../../../mixer/video/layout/cast.ts';
import { Stage } from '../../../mixer/video/layout/stage.ts';
import type { LayoutName, SceneParticipant, VideoScene } from '../../../mixer/video-protocol.ts';

export function person(leg: string, changed: Partial<SceneParticipant> = {}): SceneParticipant {
  return {
    ...{ leg, name: leg, talking: false, muted: false, hand: false, camera: true, hasCard: true, recorded: true },
    ...{ layout: null, hideSelf: false },
    ...changed,
  };
}

export function sceneOf(people: readonly (string | SceneParticipant)[], changed: Partial<VideoScene> = {}): VideoScene {
  return {
    ...{ title: null, roomName: 'Room', layout: 'auto', canvas: { width: 1280, height: 720 }, fps: 25 },
    ...{ theme: 'dark', fill: 'crop', names: true, recording: 'off', speaker: null },
    ...{ spotlight: [], places: [], slides: null },
    participants: people.map((one) => (typeof one === 'string' ? person(one) : one)),
    ...changed,
  };
}

/** Names `p0`, `p1`, … */
export function people(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `p${index}`);
}

/** A room that goes on: who is there, who speaks, and what one composition of it shows. */
export class ShownRoom {
  readonly cast = new Cast();
  readonly stage: Stage;
  nowMs = 0;
  scene: VideoScene;
  /** Null: all have a picture. */
  pictures: string[] | null = null;
  slidesAspect: number | null = null;

  constructor(layout: LayoutName, scene: VideoScene, leftOut: string | null = null) {
    this.stage = new Stage(layout, leftOut);
    this.scene = scene;
  }

  /** Who is in which place, the first one first; after the changes. */
  show(changed: Partial<VideoScene> = {}, afterMs = 10_000): (string | null)[] {
    return this.tiles(changed, afterMs).map(({ leg }) => leg);
  }

  tiles(changed: Partial<VideoScene> = {}, afterMs = 10_000): Tile[] {
    this.nowMs += afterMs;
    this.scene = { ...this.scene, ...changed };
    this.update();
    return this.stage.tiles(this.scene.canvas);
  }

  /** When the cast wants to be asked again. */
  update(): number | null {
    const pictures = this.pictures ?? this.scene.participants.map(({ leg }) => leg);
    const again = this.cast.update(this.scene, new Set(pictures), this.nowMs);
    this.stage.update(this.scene, this.cast, this.slidesAspect);
    return again;
  }
}
