import type { VideoScene } from '../video-protocol.ts';

/** Whether somebody in the room may not be recorded. */
export function hasUnrecorded({ participants }: VideoScene): boolean {
  return participants.some(({ recorded }) => !recorded);
}

/** The scene as a recording has it: as if those were not in the room who may not be recorded. */
export function recordedScene(scene: VideoScene): VideoScene {
  const participants = scene.participants.filter(({ recorded }) => recorded);
  const recorded = new Set(participants.map(({ leg }) => leg));
  const orNobody = (leg: string | null): string | null => (leg !== null && recorded.has(leg) ? leg : null);
  return {
    ...scene,
    participants,
    speaker: orNobody(scene.speaker),
    slides: orNobody(scene.slides),
    spotlight: scene.spotlight.filter((leg) => recorded.has(leg)),
    places: scene.places.map(orNobody),
  };
}
