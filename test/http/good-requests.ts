import { Readable } from 'node:stream';
import type { RunningApi } from './running-api.ts';

export interface GoodRequest {
  /** Under /api/v1. */
  path: string;
  json?: unknown;
  /** Instead of JSON. */
  body?: string;
}

type Make = (api: RunningApi) => GoodRequest | Promise<GoodRequest>;

const at =
  (path: string, json?: unknown): Make =>
  () => ({ path, ...(json !== undefined && { json }) });

const startRecording = async ({ conference }: RunningApi) => (await conference.startRecording('demo', {})).id;
const stopRecording = async (api: RunningApi) => {
  const id = await startRecording(api);
  await api.conference.updateRecording('demo', id, 'stopped');
  return id;
};
const announce = async ({ conference }: RunningApi) => {
  const what = { prompt: 'goodbye', recording: null, sound: null, participant: null };
  return (await conference.announce('demo', { ...what, gainDb: 0, startMs: 0, repeat: true })).id;
};
const addSound = async ({ sounds }: RunningApi) => (await sounds.add(Readable.from(['x']), 'x')).id;
const makeToken = ({ parts }: RunningApi) =>
  parts.tokens.add({ name: 'x', scope: 'reader', room: null, expiresMs: null })!.view.id;
const makeWebhook = ({ parts }: RunningApi) =>
  parts.webhooks.add({ url: 'http://127.0.0.1:1/', events: [], room: null, secret: null }).webhook.id;

/** For each operation a request that it carries out, over the rooms and users of the fakes. */
export const goodRequests: Readonly<Record<string, Make>> = {
  listRooms: at('/rooms'),
  createRoom: at('/rooms', { name: 'board' }),
  getRoom: at('/rooms/demo'),
  updateRoom: at('/rooms/demo', { locked: true, layout: 'speaker', spotlight: ['ben'], places: [null, 'anna'] }),
  getRoomPicture: at('/rooms/demo/picture.jpg?width=320'),
  deleteRoom: at('/rooms/demo'),
  giveFloor: at('/rooms/demo/floor', { participants: ['ben'] }),
  freeFloor: at('/rooms/demo/floor'),
  muteRoom: at('/rooms/demo/mute', { muted: true }),
  listParticipants: at('/rooms/demo/participants'),
  addParticipant: at('/rooms/demo/participants', { uri: 'sip:carl@example.com' }),
  getParticipant: at('/rooms/demo/participants/ben'),
  updateParticipant: at('/rooms/demo/participants/ben', { muted: true, camera: false, layout: 'grid', hideSelf: true }),
  removeParticipant: at('/rooms/demo/participants/ben'),
  getDiagnosis: at('/rooms/demo/participants/ben/diagnosis'),
  getTrace: at('/rooms/demo/participants/ben/trace'),
  endConference: at('/rooms/demo/end'),
  announce: at('/rooms/demo/announcements', { prompt: 'conference-ends' }),
  listAnnouncements: at('/rooms/demo/announcements'),
  getAnnouncement: async (api) => ({ path: `/rooms/demo/announcements/${await announce(api)}` }),
  updateAnnouncement: async (api) => ({
    path: `/rooms/demo/announcements/${await announce(api)}`,
    json: { gainDb: -6, positionMs: 2000 },
  }),
  stopAnnouncement: async (api) => ({ path: `/rooms/demo/announcements/${await announce(api)}` }),
  sendMessage: at('/rooms/demo/messages', { text: 'Grüße', to: ['ben'] }),
  openBreakouts: at('/rooms/demo/breakouts', { groups: [{ participants: ['ben'] }] }),
  closeBreakouts: at('/rooms/demo/breakouts'),
  listRecordings: at('/rooms/demo/recordings'),
  startRecording: at('/rooms/demo/recordings'),
  getRecording: async (api) => ({ path: `/rooms/demo/recordings/${await startRecording(api)}` }),
  updateRecording: async (api) => ({
    path: `/rooms/demo/recordings/${await startRecording(api)}`,
    json: { state: 'stopped' },
  }),
  markRecording: async (api) => ({
    path: `/rooms/demo/recordings/${await startRecording(api)}/marks`,
    json: { text: 'a decision' },
  }),
  deleteRecording: async (api) => ({ path: `/rooms/demo/recordings/${await stopRecording(api)}` }),
  listAllRecordings: at('/recordings?q=demo&from=2026-01-01T00:00:00Z'),
  findRecording: async (api) => ({ path: `/recordings/${await startRecording(api)}` }),
  removeRecording: async (api) => ({ path: `/recordings/${await stopRecording(api)}` }),
  async downloadRecording(api) {
    const about = { contentType: 'audio/wav', fileName: 'demo.wav', sha256: 'ab'.repeat(32) };
    api.conference.file = { path: import.meta.filename, ...about };
    return { path: `/recordings/${await stopRecording(api)}/file` };
  },
  makeRecordingFile: async (api) => ({
    path: `/recordings/${await stopRecording(api)}/files`,
    json: { format: 'mp3', normalized: true },
  }),
  linkRecording: async (api) => ({ path: `/recordings/${await stopRecording(api)}/links`, json: { format: 'm4a' } }),
  listSounds: at('/sounds'),
  addSound: () => ({ path: '/sounds?name=gong', body: 'any' }),
  getSound: async (api) => ({ path: `/sounds/${await addSound(api)}` }),
  deleteSound: async (api) => ({ path: `/sounds/${await addSound(api)}` }),
  listCalls: at('/calls'),
  listConferences: at('/conferences'),
  streamEvents: at('/events'),
  streamRoomEvents: at('/rooms/demo/events'),
  listUsers: at('/users'),
  getUser: at('/users/alice'),
  putUser: at('/users/bob', { password: 'wonderland' }),
  deleteUser: at('/users/alice'),
  listRegistrations: at('/users/alice/registrations'),
  deleteRegistrations: at('/users/alice/registrations'),
  getAccess: at('/access'),
  listTokens: at('/tokens'),
  createToken: at('/tokens', { name: 'x', scope: 'moderator', room: 'demo' }),
  getToken: (api) => ({ path: `/tokens/${makeToken(api)}` }),
  deleteToken: (api) => ({ path: `/tokens/${makeToken(api)}` }),
  listWebhooks: at('/webhooks'),
  createWebhook: at('/webhooks', { url: 'https://example.com/hook' }),
  getWebhook: (api) => ({ path: `/webhooks/${makeWebhook(api)}` }),
  deleteWebhook: (api) => ({ path: `/webhooks/${makeWebhook(api)}` }),
  listWebhookFailures: (api) => ({ path: `/webhooks/${makeWebhook(api)}/failures` }),
  retryWebhookFailures: (api) => ({ path: `/webhooks/${makeWebhook(api)}/failures` }),
};
