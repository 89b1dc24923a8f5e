import { expect, it } from 'vitest';
import { ParticipantControls } from '../../server/focus/participant-controls.ts';

it('who may not be recorded is told so to the mixer, shown so, and stays so in another call', () => {
  const controls = new ParticipantControls('participant', false);
  expect([controls.forMixer(true).recorded, controls.view.recorded]).toEqual([true, true]);
  controls.recorded = false;
  expect([controls.forMixer(true).recorded, controls.view.recorded]).toEqual([false, false]);
  // All others hear them as ever.
  expect(controls.forMixer(true)).toMatchObject({ muted: false, deaf: false, apart: false });
  const next = new ParticipantControls('participant', false);
  next.takeOver(controls);
  expect(next.view.recorded).toBe(false);
});
