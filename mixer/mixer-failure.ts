import type { MixerErrorCode } from './protocol.ts';

/** Why a request cannot be done, as it is told to the server. */
export class MixerFailure extends Error {
  readonly code: MixerErrorCode;

  constructor(code: MixerErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
