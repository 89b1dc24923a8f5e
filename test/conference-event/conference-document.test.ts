import { describe, expect, it } from 'vitest';
import { ConferenceJournal } from '../../server/conference-event/conference-journal.ts';
import { element, text, textElement, uriText } from '../../server/conference-event/xml.ts';
import { Rooms } from '../../server/rooms/rooms.ts';
import type { ParticipantView } from '../../server/rooms/views.ts';
import { peersPresent } from '../e2e/clients/peer-programs.ts';
import { someone } from '../rooms/someone.ts';
import { child, childText, readXml, schemaErrors } from './read-conference.ts';

const HOSTILE = `</display-text><evil a="b">&amp;]]>'"\u0000\u0001\ud800\ufffe\t\r\n🎉ü`;
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is about them
const SAID = HOSTILE.replace(/[\u0000\u0001\ud800\ufffe]/gu, '\ufffd');

function documentOf(participants: ParticipantView[], policy = {}): string {
  const rooms = new Rooms(policy);
  const room = rooms.open('demo', 'configured');
  for (const participant of participants) room.join(participant);
  const journal = new ConferenceJournal(room, {
    domain: 'example.com',
    calledByUs: (id) => id === 'out',
    hasVideo: () => true,
  });
  return journal.document(null, 7);
}

const endpointOf = (document: string) => child(readXml(document), 'users', 'user', 'endpoint');

describe('XML', () => {
  it('escapes what means something, and leaves out what may not be there', () => {
    expect(text(`<a href="x">&'`)).toBe(`&lt;a href=&quot;x&quot;&gt;&amp;'`);
    expect(text('a\u0000b\u001bc\ud800d\uffffe')).toBe('a\ufffdb\ufffdc\ufffdd\ufffde');
    expect(text('🎉\r\n')).toBe('🎉&#13;&#10;');
    expect(element('a', { b: '"<', c: null, d: 3 })).toBe('<a b="&quot;&lt;" d="3"/>');
    expect(element('a', {}, textElement('b', false), '')).toBe('<a><b>false</b></a>');
    expect(readXml(element('a', {}, text(HOSTILE))).text).toBe(SAID);
  });

  it.each([
    ['sip:ann@example.com;x=y?z=1', 'sip:ann@example.com;x=y?z=1'],
    ['sip:"a"^|@b', 'sip:%22a%22%5E%7C@b'],
    ['sip:50%@b%2', 'sip:50%25@b%252'],
    ['sip:ü\ud800@b', 'sip:%C3%BC%EF%BF%BD@b'],
  ])('has URIs as URIs: %s', (uri, written) => expect(uriText(uri)).toBe(written));
});

