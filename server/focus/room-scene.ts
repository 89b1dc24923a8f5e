import type { SceneParticipant, VideoScene } from '../../mixer/video-protocol.ts';
import type { RoomPolicy, VideoSize } from '../rooms/policy.ts';
import type { Room } from '../rooms/room.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { ParticipantView } from '../rooms/views.ts';
import type { LargestPicture } from '../sdp/video-options.ts';
import { parseUri } from '../sip/message/uri.ts';

const CANVASES: Readonly<Record<VideoSize, VideoScene['canvas']>> = {
  '360p': { width: 640, height: 360 },
  '540p': { width: 960, height: 540 },
  '720p': { width: 1280, height: 720 },
  '1080p': { width: 1920, height: 1080 },
};

/** The largest picture of somebody that is of use in a room; null: it has no video. */
export function largestPicture({ video, videoSize }: RoomPolicy): LargestPicture | null {
  if (!video) return null;
  return videoSize === '1080p' ? '1080p' : '720p';
}

/** What the picture of a room is made of. Who has not entered is not in it, and so sees nobody. */
export function roomScene({ name, policy, present, activeSpeaker, stage, recording }: Room): VideoScene {
  const { videoTitle, layout, videoSize, videoFps, videoTheme, videoFill, videoNames, hideSelf } = policy;
  return {
    title: videoTitle,
    roomName: policy.displayName ?? name,
    layout,
    canvas: CANVASES[videoSize],
    fps: videoFps,
    theme: videoTheme,
    fill: videoFill,
    names: videoNames,
    recording,
    speaker: activeSpeaker,
    spotlight: [...stage.spotlight],
    places: [...stage.places],
    slides: slidesOf(present, stage.presenter),
    participants: present.map((participant) => inScene(participant, hideSelf)),
  };
}

/** Tells who makes the pictures of rooms that one may look other than before. */
export class RoomScenes {
  private readonly rooms: Rooms;

  constructor(rooms: Rooms, changed: (room: string) => void) {
    this.rooms = rooms;
    rooms.subscribe(({ name }) => changed(name));
  }

  /** Also of a room that is closing: nobody is in it. */
  of(name: string): VideoScene {
    const room = this.rooms.get(name);
    return room === undefined ? emptyScene(this.rooms) : roomScene(room);
  }
}

function emptyScene(rooms: Rooms): VideoScene {
  const { layout, videoSize, videoFps, videoTheme, videoFill, videoNames } = rooms.policyWith({});
  return {
    ...{
      title: null,
      roomName: '',
      layout,
      canvas: CANVASES[videoSize],
      fps: videoFps,
      theme: videoTheme,
      fill: videoFill,
    },
    ...{ names: videoNames, recording: 'off', speaker: null, spotlight: [], places: [], slides: null },
    participants: [],
  };
}

/** Whom a moderator has turned off shows no slides either. */
function slidesOf(present: readonly ParticipantView[], presenter: string | null): string | null {
  return present.find(({ id }) => id === presenter)?.camera === true ? presenter : null;
}

function inScene(participant: ParticipantView, hideSelf: boolean): SceneParticipant {
  const { id, role, talking, muted, speaksTo, hand, camera, layout, recorded } = participant;
  return {
    leg: id,
    name: nameOf(participant),
    // Who speaks to some alone does not speak to those who look.
    talking: talking && muted === null && speaksTo === null,
    muted: muted !== null,
    hand,
    camera,
    hasCard: role !== 'listener',
    recorded,
    layout,
    hideSelf: participant.hideSelf ?? hideSelf,
  };
}

/** As people call them: their name, or the user or number of their address. */
function nameOf({ displayName, uri }: ParticipantView): string {
  if (displayName !== null && displayName.trim() !== '') return displayName;
  const parsed = parseUri(uri);
  return parsed?.user?.split(';')[0] || parsed?.host || uri;
}
