import { conferenceOperations } from './conference-operations.ts';
import { diagnosisOperations } from './diagnosis-operations.ts';
import { eventOperations } from './event-operations.ts';
import type { Operation } from './operation.ts';
import { participantOperations } from './participant-operations.ts';
import { recordOperations } from './record-operations.ts';
import { recordingOperations } from './recording-operations.ts';
import { roomOperations } from './room-operations.ts';
import { soundOperations } from './sound-operations.ts';
import { tokenOperations } from './token-operations.ts';
import { userOperations } from './user-operations.ts';
import { webhookOperations } from './webhook-operations.ts';

/** The whole API. */
export const operations: readonly Operation[] = [
  ...roomOperations,
  ...participantOperations,
  ...diagnosisOperations,
  ...conferenceOperations,
  ...recordingOperations,
  ...recordOperations,
  ...soundOperations,
  ...eventOperations,
  ...userOperations,
  ...tokenOperations,
  ...webhookOperations,
];
