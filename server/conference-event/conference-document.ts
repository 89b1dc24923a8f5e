import type { Room } from '../rooms/room.ts';
import type { ParticipantState, ParticipantView } from '../rooms/views.ts';
import { createUri, writeUri } from '../sip/message/uri.ts';
import { element, textElement, uriText } from './xml.ts';

/** The elements of a conference information document (RFC 4575 §5), each as text. */

export const CONTENT_TYPE = 'application/conference-info+xml';
const NAMESPACE = 'urn:ietf:params:xml:ns:conference-info';
/** What RFC 4575 has no word for; the schema lets others have elements everywhere. */
const OWN_NAMESPACE = 'urn:parley:conference-info';

/** How a participant is in the conference, as far as the room does not know. */
export interface Endpoint {
  readonly view: ParticipantView;
  /** We called them. */
  readonly calledByUs: boolean;
  /** False: others have the floor. */
  readonly maySpeak: boolean;
}

const STATUS: Readonly<Record<ParticipantState, string>> = {
  connecting: 'dialing-in',
  entering: 'pending',
  lobby: 'pending',
  waiting: 'pending',
  connected: 'connected',
  'on-hold': 'on-hold',
  disconnecting: 'disconnecting',
};

export function conferenceUri(room: string, domain: string): string {
  return writeUri(createUri({ user: room, host: domain }));
}

/** By which a user is known in all documents; who hides theirs gets one for this conference (RFC 4575 §5.6). */
export function entityOf({ id, uri }: ParticipantView): string {
  return uriText(/@anonymous\.invalid\b/i.test(uri) ? `sip:anonymous-${id}@anonymous.invalid` : uri);
}

/** @param state `full` or `partial`: whether it has all users, or those that have changed (RFC 4575 §4.6) */
export function conferenceInfo(
  room: Room,
  domain: string,
  { state, version }: { state: 'full' | 'partial'; version: number },
  parts: string,
): string {
  const entity = conferenceUri(room.name, domain);
  const attributes = { xmlns: NAMESPACE, 'xmlns:p': OWN_NAMESPACE, entity, state, version };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('conference-info', attributes, parts)}\n`;
}

/** @param hasVideo the server does, so a room that wants it has it */
export function conferenceDescription({ name, policy }: Room, domain: string, hasVideo: boolean): string {
  const { displayName, maxParticipants } = policy;
  const uri = textElement('uri', conferenceUri(name, domain));
  return element(
    'conference-description',
    {},
    textElement('display-text', displayName ?? name),
    displayName === null ? '' : textElement('subject', displayName),
    element('conf-uris', {}, element('entry', {}, uri, textElement('purpose', 'participation'))),
    textElement('maximum-user-count', maxParticipants),
    element('available-media', {}, available('audio'), policy.video && hasVideo ? available('video') : ''),
  );
}

function available(type: 'audio' | 'video'): string {
  return element('entry', { label: type }, textElement('type', type), textElement('status', 'sendrecv'));
}

/** `room-version` is the one that HTTP and events have, after the same change; so are recording, floor and speaker (by id). */
export function conferenceState({ present, policy, version, floor, activeSpeaker, recording }: Room): string {
  return element(
    'conference-state',
    {},
    textElement('user-count', new Set(present.map(entityOf)).size),
    textElement('active', present.length > 0),
    textElement('locked', policy.locked),
    textElement('p:room-version', version),
    floor.length === 0 ? '' : textElement('p:floor', floor.join(' ')),
    activeSpeaker === null ? '' : textElement('p:active-speaker', activeSpeaker),
    textElement('p:recording', recording),
  );
}

/** @param endpoints all participants of that entity, the first first; at least one */
export function user(entity: string, endpoints: readonly Endpoint[], room: string): string {
  const displayName = endpoints[0]?.view.displayName ?? null;
  const roles = [...new Set(endpoints.map(({ view }) => view.role))];
  return element(
    'user',
    { entity, state: 'full' },
    displayName === null ? '' : textElement('display-text', displayName),
    element('roles', {}, ...roles.map((role) => textElement('entry', role))),
    ...endpoints.map((one) => endpoint(one, displayName, room)),
  );
}

export function deletedUser(entity: string): string {
  return element('user', { entity, state: 'deleted' });
}

/** Its entity is a URI of ours, which a REFER can name (RFC 4579 §5.11): where the phone is, is nobody's business. */
function endpoint({ view, calledByUs, maySpeak }: Endpoint, userName: string | null, room: string): string {
  const { id, displayName, state, role, muted, deaf, handRaisedAt, joinedAt } = view;
  const isMuted = state === 'connected' && muted !== null;
  const status = state === 'connecting' && calledByUs ? 'dialing-out' : STATUS[state];
  return element(
    'endpoint',
    { entity: `${room};participant=${id}` },
    displayName === null || displayName === userName ? '' : textElement('display-text', displayName),
    textElement('status', isMuted ? 'muted-via-focus' : status),
    textElement('joining-method', calledByUs ? 'dialed-out' : 'dialed-in'),
    element('joining-info', {}, textElement('when', joinedAt)),
    view.audio === null ? '' : sound(view, maySpeak),
    view.video === null ? '' : picture(view),
    view.video?.slides === true ? media('slides', 'video', 'sendonly') : '',
    element('p:participant', {
      ...{ id, state, role, deaf },
      'muted-by': muted?.by ?? null,
      'hand-raised-at': handRaisedAt,
    }),
  );
}

/** As the participant sees it, who does not send while a moderator has turned their picture off. */
function picture({ video, camera }: ParticipantView): string {
  const { sends, gets } = fromTheirSide(video?.direction);
  return media('video', 'video', statusOf(sends && camera, gets));
}

/** As the participant sees it: who is muted, a listener or without the floor does not send, as nobody gets it. */
function sound({ audio, muted, role, deaf }: ParticipantView, maySpeak: boolean): string {
  const { sends, gets } = fromTheirSide(audio?.direction);
  const isHeard = muted === null && role !== 'listener' && maySpeak;
  return media('audio', 'audio', statusOf(sends && isHeard, gets && !deaf));
}

/** The direction in the view is ours. */
function fromTheirSide(direction = 'inactive'): { sends: boolean; gets: boolean } {
  return {
    sends: direction === 'sendrecv' || direction === 'recvonly',
    gets: direction === 'sendrecv' || direction === 'sendonly',
  };
}

function statusOf(sends: boolean, gets: boolean): string {
  if (sends) return gets ? 'sendrecv' : 'sendonly';
  return gets ? 'recvonly' : 'inactive';
}

function media(id: string, type: 'audio' | 'video', status: string): string {
  return element('media', { id }, textElement('type', type), textElement('status', status));
}
