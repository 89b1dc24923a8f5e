import type { LayoutName } from '../mixer/video-protocol.ts';
import type { EventData } from '../server/events/room-event.ts';
import type { MessageDelivery } from '../server/focus/control.ts';
import type { ParticipantView, RecordingFormat, Role, RoomView } from '../server/rooms/views.ts';
import { ApiError } from './api.ts';

/** What people are told, in plain words. */

export const roleWords: Record<Role, string> = {
  participant: 'Participant',
  moderator: 'Moderator',
  listener: 'Listener',
};

export const layoutWords: Record<LayoutName, string> = {
  auto: 'Automatic',
  grid: 'Grid',
  speaker: 'Who speaks large',
  single: 'Who speaks alone',
  'side-by-side': 'Side by side',
  'picture-in-picture': 'Picture in picture',
};

export const themeWords: Record<RoomView['videoTheme'], string> = { dark: 'Dark', light: 'Light' };

export const sizeWords: Record<RoomView['videoSize'], string> = {
  '360p': '640 × 360',
  '540p': '960 × 540',
  '720p': '1280 × 720',
  '1080p': '1920 × 1080',
};

export const fillWords: Record<RoomView['videoFill'], string> = { crop: 'Cut to their place', fit: 'Whole, with bars' };

const stateWords: Record<ParticipantView['state'], string | null> = {
  connecting: 'being called',
  entering: 'is asked for the PIN or the name',
  lobby: 'in the lobby',
  waiting: 'waits for the moderator',
  connected: null,
  'on-hold': 'on hold',
  disconnecting: 'is leaving',
};

/** What somebody is called: the name that the phone gave, else the user part of the address. */
export function nameOf({ displayName, uri }: Pick<ParticipantView, 'displayName' | 'uri'>): string {
  return displayName?.trim() || /^sips?:([^@;]+)@/i.exec(uri)?.[1] || uri;
}

export const titleOf = ({ displayName, name }: Pick<RoomView, 'displayName' | 'name'>): string => displayName ?? name;

/** What is to be known of somebody besides the name, short. */
export function traitsOf(view: ParticipantView): string[] {
  const traits = [
    view.role === 'participant' ? null : roleWords[view.role],
    stateWords[view.state],
    muteWords(view),
    view.deaf ? 'hears nobody' : null,
    view.speaksTo === null ? null : 'whispers',
    view.recorded ? null : 'not recorded',
    view.video?.slides ? 'shows slides' : null,
    view.camera ? null : 'picture off',
  ];
  return traits.filter((trait) => trait !== null);
}

export function muteWords({ muted, role }: ParticipantView): string | null {
  if (role === 'listener' || muted === null) return null;
  return muted.by === 'self' ? 'muted themselves' : 'muted by a moderator';
}

/** What became of a text; who has left meanwhile is called somebody. */
export function deliveriesText(deliveries: readonly MessageDelivery[], all: readonly ParticipantView[]): string {
  if (deliveries.length === 0) return 'Nobody is here who could get it.';
  const nameBy = new Map(all.map((view) => [view.id, nameOf(view)]));
  const those = (outcome: MessageDelivery['outcome']) =>
    deliveries
      .filter((delivery) => delivery.outcome === outcome)
      .map(({ participant }) => nameBy.get(participant) ?? 'somebody');
  const got = those('delivered').length;
  const [refused, unreachable, pending] = [
    names(those('refused')),
    names(those('unreachable')),
    names(those('pending')),
  ];
  const sentences = [
    got === 0 ? null : `Delivered to ${got === deliveries.length ? '' : `${got} of `}${people(deliveries.length)}.`,
    refused === null ? null : `Not taken by the phone of ${refused}: it may not show texts.`,
    unreachable === null ? null : `Not reached: ${unreachable}.`,
    pending === null ? null : `No answer yet from the phone of ${pending}.`,
  ];
  return sentences.filter((sentence) => sentence !== null).join(' ');
}

/** What is said of an event to somebody who cannot see it; null for what would only be noise. */
export function spokenOf(before: RoomView | undefined, event: EventData): string | null {
  if (event.participant) return participantSpoken(before, event, event.participant);
  if (event.floor) return floorSpoken(before, event.floor);
  if (event.recording) return recordingSpoken(before, event);
  if (event.event === 'room-closed') return 'The room was closed';
  if (!before || !event.settings || before.locked === event.settings.locked) return null;
  return event.settings.locked ? 'The room is locked' : 'The room is unlocked';
}

function participantSpoken(before: RoomView | undefined, { event }: EventData, after: ParticipantView): string | null {
  const name = nameOf(after);
  const known = before?.participants.find(({ id }) => id === after.id);
  if (event === 'participant-left') return `${name} left`;
  if (known?.state !== after.state) {
    if (after.state === 'connected' && known?.state !== 'on-hold') return `${name} joined`;
    return after.state === 'lobby' ? `${name} waits in the lobby` : null;
  }
  if (known.recorded !== after.recorded) {
    return after.recorded ? `${name} may be recorded again` : `${name} is not recorded`;
  }
  if (known.camera !== after.camera) {
    return after.camera ? `${name} can be seen again` : `The picture of ${name} is off`;
  }
  if (known.hand !== after.hand) return after.hand ? `${name} raised a hand` : `The hand of ${name} is down`;
  if (known.muted?.by === after.muted?.by) return null;
  return after.muted === null ? `${name} can be heard` : `${name}: ${muteWords(after) ?? 'muted'}`;
}

