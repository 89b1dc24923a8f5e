import type { RunningApi } from './running-api.ts';

export interface GoodRequest {
  /** Under /api/v1. */
  path: string;
  json?: unknown;
}

type Make = (api: RunningApi) => GoodRequest | Promise<GoodRequest>;

const at =
  (path: string, json?: unknown): Make =>
  () => ({ path, ...(json !== undefined && { json }) });

const startRecording = async ({ conference }: RunningApi) => (await conference.startRecording('demo')).id;
const makeToken = ({ parts }: RunningApi) =>
  parts.tokens.add({ name: 'x', scope: 'reader', room: null, expiresMs: null })!.view.id;
const makeWebhook = ({ parts }: RunningApi) =>
  parts.webhooks.add({ url: 'http://127.0.0.1:1/', events: [], room: null, secret: null }).webhook.id;

/** For each operation a request that it carries out, over the rooms and users of the fakes. */
export const goodRequests: Readonly<Record<string, Make>> = {
  listRooms: at('/rooms'),
  createRoom: at('/rooms', { name: 'board' }),
  getRoom: at('/rooms/demo'),
  updateRoom: at('/rooms/demo', { locked: true }),
  deleteRoom: at('/rooms/demo'),
  muteRoom: at('/rooms/demo/mute', { muted: true }),
  listParticipants: at('/rooms/demo/participants'),
  addParticipant: at('/rooms/demo/participants', { uri: 'sip:carl@example.com' }),
  getParticipant: at('/rooms/demo/participants/ben'),
  updateParticipant: at('/rooms/demo/participants/ben', { muted: true }),
  removeParticipant: at('/rooms/demo/participants/ben'),
  getDiagnosis: at('/rooms/demo/participants/ben/diagnosis'),
  getTrace: at('/rooms/demo/participants/ben/trace'),
  endConference: at('/rooms/demo/end'),
  announce: at('/rooms/demo/announcements', { prompt: 'conference-ends' }),
  async stopAnnouncement({ conference }) {
    const wanted = { prompt: 'goodbye', recording: null, participant: null, gainDb: 0, repeat: true };
    return { path: `/rooms/demo/announcements/${(await conference.announce('demo', wanted)).id}` };
  },
  openBreakouts: at('/rooms/demo/breakouts', { groups: [{ participants: ['ben'] }] }),
  closeBreakouts: at('/rooms/demo/breakouts'),
  listRecordings: at('/rooms/demo/recordings'),
  startRecording: at('/rooms/demo/recordings'),
  getRecording: async (api) => ({ path: `/rooms/demo/recordings/${await startRecording(api)}` }),
  updateRecording: async (api) => ({
    path: `/rooms/demo/recordings/${await startRecording(api)}`,
    json: { state: 'stopped' },
  }),
  async deleteRecording(api) {
    const id = await startRecording(api);
    await api.conference.stopRecording('demo', id);
    return { path: `/rooms/demo/recordings/${id}` };
  },
  downloadRecording(api) {
    api.conference.file = { path: import.meta.filename, contentType: 'audio/wav', fileName: 'demo.wav' };
    return { path: '/recordings/rec-1/file' };
  },
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