describe('a conference information document (RFC 4575 §5)', () => {
  it('describes the room', () => {
    const info = readXml(documentOf([], { displayName: 'The <board>', maxParticipants: 12, locked: true }));
    expect(info.attributes).toMatchObject({ entity: 'sip:demo@example.com', state: 'full', version: '7' });
    const description = child(info, 'conference-description');
    expect(childText(description, 'display-text')).toBe('The <board>');
    expect(childText(description, 'subject')).toBe('The <board>');
    expect(childText(description, 'conf-uris', 'entry', 'uri')).toBe('sip:demo@example.com');
    expect(childText(description, 'maximum-user-count')).toBe('12');
    const state = child(info, 'conference-state');
    expect(state?.children.map(({ name, text: value }) => [name, value])).toEqual([
      ['user-count', '0'],
      ['active', 'false'],
      ['locked', 'true'],
      ['p:room-version', '0'],
      ['p:recording', 'off'],
    ]);
    expect(child(info, 'users')?.children).toEqual([]);
  });

  it('names who has the floor and who speaks, and tells of each change; without the floor nobody sends', () => {
    const room = new Rooms().open('demo', 'configured');
    for (const id of ['a', 'b', 'c']) room.join(someone(id));
    const journal = new ConferenceJournal(room, {
      domain: 'example.com',
      calledByUs: () => false,
      hasVideo: () => false,
    });
    const known = journal.serial;
    room.giveFloor(['a', 'b']);
    journal.changed({ change: 'floor-changed', floor: ['a', 'b'] });
    room.setActiveSpeaker('b');
    journal.changed({ change: 'speaker-changed', activeSpeaker: 'b' });
    const info = readXml(journal.document(known, 8));
    expect(info.attributes['state']).toBe('partial');
    expect(childText(info, 'conference-state', 'p:floor')).toBe('a b');
    expect(childText(info, 'conference-state', 'p:active-speaker')).toBe('b');
    // Only of the third one anything is different.
    const users = child(info, 'users')?.children ?? [];
    expect(users.map(({ attributes }) => attributes['entity'])).toEqual(['sip:c@192.0.2.1']);
    expect(childText(users[0], 'endpoint', 'media', 'status')).toBe('recvonly');
    if (peersPresent('xmllint')) expect(schemaErrors([journal.document(known, 8)])).toBe('');
    room.giveFloor([]);
    journal.changed({ change: 'floor-changed', floor: [] });
    const free = readXml(journal.document(null, 9));
    expect(childText(free, 'conference-state', 'p:floor')).toBeUndefined();
    const all = child(free, 'users')?.children ?? [];
    expect(all.map((one) => childText(one, 'endpoint', 'media', 'status'))).toEqual([
      'sendrecv',
      'sendrecv',
      'sendrecv',
    ]);
  });

  it.each<[string, Partial<ParticipantView>, string, string]>([
    ['in', {}, 'connected', 'sendrecv'],
    ['muted by a moderator', { muted: { by: 'moderator' } }, 'muted-via-focus', 'recvonly'],
    ['muted by themselves', { muted: { by: 'self' } }, 'muted-via-focus', 'recvonly'],
    ['a listener', { role: 'listener' }, 'connected', 'recvonly'],
    ['deaf', { deaf: true }, 'connected', 'sendonly'],
    ['deaf and muted', { deaf: true, muted: { by: 'moderator' } }, 'muted-via-focus', 'inactive'],
    [
      'on hold',
      { state: 'on-hold', audio: { codec: 'PCMA', clockRateHz: 8000, direction: 'inactive' } },
      'on-hold',
      'inactive',
    ],
    ['sending only', { audio: { codec: 'PCMA', clockRateHz: 8000, direction: 'recvonly' } }, 'connected', 'sendonly'],
    ['in the lobby', { state: 'lobby' }, 'pending', 'sendrecv'],
    ['asked for a PIN', { state: 'entering', muted: { by: 'moderator' } }, 'pending', 'recvonly'],
    ['leaving', { state: 'disconnecting' }, 'disconnecting', 'sendrecv'],
  ])('says of one who is %s', (_what, view, status, media) => {
    const endpoint = endpointOf(documentOf([someone('a', { state: 'connected', ...view })]));
    expect(childText(endpoint, 'status')).toBe(status);
    expect(childText(endpoint, 'media', 'status')).toBe(media);
  });

  it('tells who called from who was called, and has no media before there is any', () => {
    const called = endpointOf(documentOf([someone('out', { state: 'connecting', audio: null })]));
    expect([childText(called, 'status'), childText(called, 'joining-method')]).toEqual(['dialing-out', 'dialed-out']);
    expect(child(called, 'media')).toBeUndefined();
    const caller = endpointOf(documentOf([someone('a', { state: 'connecting', audio: null })]));
    expect([childText(caller, 'status'), childText(caller, 'joining-method')]).toEqual(['dialing-in', 'dialed-in']);
  });

  const video = { codec: 'H264', direction: 'sendrecv', width: 640, height: 360, slides: false };
  it.each<[string, Partial<ParticipantView>, [string, string][]]>([
    ['with video', { video }, [['video', 'sendrecv']]],
    ['whose picture a moderator has turned off', { video, camera: false }, [['video', 'recvonly']]],
    ['who only sends a picture', { video: { ...video, direction: 'recvonly' } }, [['video', 'sendonly']]],
    [
      'who shows slides',
      { video: { ...video, slides: true } },
      [
        ['video', 'sendrecv'],
        ['slides', 'sendonly'],
      ],
    ],
  ])('has the media of one %s', (_what, view, expected) => {
    const document = documentOf([someone('a', { state: 'connected', ...view })]);
    const media = (endpointOf(document)?.children ?? []).filter(({ name }) => name === 'media');
    expect(media.slice(1).map((one) => [one.attributes['id'], childText(one, 'status')])).toEqual(expected);
    expect(new Set(media.slice(1).map((one) => childText(one, 'type')))).toEqual(new Set(['video']));
    if (peersPresent('xmllint')) expect(schemaErrors([document])).toBe('');
  });

  it('says which media there can be in the room', () => {
    const media = (document: string) =>
      child(readXml(document), 'conference-description', 'available-media')?.children.map(
        ({ attributes }) => attributes['label'],
      );
    expect(media(documentOf([]))).toEqual(['audio', 'video']);
    expect(media(documentOf([], { video: false }))).toEqual(['audio']);
  });

  it('says what HTTP says in an element of our own', () => {
    const view = { muted: { by: 'moderator' }, handRaisedAt: '2026-01-01T00:00:00.000Z', role: 'moderator' } as const;
    const own = child(endpointOf(documentOf([someone('a', { state: 'connected', ...view })])), 'p:participant');
    expect(own?.attributes).toEqual({
      ...{ id: 'a', state: 'connected', role: 'moderator', deaf: 'false' },
      ...{ 'muted-by': 'moderator', 'hand-raised-at': view.handRaisedAt },
    });
  });

  it('has two phones of one user as one user, and two who hide theirs as two', () => {
    const anonymous = { uri: 'sip:anonymous@anonymous.invalid' };
    const uri = 'sip:ann@example.com';
    const info = readXml(
      documentOf([
        someone('a', { uri, role: 'moderator' }),
        someone('b', { uri }),
        someone('c', anonymous),
        someone('d', anonymous),
      ]),
    );
    const users = child(info, 'users')?.children ?? [];
    expect(users.map(({ attributes }) => attributes['entity'])).toEqual([
      uri,
      'sip:anonymous-c@anonymous.invalid',
      'sip:anonymous-d@anonymous.invalid',
    ]);
    expect(users[0]?.children.filter(({ name }) => name === 'endpoint')).toHaveLength(2);
    expect(child(users[0], 'roles')?.children.map(({ text: role }) => role)).toEqual(['moderator', 'participant']);
    expect(childText(info, 'conference-state', 'user-count')).toBe('3');
  });

  it('carries whatever people call themselves', () => {
    const document = documentOf([someone('a', { displayName: HOSTILE, uri: 'sip:"<&>"@example.com' })]);
    const user = child(readXml(document), 'users', 'user');
    expect(childText(user, 'display-text')).toBe(SAID);
    expect(user?.attributes['entity']).toBe('sip:%22%3C&%3E%22@example.com');
  });
});

