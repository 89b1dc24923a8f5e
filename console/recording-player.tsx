import { useEffect, useRef, useState } from 'preact/hooks';
import type { RecordingFormat, RecordingView } from '../server/rooms/views.ts';
import { Icon } from './icons.tsx';
import { addressOf } from './recorded-file.ts';
import type { Session } from './session.ts';
import { duration, problemText } from './words.ts';

interface PlayerProps {
  session: Session;
  recording: RecordingView;
  about: string;
}

/** What the captions tell: who spoke, or a mark. */
interface Moment {
  startS: number;
  endS: number;
  text: string;
  isMark: boolean;
}

/** Plays a recording: over its waveform, with who spoke and the marks, each a button that leads there. */
export function RecordingPlayer({ session, recording, about }: PlayerProps) {
  const sound = useFile(session, recording, () => playable(recording));
  const captions = useFile(session, recording, () => 'vtt', true);
  const [moments, setMoments] = useState<readonly Moment[]>([]);
  const [atS, setAtS] = useState(0);
  const audio = useRef<HTMLAudioElement>(null);
  const track = useRef<HTMLTrackElement>(null);
  const hasSound = sound.url !== null;
  useEffect(() => {
    // The browser reads it only then.
    if (track.current) track.current.track.mode = 'hidden';
  }, [hasSound]);
  const lengthS = (recording.durationMs ?? 0) / 1000;
  const jump = (toS: number) => {
    const player = audio.current;
    if (player === null) return;
    player.currentTime = toS;
    void player.play().catch(() => undefined);
  };
  if (sound.problem !== null) return <p class="problem">{sound.problem}</p>;
  if (sound.url === null) return <p class="hint">Loading …</p>;
  const marks = moments.filter(({ isMark }) => isMark);
  return (
    <div class="player">
      <Waveform {...{ session, recording, atS, lengthS, marks, jump }} />
      <audio
        ref={audio}
        controls
        autoplay
        src={sound.url}
        aria-label={about}
        onTimeUpdate={({ currentTarget }) => setAtS(currentTarget.currentTime)}
      >
        <track
          ref={track}
          kind="captions"
          srclang="en"
          label="Who speaks"
          src={captions.url ?? ''}
          onLoad={() => setMoments([...(track.current?.track.cues ?? [])].flatMap(momentOf))}
        />
      </audio>
      <Moments title="Marks" moments={marks} atS={atS} jump={jump} />
      <Moments title="Who spoke" moments={moments.filter(({ isMark }) => !isMark)} atS={atS} jump={jump} />
    </div>
  );
}

interface LoadedFile {
  url: string | null;
  problem: string | null;
}

/** The address of a file of the recording, when there is one. `whole`: as a `blob:`, as what reads it cannot wait. */
function useFile(session: Session, recording: RecordingView, choose: () => RecordingFormat, whole = false): LoadedFile {
  const [file, setFile] = useState<LoadedFile>({ url: null, problem: null });
  useEffect(() => {
    let gone = false;
    let made: string | null = null;
    const wanted = { format: choose(), normalized: false };
    const load = async () => {
      if (!whole) return addressOf(session, recording.id, wanted);
      return URL.createObjectURL(await session.api.recordingFile(recording.id, wanted));
    };
    const free = () => made?.startsWith('blob:') && URL.revokeObjectURL(made);
    load().then(
      (url) => {
        made = url;
        if (gone) free();
        else setFile({ url, problem: null });
      },
      (error: unknown) => {
        if (!gone) setFile({ url: null, problem: problemText(error) });
      },
    );
    return () => {
      gone = true;
      free();
    };
  }, [session, recording.id]);
  return file;
}

const SOUNDS = [
  ['m4a', 'audio/mp4; codecs="mp4a.40.2"'],
  ['ogg', 'audio/ogg; codecs="opus"'],
  ['mp3', 'audio/mpeg'],
  ['wav', 'audio/wav'],
] as const;

/** What is there already, if the browser plays it; else the smallest that it plays. */
function playable({ files }: RecordingView): RecordingFormat {
  const player = document.createElement('audio');
  const known = SOUNDS.filter(([, type]) => player.canPlayType(type) !== '').map(([format]) => format);
  const isReady = (wanted: RecordingFormat) =>
    files.some(({ format, normalized, state }) => format === wanted && !normalized && state === 'ready');
  return known.find(isReady) ?? known[0] ?? 'wav';
}

interface WaveformProps {
  session: Session;
  recording: RecordingView;
  atS: number;
  lengthS: number;
  marks: readonly Moment[];
  jump: (toS: number) => void;
}

/** To be seen, and pressed; the player below does the same for the keyboard and for screen readers. */
function Waveform({ session, recording, atS, lengthS, marks, jump }: WaveformProps) {
  const picture = useFile(session, recording, () => 'png', true);
  if (picture.url === null) return null;
  const press = ({ currentTarget, clientX }: MouseEvent) => {
    if (!(currentTarget instanceof Element)) return;
    const { left, width } = currentTarget.getBoundingClientRect();
    jump(((clientX - left) / width) * lengthS);
  };
  return (
    <div class="waveform" aria-hidden="true" onClick={press}>
      <img src={picture.url} alt="" />
      {marks.map(({ startS }, index) => (
        <At key={index} share={startS / lengthS} kind="mark-line" />
      ))}
      <At share={atS / lengthS} kind="playhead" />
    </div>
  );
}

/** A line in the picture. By the style sheet's own variable, as the page's policy allows no style in the page. */
function At({ share, kind }: { share: number; kind: string }) {
  const line = useRef<HTMLSpanElement>(null);
  useEffect(() => line.current?.style.setProperty('--at', Math.min(1, Math.max(0, share)).toFixed(4)), [share]);
  return <span ref={line} class={kind} />;
}

function momentOf(cue: TextTrackCue): Moment[] {
  if (!(cue instanceof VTTCue)) return [];
  const { startTime: startS, endTime: endS } = cue;
  const isMark = cue.text.startsWith('<c.mark>');
  return [{ startS, endS, isMark, text: cue.getCueAsHTML().textContent ?? '' }];
}

interface MomentsProps {
  title: string;
  moments: readonly Moment[];
  atS: number;
  jump: (toS: number) => void;
}

function Moments({ title, moments, atS, jump }: MomentsProps) {
  if (moments.length === 0) return null;
  return (
    <div>
      <h3>{title}</h3>
      <ol class="moments">
        {moments.map(({ startS, endS, text, isMark }, index) => (
          // Two may begin at once, and none ever moves.
          <li key={index}>
            <button
              type="button"
              class="quiet"
              aria-current={startS <= atS && atS < endS ? 'true' : undefined}
              onClick={() => jump(startS)}
            >
              {isMark && <Icon name="mark" />}
              <span class="time">{duration(startS * 1000)}</span>
              <span>{text}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  );
}
