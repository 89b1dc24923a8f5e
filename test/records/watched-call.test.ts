import { expect, it } from 'vitest';
import { describeCallEnd } from '../../server/records/watched-call.ts';

it('a call that we could not make was not ended by whom we called', () => {
  const ours = describeCallEnd({ cause: 'rejected', status: 503 }, 'No media ports free', 'out');
  expect(ours).toEqual({ cause: 'rejected', status: 503, reason: 'No media ports free', endedBy: 'server' });
  const theirs = describeCallEnd({ cause: 'rejected', status: 486, reason: 'Busy Here' }, null, 'out');
  expect(theirs).toEqual({ cause: 'rejected', status: 486, reason: 'Busy Here', endedBy: 'participant' });
});