describe.runIf(peersPresent('xmllint'))('the schema of RFC 4575', () => {
  const states = ['connecting', 'entering', 'lobby', 'waiting', 'connected', 'on-hold', 'disconnecting'] as const;

  it('allows every document that there can be', () => {
    const documents = states.flatMap((state) =>
      (['participant', 'moderator', 'listener'] as const).flatMap((role) => [
        documentOf([someone('a', { state, role, audio: null })], { displayName: HOSTILE }),
        documentOf([someone('out', { state, role, displayName: HOSTILE, muted: { by: 'self' }, deaf: true })]),
      ]),
    );
    expect(schemaErrors([...documents, documentOf([])])).toBe('');
  });

  // Not those with IPv6: libxml2 takes no brackets there, which RFC 2732 allows.
  it.each(['sip:"<&>" ü%zz|^`{}\\@example.com', 'tel:+1-212-555;ext=7', 'sip:a#b#c@x', '%'])(
    'allows a user of %s',
    (uri) => expect(schemaErrors([documentOf([someone('a', { uri })])])).toBe(''),
  );

  it('finds what is wrong', () => {
    const document = documentOf([someone('a', { state: 'connected' })]);
    expect(schemaErrors([document.replace('>connected<', '>present<')])).toMatch(/'present' is not/);
    expect(schemaErrors([document.replace('version="7"', 'version="-7"')])).toMatch(/version/);
    expect(schemaErrors([document.replace('</users>', '')])).not.toBe('');
  });
});
