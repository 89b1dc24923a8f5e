import { writeFile } from 'node:fs/promises';
import type { Leg } from '../leg.ts';
import { MixerFailure } from '../mixer-failure.ts';
import type { MixerParams, MixerResult } from '../protocol.ts';
import { VOICE_RATE_HZ, VoiceRecorder } from './voice-recorder.ts';
import { wavFile } from './wav.ts';

const LONGEST_MS = 60_000;

/** See `recordLeg` of the protocol. */
export async function recordVoice(leg: Leg, params: MixerParams<'recordLeg'>): Promise<MixerResult<'recordLeg'>> {
  const { path, maxMs, endsAtSilenceMs } = params;
  if (!(maxMs > 0 && maxMs <= LONGEST_MS)) {
    throw new MixerFailure('bad-request', `maxMs must be 1 to ${LONGEST_MS}, not ${maxMs}`);
  }
  const pcm = await new Promise<Int16Array>((resolve, reject) => {
    if (leg.record(new VoiceRecorder({ maxMs, endsAtSilenceMs, ended: resolve }))) return;
    reject(new MixerFailure('already-exists', `leg ${params.leg} is being recorded`));
  });
  if (pcm.length === 0) return { durationMs: 0 };
  try {
    await writeFile(path, wavFile(pcm, VOICE_RATE_HZ), { mode: 0o640 });
  } catch (error) {
    throw new MixerFailure('cannot-write', error instanceof Error ? error.message : String(error));
  }
  return { durationMs: (pcm.length * 1000) / VOICE_RATE_HZ };
}
