import type { AudioMedia } from '../../mixer/protocol.ts';
import type { FloorControlMedia } from './floor-control.ts';
import type { SessionDescription } from './session-description.ts';
import type { AgreedVideo } from './video-options.ts';

/** What was agreed upon. Without an audio stream nothing is. */
export interface Agreement extends AgreedVideo {
  media: AudioMedia;
  /** Null: they did not ask for it, or we have none. */
  floorControl: FloorControlMedia | null;
}

/** Which of a description's streams are in use, and for what; null: none is. */
export interface StreamPlaces {
  audio: number;
  main: number | null;
  slides: number | null;
  floorControl: number | null;
}

/** A description of ours that is in force, or waits for its answer. */
export interface CurrentDescription {
  description: SessionDescription;
  places: StreamPlaces;
}
