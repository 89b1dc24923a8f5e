/**
 * Who has the floor: of all who make sound, the loudest few are heard.
 *
 * A place in the mix is taken at once while one is free. When all are taken, the weakest gives way to one who has spoken
 * for two ticks and is clearly louder; but not within a second of its own first word, unless it rests. Steady noise makes
 * no claim: loudness is that of speech, which is what stands out from a line's own noise.
 */

import { TICK_MS } from '../room-clock.ts';

/** Loudness falls so slowly that a talker keeps the place from one syllable to the next. */
const DECAY_DB_PER_TICK = 0.4;
const CLEARLY_LOUDER_DB = 3;
/** A click is no word. */
const ATTACK_TICKS = 2;
const HOLD_TICKS = 1000 / TICK_MS;
/** Longer than the stops within words, shorter than a pause between two sentences. */
const REST_TICKS = 200 / TICK_MS;
/** RFC 6464 §3: the lowest audio level. */
const SILENCE_DB = -127;

/** One participant's claim to the floor. Its owner says each tick what there is to hear. */
export class Speaker {
  /** In the mix, as the floor decided. */
  heard = false;
  /** Of this tick: whether it stands out from the line's own noise, and its level, dBov. */
  speaking = false;
  levelDb = SILENCE_DB;
  /** Level of what was spoken, falling slowly since. */
  loudnessDb = SILENCE_DB;
  speakingTicks = 0;
  restTicks = 0;
  heardTicks = 0;

  /** There is no sound at all. */
  leave(): void {
    this.heard = false;
    this.speaking = false;
    this.loudnessDb = SILENCE_DB;
    this.speakingTicks = 0;
    this.heardTicks = 0;
  }

  listen(): void {
    const fallen = Math.max(this.loudnessDb - DECAY_DB_PER_TICK, SILENCE_DB);
    this.loudnessDb = this.speaking ? Math.max(this.levelDb, fallen) : fallen;
    this.speakingTicks = this.speaking ? this.speakingTicks + 1 : 0;
    this.restTicks = this.speaking ? 0 : this.restTicks + 1;
  }
}

export class Floor {
  private readonly maxTalkers: number;

  constructor(maxTalkers: number) {
    this.maxTalkers = maxTalkers;
  }

  /** Decides who of `present`, all who make sound in this tick, is heard. */
  decide(present: readonly Speaker[]): void {
    let heard = 0;
    for (let index = 0; index < present.length; index++) {
      present[index]!.listen();
      if (present[index]!.heard) heard++;
    }
    for (; heard < this.maxTalkers; heard++) {
      const next = loudestWaiting(present);
      if (!next) break;
      next.heard = true;
      next.heardTicks = 0;
    }
    if (present.length > this.maxTalkers) challenge(present);
    for (let index = 0; index < present.length; index++) if (present[index]!.heard) present[index]!.heardTicks++;
  }
}

/** One place a tick may change hands. */
function challenge(present: readonly Speaker[]): void {
  const challenger = loudestWaiting(present);
  const weakest = weakestHeard(present);
  if (!challenger || !weakest || challenger.speakingTicks < ATTACK_TICKS) return;
  if (challenger.loudnessDb < weakest.loudnessDb + CLEARLY_LOUDER_DB) return;
  if (weakest.heardTicks < HOLD_TICKS && weakest.restTicks < REST_TICKS) return;
  weakest.heard = false;
  challenger.heard = true;
  challenger.heardTicks = 0;
}

function loudestWaiting(present: readonly Speaker[]): Speaker | null {
  let loudest: Speaker | null = null;
  for (let index = 0; index < present.length; index++) {
    const speaker = present[index]!;
    if (!speaker.heard && (!loudest || speaker.loudnessDb > loudest.loudnessDb)) loudest = speaker;
  }
  return loudest;
}

function weakestHeard(present: readonly Speaker[]): Speaker | null {
  let weakest: Speaker | null = null;
  for (let index = 0; index < present.length; index++) {
    const speaker = present[index]!;
    if (speaker.heard && (!weakest || speaker.loudnessDb < weakest.loudnessDb)) weakest = speaker;
  }
  return weakest;
}
