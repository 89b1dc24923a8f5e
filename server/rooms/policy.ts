import { z } from 'zod';
import { LAYOUT_NAMES, type LayoutName } from '../../mixer/video-protocol.ts';

/** What keys in a call can do. */
export const PARTICIPANT_ACTIONS = ['mute', 'hand', 'volume-down', 'volume-up', 'count', 'layout', 'menu'] as const;
export const MODERATOR_ACTIONS = ['lock', 'mute-all', 'record', 'end'] as const;
export type ParticipantAction = (typeof PARTICIPANT_ACTIONS)[number];
export type ModeratorAction = (typeof MODERATOR_ACTIONS)[number];
export type KeyAction = ParticipantAction | ModeratorAction;

/** Which keys, pressed one after the other, do what. Moderators have those of everybody too. */
export interface RoomKeys {
  everybody: Record<string, ParticipantAction>;
  moderators: Record<string, KeyAction>;
}

/** What prompts are there in. */
export const LANGUAGES = ['en', 'de'] as const;
export type Language = (typeof LANGUAGES)[number];

/** When a recording begins of itself. */
export const RECORD_WHEN = ['manual', 'always', 'from-two'] as const;

/** Height of a room's picture, by which it is called. */
export const VIDEO_SIZES = ['360p', '540p', '720p', '1080p'] as const;
export type VideoSize = (typeof VIDEO_SIZES)[number];

/** How a room behaves. */
export interface RoomPolicy {
  displayName: string | null;
  maxParticipants: number;
  locked: boolean;
  pin: string | null;
  moderatorPin: string | null;
  lobby: boolean;
  waitForModerator: boolean;
  endWhenModeratorLeaves: boolean;
  muteOnEntry: boolean;
  listenersOnly: boolean;
  /** ISO 8601. */
  notBefore: string | null;
  notAfter: string | null;
  welcome: string | null;
  welcomeSound: string | null;
  language: Language;
  announce: 'names' | 'chimes' | 'none';
  chimesAbove: number;
  music: boolean;
  record: (typeof RECORD_WHEN)[number];
  recordTracks: boolean;
  recordVideo: boolean;
  recordingAnnounced: boolean;
  recordingToneSeconds: number;
  video: boolean;
  layout: LayoutName;
  videoSize: VideoSize;
  videoFps: number;
  videoFill: 'crop' | 'fit';
  videoNames: boolean;
  videoTitle: string | null;
  videoTheme: 'dark' | 'light';
  hideSelf: boolean;
  keys: RoomKeys;
}

/** Keys of DESIGN; `*` begins each, so that a bare `#` ends a PIN and does nothing else. */
export const USUAL_KEYS: RoomKeys = {
  everybody: {
    ...{ '*6': 'mute', '*5': 'hand', '*4': 'volume-down', '*7': 'volume-up', '*8': 'layout' },
    ...{ '*#': 'count', '*0': 'menu' },
  },
  moderators: { '*1': 'lock', '*2': 'mute-all', '*3': 'record', '*9': 'end' },
};

export const USUAL_POLICY: RoomPolicy = {
  displayName: null,
  maxParticipants: 250,
  locked: false,
  pin: null,
  moderatorPin: null,
  lobby: false,
  waitForModerator: false,
  endWhenModeratorLeaves: false,
  muteOnEntry: false,
  listenersOnly: false,
  notBefore: null,
  notAfter: null,
  welcome: null,
  welcomeSound: null,
  language: 'en',
  announce: 'none',
  chimesAbove: 10,
  music: false,
  record: 'manual',
  recordTracks: false,
  recordVideo: true,
  recordingAnnounced: true,
  recordingToneSeconds: 0,
  video: true,
  layout: 'auto',
  videoSize: '720p',
  videoFps: 25,
  videoFill: 'crop',
  videoNames: true,
  videoTitle: null,
  videoTheme: 'dark',
  hideSelf: false,
  keys: USUAL_KEYS,
};

