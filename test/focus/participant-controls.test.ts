import { expect, it } from 'vitest';
import { ParticipantControls } from '../../server/focus/participant-controls.ts';

it('what is decided about a picture is no matter of the mixer of the sound, and stays in another call', () => {
  const controls = new ParticipantControls('participant', false);
  const before = controls.forMixer(true);
  controls.decide({ camera: false, layout: 'grid', hideSelf: true });
  expect(controls.forMixer(true)).toEqual(before);
  const next = new ParticipantControls('participant', false);
  next.takeOver(controls);
  expect(next.view).toMatchObject({ camera: false, layout: 'grid', hideSelf: true });
});

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
