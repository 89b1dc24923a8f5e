import { anybody, anyRoom } from './chaos-choices.ts';
import type { ChaosDay } from './chaos-day.ts';

/** Pictures come, or come no more, or later than their sound; or a key frame is needed. */
export function pictures(day: ChaosDay): void {
  const { random } = day;
  const all = [...day.server.videoProcesses].flatMap((mixer) =>
    [...mixer.streams.values()].map(({ key }) => ({ mixer, key })),
  );
  if (all.length === 0) return;
  const { mixer, key } = random.pick(all);
  const { leg } = key;
  day.pictures++;
  const size = random.chance(0.3) ? null : { width: 640, height: 360 };
  mixer.happens({ event: 'streamPicture', ...key, size });
  if (random.chance(0.3)) mixer.happens({ event: 'soundTooEarly', leg, delayMs: random.below(200) });
  if (random.chance(0.2)) mixer.happens({ event: 'keyFrameWanted', ...key });
}

export function camera({ random, phones }: ChaosDay): void {
  const up = phones.filter((phone) => phone.isUp);
  if (up.length > 0) random.pick(up).turnCamera();
}

/** Who is seen large, and who where. */
export function stage(day: ChaosDay): void {
  const { random, server } = day;
  const who = anybody(day);
  if (who === null) return;
  const { room, participant } = who;
  const places = random.chance(0.3) ? [] : [null, participant.id];
  const wanted = random.chance(0.5) ? { places } : { spotlight: random.chance(0.3) ? [] : [participant.id] };
  day.http(() => server.conference.conferences.updateRoom(room.name, wanted));
}

export function look(day: ChaosDay): void {
  const { name } = anyRoom(day);
  day.http(() => day.server.conference.conferences.picture(name, 640));
}