const pin = z.string().regex(/^\d{4,16}$/);
const sequence = z.string().regex(/^\*[0-9*#]{1,3}$/);
const keys = z
  .strictObject({
    everybody: z.record(sequence, z.enum(PARTICIPANT_ACTIONS)),
    moderators: z.record(sequence, z.enum([...PARTICIPANT_ACTIONS, ...MODERATOR_ACTIONS])),
  })
  .refine(({ everybody, moderators }) => noneBegins([...Object.keys(everybody), ...Object.keys(moderators)]), {
    message: 'No sequence may be there twice, or be the beginning of another.',
  });

/** The one check of every member, wherever it comes from. */
export const policyShape = {
  displayName: z.string().min(1).max(200).nullable(),
  maxParticipants: z.int().min(1).max(10_000),
  locked: z.boolean(),
  pin: pin.nullable(),
  moderatorPin: pin.nullable(),
  lobby: z.boolean(),
  waitForModerator: z.boolean(),
  endWhenModeratorLeaves: z.boolean(),
  muteOnEntry: z.boolean(),
  listenersOnly: z.boolean(),
  notBefore: z.iso.datetime({ offset: true }).nullable(),
  notAfter: z.iso.datetime({ offset: true }).nullable(),
  welcome: z.string().min(1).max(1000).nullable(),
  welcomeSound: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
    .nullable(),
  language: z.enum(LANGUAGES),
  announce: z.enum(['names', 'chimes', 'none']),
  chimesAbove: z.int().min(0).max(10_000),
  music: z.boolean(),
  record: z.enum(RECORD_WHEN),
  recordTracks: z.boolean(),
  recordVideo: z.boolean(),
  recordingAnnounced: z.boolean(),
  recordingToneSeconds: z.literal(0).or(z.int().min(5).max(300)),
  video: z.boolean(),
  layout: z.enum(LAYOUT_NAMES),
  videoSize: z.enum(VIDEO_SIZES),
  videoFps: z.int().min(5).max(30),
  videoFill: z.enum(['crop', 'fit']),
  videoNames: z.boolean(),
  videoTitle: z.string().min(1).max(200).nullable(),
  videoTheme: z.enum(['dark', 'light']),
  hideSelf: z.boolean(),
  keys,
} satisfies { [Key in keyof RoomPolicy]: z.ZodType<RoomPolicy[Key]> };

const YES_OR_NO = 'true or false';

/** What people are told of each member: `right` ends the sentence "must be …". */
export const policyNotes: { readonly [Key in keyof RoomPolicy]: { meaning: string; right: string } } = {
  displayName: { meaning: 'What people call it.', right: 'a text of 1 to 200 characters, or null' },
  maxParticipants: {
    meaning: 'How many it holds. Whoever calls beyond it hears busy.',
    right: 'a whole number from 1 to 10000',
  },
  locked: { meaning: 'Nobody more gets in.', right: YES_OR_NO },
  pin: { meaning: 'Asked of everybody who calls.', right: '4 to 16 digits in quotes, or null' },
  moderatorPin: {
    meaning: 'Who says this one is a moderator.',
    right: '4 to 16 digits in quotes, other ones than those of `pin`, or null',
  },
  lobby: { meaning: 'Who calls waits until a moderator admits them. Moderators do not wait.', right: YES_OR_NO },
  waitForModerator: { meaning: 'Who calls waits until a moderator is there.', right: YES_OR_NO },
  endWhenModeratorLeaves: { meaning: 'The conference ends when the last moderator has left.', right: YES_OR_NO },
  muteOnEntry: { meaning: 'Who enters is muted, but for moderators.', right: YES_OR_NO },
  listenersOnly: { meaning: 'Who enters is a listener, but for moderators.', right: YES_OR_NO },
  notBefore: {
    meaning: 'Who calls earlier is told that it is too early.',
    right: 'a time such as 2026-03-01T09:00:00Z or 2026-03-01T10:00:00+01:00, or null',
  },
  notAfter: {
    meaning: 'The conference ends then, and who calls later is told that it is too late.',
    right: 'a time such as 2026-03-01T10:00:00Z, after `notBefore`, or null',
  },
  welcome: {
    meaning: 'Text that each who enters is sent as a SIP MESSAGE.',
    right: 'a text of 1 to 1000 characters, or null',
  },
  welcomeSound: {
    meaning: 'Prompt that each who enters hears.',
    right: 'the id of a prompt: lower-case letters, digits and "-", or null',
  },
  language: { meaning: 'Language of the prompts.', right: 'one of en, de' },
  announce: {
    meaning: 'How those who are there are told who comes and goes. `names`: each says theirs when entering.',
    right: 'one of names, chimes, none',
  },
  chimesAbove: {
    meaning: 'With more than so many in the room, chimes take the place of names.',
    right: 'a whole number from 0 to 10000',
  },
  music: { meaning: 'Who is alone or waits hears music.', right: YES_OR_NO },
  record: {
    meaning:
      'When a recording begins of itself: when the first (`always`) or the second one (`from-two`) is there, or never (`manual`).',
    right: 'one of manual, always, from-two',
  },
  recordTracks: { meaning: 'Recordings have a track of each participant as well.', right: YES_OR_NO },
  recordVideo: { meaning: 'Recordings have the picture of the room, when somebody has video.', right: YES_OR_NO },
  recordingAnnounced: {
    meaning: 'All hear when a recording begins, pauses, goes on and ends; who comes later hears that one runs.',
    right: YES_OR_NO,
  },
  recordingToneSeconds: {
    meaning: 'While a recording runs, all hear a soft tone each so many seconds, which is recorded too; 0: none.',
    right: '0, or a whole number of seconds from 5 to 300',
  },
  video: { meaning: 'Who has video sees the others. False: all calls are sound alone.', right: YES_OR_NO },
  layout: {
    meaning:
      'How the picture is divided. `auto`: one alone, two side by side, up to nine in a grid, and beyond that who speaks large.',
    right: `one of ${LAYOUT_NAMES.join(', ')}`,
  },
  videoSize: {
    meaning: 'Height of the picture. Phones that cannot take it get a smaller one.',
    right: `one of ${VIDEO_SIZES.join(', ')}`,
  },
  videoFps: { meaning: 'How many pictures are made each second.', right: 'a whole number from 5 to 30' },
  videoFill: {
    meaning: 'Pictures of another shape are cut to their place (`crop`), or shown whole with bars (`fit`).',
    right: 'one of crop, fit',
  },
  videoNames: { meaning: 'Each is shown with their name.', right: YES_OR_NO },
  videoTitle: { meaning: 'Written at the top of the picture.', right: 'a text of 1 to 200 characters, or null' },
  videoTheme: { meaning: 'Colours of the picture.', right: 'one of dark, light' },
  hideSelf: {
    meaning: 'Nobody sees their own picture. It costs a picture of their own for each who sends one.',
    right: YES_OR_NO,
  },
  keys: {
    meaning: 'Which keys do what, for everybody and for moderators.',
    right:
      'a mapping with `everybody` and `moderators`, each of sequences such as "*6" to actions, none the beginning of another',
  },
};

/** Why members do not go together, each with what it is about; null when they do. */
export function policyConflict(policy: RoomPolicy): { member: keyof RoomPolicy; text: string } | null {
  const { pin: one, moderatorPin: other, notBefore, notAfter } = policy;
  if (one !== null && one === other) return { member: 'moderatorPin', text: 'must be another one than `pin`' };
  if (notBefore !== null && notAfter !== null && Date.parse(notBefore) >= Date.parse(notAfter)) {
    return { member: 'notAfter', text: 'must be after `notBefore`' };
  }
  return null;
}

function noneBegins(sequences: readonly string[]): boolean {
  return sequences.every((one, at) => sequences.every((other, index) => index === at || !other.startsWith(one)));
}

/** What was said of a policy: a member that is undefined was not. */
export type SaidPolicy = { [Key in keyof RoomPolicy]?: RoomPolicy[Key] | undefined };

/** Leaves out what was not said, so that it is not taken for a value. */
export function saidOf(policy: SaidPolicy): Partial<RoomPolicy> {
  return Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined)) as Partial<RoomPolicy>;
}