function floorSpoken(before: RoomView | undefined, floor: readonly string[]): string {
  const names = floor.flatMap((id) => before?.participants.filter((view) => view.id === id).map(nameOf) ?? []);
  if (names.length === 0) return 'The floor is free';
  return names.length === 1 ? `${names[0]} has the floor` : `${names.join(', ')} have the floor`;
}

function recordingSpoken(before: RoomView | undefined, { event, recording }: EventData): string | null {
  if (!recording || event === 'recording-ready') return null;
  const { id, state } = recording;
  if (event === 'recording-removed') return 'A recording was removed';
  const known = before?.recordings.find((one) => one.id === id)?.state;
  if (known === state) return null;
  if (state === 'recording') return known === 'paused' ? 'The recording goes on' : 'The recording has begun';
  if (state === 'paused') return 'The recording is paused';
  return state === 'failed' ? 'The recording failed' : 'The recording has stopped';
}

/** Several things that are told at once. */
export function inOneGo(texts: readonly string[]): string {
  const said = texts.slice(0, SAID_WHOLE).join('. ');
  const more = texts.length - SAID_WHOLE;
  return more > 0 ? `${said}. And ${more} more changes.` : `${said}.`;
}

const SAID_WHOLE = 3;

const problemWords: Record<string, string> = {
  'authentication-failed': 'The token is not right, or it has expired.',
  'authentication-required': 'The token is not right, or it has expired.',
  'too-many-failures': 'Too many wrong tokens came from this address. Wait a minute and try again.',
  'scope-insufficient': 'Your token does not allow this.',
  'participant-not-found': 'They have left already.',
  'room-not-found': 'The room is not there any more.',
  'room-full': 'The room is full: nobody more gets in.',
  'participant-not-waiting': 'They do not wait any more.',
  'mixer-unavailable': 'The part that mixes this room is being started again. Try again in a moment.',
  'picture-unavailable': 'Nobody here has video.',
  'recording-empty': 'Nothing was recorded: there is no sound in it.',
  'room-empty': 'Nobody is here to be recorded.',
  'recording-running': 'The recording still runs.',
  'recording-not-running': 'The recording had stopped already.',
  'recording-not-found': 'The recording is not there any more.',
  'recording-captures-gone':
    'What was captured was removed when it had been stored elsewhere: no more files can be made.',
  'announcement-not-found': 'It has ended already.',
  'sound-not-found': 'The sound is not there any more.',
  'participant-elsewhere': 'They are not in the room: they must have entered first.',
  'too-many-messages': 'Too many texts are on their way. Try again in a moment.',
  'too-many-requests': 'Too many requests came from this address. Wait a little.',
  unreachable: 'The server cannot be reached. Is the network there?',
};

export function problemText(error: unknown): string {
  if (!(error instanceof ApiError)) return 'Something went wrong in this page. Load it again.';
  const known = problemWords[error.code];
  if (known !== undefined) return known;
  return error.detail === null ? `${error.message}.` : `${error.message}: ${error.detail}`;
}

/** `1:02:03`, `4:05`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

export function fileSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${Math.round(bytes / 1000)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });

/** @param time ISO 8601 */
export const whenWords = (time: string): string => moment.format(new Date(time));

/** `45 %`, of a share from 0 to 1. */
export const share = (value: number): string => `${Math.round(value * 100)} %`;

/** The first few, and how many more; null for none. */
export function names(all: readonly string[]): string | null {
  if (all.length === 0) return null;
  const shown = all.slice(0, NAMES_SHOWN).join(', ');
  return all.length > NAMES_SHOWN ? `${shown} and ${all.length - NAMES_SHOWN} more` : shown;
}

const NAMES_SHOWN = 5;

/** What a recording can be had as. */
export const formatWords: Record<RecordingFormat, string> = {
  m4a: 'M4A (AAC)',
  mp3: 'MP3',
  wav: 'WAV, uncompressed',
  ogg: 'Ogg (Opus)',
  mka: 'Matroska (Opus)',
  mp4: 'MP4 (H.264 and AAC)',
  webm: 'WebM (VP8 and Opus)',
  mkv: 'Matroska (H.264 and Opus)',
  zip: 'ZIP of FLAC files',
  tracks: 'Matroska with all tracks',
  vtt: 'Captions: who spoke when (WebVTT)',
  jsonl: 'Time line (JSON lines)',
  png: 'Picture of the waveform (PNG)',
  poster: 'Poster: one picture (JPEG)',
  sheet: 'Contact sheet: 16 pictures (JPEG)',
};

export const people = (count: number): string => (count === 1 ? '1 person' : `${count} people`);

/** A mean opinion score in a word (ITU-T G.107 annex B, its bands put together). */
export function scoreWord(mos: number): string {
  if (mos >= 4) return 'good';
  if (mos >= 3.6) return 'fair';
  return mos >= 3.1 ? 'poor' : 'bad';
}
