import { Fragment } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { DiagnosisView } from '../server/diagnosis/diagnosis-view.ts';
import type { ParticipantView } from '../server/rooms/views.ts';
import { Action } from './controls.tsx';
import {
  delayWords,
  type Figure,
  factsOf,
  figuresOf,
  pictureFiguresOf,
  pictureTitle,
  sentencesOf,
} from './diagnosis-words.ts';
import { saveBlob } from './save-file.ts';
import type { Session } from './session.ts';
import { nameOf } from './words.ts';

interface DiagnosisProps {
  session: Session;
  room: string;
  view: ParticipantView;
}

const ASK_EVERY_MS = 3000;

/** Why somebody cannot be heard, or does not hear: asked anew while it is looked at, and when something was decided. */
export function Diagnosis({ session, room, view }: DiagnosisProps) {
  const [diagnosis, setDiagnosis] = useState<DiagnosisView | null>(null);
  const decided = JSON.stringify([view.state, view.role, view.muted, view.deaf, view.gainDb, view.volumeDb]);
  useEffect(() => {
    const gone = new AbortController();
    const ask = async () => {
      // They may have left; then this goes away too.
      const found = await session.api.diagnosis(room, view.id, gone.signal).catch(() => null);
      if (!gone.signal.aborted && found !== null) setDiagnosis(found);
    };
    void ask();
    const timer = setInterval(() => void ask(), ASK_EVERY_MS);
    return () => {
      clearInterval(timer);
      gone.abort();
    };
  }, [session, room, view.id, decided]);
  if (diagnosis === null) return <p class="hint">Measuring …</p>;
  const delay = delayWords(diagnosis);
  return (
    <div class="diagnosis">
      <h3>Sound</h3>
      {sentencesOf(diagnosis).map((sentence) => (
        <p key={sentence}>{sentence}</p>
      ))}
      <Figures figures={figuresOf(diagnosis)} />
      {delay !== null && <p class="hint">{delay}</p>}
      <Facts diagnosis={diagnosis} />
      {diagnosis.pictures.map((one) => (
        <Fragment key={one.stream}>
          <h3>{pictureTitle(one)}</h3>
          <Figures figures={pictureFiguresOf(one)} />
        </Fragment>
      ))}
      {session.mayModerate && <TraceDownload session={session} room={room} view={view} />}
    </div>
  );
}

function Figures({ figures }: { figures: readonly Figure[] }) {
  return (
    <table>
      <thead>
        <tr>
          <td />
          <th scope="col">From them</th>
          <th scope="col">To them</th>
        </tr>
      </thead>
      <tbody>
        {figures.map(([what, from, to]) => (
          <tr key={what}>
            <th scope="row">{what}</th>
            <td>{from}</td>
            <td>{to}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

function Facts({ diagnosis }: { diagnosis: DiagnosisView }) {
  return (
    <dl>
      {factsOf(diagnosis, (time) => timeOfDay.format(new Date(time))).map(({ about, says }) => (
        <div key={about}>
          <dt>{about}</dt>
          {says.map((said) => (
            <dd key={said}>{said}</dd>
          ))}
        </div>
      ))}
    </dl>
  );
}

function TraceDownload({ session, room, view }: DiagnosisProps) {
  const save = () => session.act(async (api) => saveBlob(await api.sipTrace(room, view.id), `${room}-${view.id}.pcap`));
  return (
    <div class="buttons">
      <Action icon="download" label="Download SIP trace" about={`of ${nameOf(view)}`} act={save} />
    </div>
  );
}
