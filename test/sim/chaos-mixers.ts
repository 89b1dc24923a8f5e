import type { MixerProcessOptions } from '../../server/mixers/mixer-process.ts';
import { FakeMixerProcess } from './chaos-mixer.ts';
import { FakeVideoMixerProcess } from './chaos-video-mixer.ts';

/** In the place of `MixerProcess`: a fake one of the kind that is asked for. */
export const ChaosMixerProcess = function chaosMixerProcess(options: MixerProcessOptions<never, never>) {
  const isVideo = options.program.path.includes('video');
  return isVideo ? new FakeVideoMixerProcess(options as never) : new FakeMixerProcess(options as never);
};
