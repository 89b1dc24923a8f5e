import type { RecordingFileView, RecordingView } from '../server/rooms/views.ts';
import { type Api, ApiError, type WantedFile } from './api.ts';
import { saveBlob, saveFrom } from './save-file.ts';
import type { Session } from './session.ts';

/** Links that the page makes for itself: a recording may be played for long. */
const LINK_SECONDS = 24 * 3600;
/** Where no event comes, as without a stream. */
const LOOK_EVERY_MS = 2000;

/** The file, as far as it is made; undefined: nobody has asked for it. */
export function fileOf({ files }: RecordingView, wanted: WantedFile): RecordingFileView | undefined {
  return files.find(({ format, normalized }) => format === wanted.format && normalized === wanted.normalized);
}

/**
 * Where the file is to be had without a token, for a player. Who may make no links gets the whole of it, as a `blob:` that is to
 * be given back. Rejects with `ApiError`.
 */
export async function addressOf({ api, mayModerate }: Session, id: string, wanted: WantedFile): Promise<string> {
  if (!mayModerate) return URL.createObjectURL(await api.recordingFile(id, wanted));
  return (await api.recordingLink(id, wanted, LINK_SECONDS)).url;
}

/** Hands the file to the browser's downloads, when it has been made. Rejects with `ApiError`. */
export async function download(session: Session, recording: RecordingView, wanted: WantedFile): Promise<void> {
  const { api, mayModerate } = session;
  if (!mayModerate) {
    const name = `${recording.room}-${recording.startedAt.slice(0, 19).replaceAll(':', '')}.${wanted.format}`;
    return saveBlob(await api.recordingFile(recording.id, wanted), name);
  }
  await made(session, recording.id, wanted);
  saveFrom((await api.recordingLink(recording.id, wanted, LINK_SECONDS)).url);
}

type FileMaker = Pick<Session, 'onRecording'> & { api: Pick<Api, 'makeRecordingFile' | 'recording'> };

/** Settled when the file is there. Rejects with `ApiError` when it cannot be made. */
export async function made(session: FileMaker, id: string, wanted: WantedFile): Promise<void> {
  let file: RecordingFileView | undefined = await session.api.makeRecordingFile(id, wanted);
  while (file?.state === 'queued' || file?.state === 'working') {
    file = await nextOf(session, id, wanted);
  }
  if (file?.state === 'ready') return;
  throw new ApiError('file-not-made', 503, 'The file could not be made', file?.error ?? null);
}

/** The file as the next event has it, or the server after a while. */
function nextOf(session: FileMaker, id: string, wanted: WantedFile): Promise<RecordingFileView | undefined> {
  return new Promise((resolve, reject) => {
    const end = session.onRecording((recording, removed) => {
      if (recording.id === id) done(Promise.resolve(removed ? undefined : fileOf(recording, wanted)));
    });
    const timer = setTimeout(() => done(asked(session.api, id, wanted)), LOOK_EVERY_MS);
    const done = (found: Promise<RecordingFileView | undefined>) => {
      end();
      clearTimeout(timer);
      found.then(resolve, reject);
    };
  });
}

const asked = async (api: FileMaker['api'], id: string, wanted: WantedFile) => fileOf(await api.recording(id), wanted);
