import type { Operation } from './operation.ts';
import { participantOperations } from './participant-operations.ts';
import { recordingOperations } from './recording-operations.ts';
import { roomOperations } from './room-operations.ts';
import { userOperations } from './user-operations.ts';

/** The whole API. */
export const operations: readonly Operation[] = [
  ...roomOperations,
  ...participantOperations,
  ...recordingOperations,
  ...userOperations,
];
