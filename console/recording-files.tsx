import { useId, useRef, useState } from 'preact/hooks';
import type { RecordingFormat, RecordingView } from '../server/rooms/views.ts';
import type { WantedFile } from './api.ts';
import { Action, Dialog } from './controls.tsx';
import { Icon } from './icons.tsx';
import { download, fileOf } from './recorded-file.ts';
import type { Session } from './session.ts';
import { fileSize, formatWords, whenWords } from './words.ts';

interface FilesProps {
  session: Session;
  recording: RecordingView;
  about: string;
}

const SOUND: readonly RecordingFormat[] = ['m4a', 'mp3', 'wav', 'ogg', 'mka'];
const VIDEO: readonly RecordingFormat[] = ['mp4', 'webm', 'mkv'];
const STILLS: readonly RecordingFormat[] = ['poster', 'sheet'];
const TRACKS: readonly RecordingFormat[] = ['zip', 'tracks'];
const REST: readonly RecordingFormat[] = ['vtt', 'jsonl', 'png'];

/** Every file that there can be of a recording: to be saved, or to be passed on as a link. */
export function RecordingFiles({ session, recording, about }: FilesProps) {
  const [format, setFormat] = useState<RecordingFormat>('m4a');
  const [even, setEven] = useState(false);
  const [linking, setLinking] = useState(false);
  const id = useId();
  const hasSound = SOUND.includes(format) || VIDEO.includes(format);
  const wanted = { format, normalized: even && hasSound };
  return (
    <div class="files">
      <div class="field">
        <label for={id}>
          File<span class="unseen"> of {about}</span>
        </label>
        <select
          id={id}
          value={format}
          onChange={({ currentTarget }) => setFormat(currentTarget.value as RecordingFormat)}
        >
          {recording.video && <Formats label="Picture and sound" formats={VIDEO} />}
          <Formats label="Sound" formats={SOUND} />
          {recording.tracks && <Formats label="Each participant" formats={TRACKS} />}
          <Formats label="About it" formats={recording.video ? [...REST, ...STILLS] : REST} />
        </select>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={wanted.normalized}
          disabled={!hasSound}
          onChange={({ currentTarget }) => setEven(currentTarget.checked)}
        />
        Even loudness
      </label>
      <div class="buttons">
        <Action
          key={`${format} ${wanted.normalized}`}
          icon="download"
          label="Download"
          about={about}
          kind="primary"
          act={() => session.act(() => download(session, recording, wanted))}
        />
        {session.mayModerate && (
          <button type="button" onClick={() => setLinking(true)}>
            <Icon name="link" />
            <span>Link</span>
            <span class="unseen"> to the file of {about}</span>
          </button>
        )}
      </div>
      <p class="hint" role="status">
        {stateOf(recording, wanted)}
      </p>
      {linking && <LinkDialog {...{ session, recording, wanted }} close={() => setLinking(false)} />}
    </div>
  );
}

function Formats({ label, formats }: { label: string; formats: readonly RecordingFormat[] }) {
  return (
    <optgroup label={label}>
      {formats.map((format) => (
        <option key={format} value={format}>
          {formatWords[format]}
        </option>
      ))}
    </optgroup>
  );
}

/** How far it is shown by a bar; this is also said. */
function stateOf(recording: RecordingView, wanted: WantedFile): string {
  const file = fileOf(recording, wanted);
  switch (file?.state) {
    case 'ready':
      return file.bytes === null ? 'It is ready.' : `It is ready: ${fileSize(file.bytes)}.`;
    case 'queued':
    case 'working':
      return 'It is being made.';
    case 'failed':
      return `It could not be made${file.error === null ? '' : `: ${file.error}`}. Download tries again.`;
    default:
      return 'It is made when it is wanted, which may take a while.';
  }
}

const LIFETIMES = [
  ['1 hour', 3600],
  ['1 day', 24 * 3600],
  ['1 week', 7 * 24 * 3600],
] as const;

interface LinkDialogProps {
  session: Session;
  recording: RecordingView;
  wanted: WantedFile;
  close: () => void;
}

function LinkDialog({ session, recording, wanted, close }: LinkDialogProps) {
  const [seconds, setSeconds] = useState<number>(LIFETIMES[1][1]);
  const [link, setLink] = useState<{ url: string; expiresAt: string } | null>(null);
  const id = useId();
  const make = () =>
    session.act(async (api) => {
      const { url, expiresAt } = await api.recordingLink(recording.id, wanted, seconds);
      setLink({ url: new URL(url, location.origin).href, expiresAt });
      // What is made by now need not be waited for by who follows the link.
      await api.makeRecordingFile(recording.id, wanted);
    });
  return (
    <Dialog title="Link to the file" close={close}>
      <p>Whoever has it can download “{formatWords[wanted.format]}” without a token, until it expires.</p>
      <div class="field">
        <label for={id}>Good for</label>
        <select
          id={id}
          value={seconds}
          onChange={({ currentTarget }) => {
            setSeconds(Number(currentTarget.value));
            setLink(null);
          }}
        >
          {LIFETIMES.map(([words, value]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </select>
      </div>
      {link !== null && <LinkField {...link} />}
      <div class="buttons">
        <button type="button" onClick={close}>
          Close
        </button>
        {link === null && <Action label="Make the link" kind="primary" act={make} />}
      </div>
    </Dialog>
  );
}

function LinkField({ url, expiresAt }: { url: string; expiresAt: string }) {
  const input = useRef<HTMLInputElement>(null);
  const [said, setSaid] = useState('');
  const id = useId();
  const copy = async () => {
    input.current?.select();
    // Over plain HTTP from another machine the browser has no clipboard for us.
    const copied = await navigator.clipboard?.writeText(url).then(
      () => true,
      () => false,
    );
    setSaid(copied ? 'It is copied.' : 'It is selected: copy it by hand.');
  };
  return (
    <>
      <div class="field link">
        <label for={id}>Link, until {whenWords(expiresAt)}</label>
        <input ref={input} id={id} readOnly value={url} />
        <Action icon="link" label="Copy" about="the link" kind="primary" act={copy} />
      </div>
      <p class="hint" role="status">
        {said}
      </p>
    </>
  );
}
