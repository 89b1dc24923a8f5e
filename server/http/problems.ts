import type { ServerResponse } from 'node:http';
import type { ControlErrorCode } from '../focus/control.ts';

interface ProblemKind {
  status: number;
  title: string;
  /** For the documents. */
  meaning: string;
}

/** Every code that an answer can carry; docs/api.md tells the same. Codes are stable: never rename one. */
export const problemKinds = {
  'malformed-request': {
    status: 400,
    title: 'The request is not HTTP',
    meaning: 'The bytes are no HTTP request, or its path is not properly escaped.',
  },
  'malformed-json': { status: 400, title: 'The body is not JSON', meaning: 'The body cannot be read as JSON.' },
  'invalid-body': {
    status: 400,
    title: 'The body is not as described',
    meaning: 'A member is missing, unknown, or has a value that it cannot have; `errors` says which.',
  },
  'invalid-query': {
    status: 400,
    title: 'The query is not as described',
    meaning: 'A query parameter is unknown, repeated, or has a value that it cannot have; `errors` says which.',
  },
  'room-name-invalid': {
    status: 400,
    title: 'This cannot be the name of a room',
    meaning: 'The name has characters that a room name cannot have, or is too long.',
  },
  'user-name-invalid': {
    status: 400,
    title: 'This cannot be the name of a user',
    meaning: 'The name has other characters than lower-case letters, digits and `.`, `_`, `+`, `-`, or is too long.',
  },
  'participant-uri-invalid': {
    status: 400,
    title: 'This cannot be called',
    meaning: 'The `uri` is no SIP address, or has headers or a method in it.',
  },
  'webhook-url-invalid': {
    status: 400,
    title: 'A webhook cannot have this URL',
    meaning: 'The `url` is no `https` or `http` URL, or it leads to an address that is not allowed; `detail` says why.',
  },
  'idempotency-key-invalid': {
    status: 400,
    title: 'This cannot be an idempotency key',
    meaning: '`Idempotency-Key` must be 1 to 255 visible ASCII characters.',
  },
  'room-policy-invalid': {
    status: 400,
    title: 'The policy contradicts itself',
    meaning:
      'Members do not go together, such as two equal PINs, or `notAfter` before `notBefore`; `detail` says which.',
  },
  'authentication-required': {
    status: 401,
    title: 'A token is needed',
    meaning: 'There is no `Authorization: Bearer` header.',
  },
  'authentication-failed': {
    status: 401,
    title: 'The token is wrong',
    meaning: 'The bearer token is not a right one, or it has expired or was removed.',
  },
  'scope-insufficient': {
    status: 403,
    title: 'The token does not allow this',
    meaning: 'The token is right, but not for this; `WWW-Authenticate` names the `scope` that is needed.',
  },
  'link-invalid': {
    status: 403,
    title: 'The link is not good',
    meaning: 'The link was not made here, was changed, or has expired.',
  },
  'not-found': { status: 404, title: 'There is nothing here', meaning: 'No resource has this path.' },
  'room-not-found': { status: 404, title: 'There is no such room', meaning: 'No room has this name.' },
  'participant-not-found': {
    status: 404,
    title: 'There is no such participant',
    meaning: 'Nobody in this room has this id; they may have left.',
  },
  'prompt-not-found': {
    status: 404,
    title: 'There is no such prompt',
    meaning: "There is no prompt with this id in the room's language.",
  },
  'announcement-not-found': {
    status: 404,
    title: 'There is no such announcement',
    meaning: 'No announcement in this room has this id; it may have ended.',
  },
  'sound-not-found': { status: 404, title: 'There is no such sound', meaning: 'No uploaded sound has this id.' },
  'recording-not-found': {
    status: 404,
    title: 'There is no such recording',
    meaning: 'No recording (of this room) has this id.',
  },
  'user-not-found': { status: 404, title: 'There is no such user', meaning: 'No user has this name.' },
  'token-not-found': { status: 404, title: 'There is no such token', meaning: 'No token has this id.' },
  'webhook-not-found': { status: 404, title: 'There is no such webhook', meaning: 'No webhook has this id.' },
  'method-not-allowed': {
    status: 405,
    title: 'The method is not allowed here',
    meaning: '`Allow` says which methods are.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request took too long',
    meaning: 'The request did not arrive in time.',
  },
  'room-exists': { status: 409, title: 'There is such a room already', meaning: 'A room with this name exists.' },
  'room-full': {
    status: 409,
    title: 'The room is full',
    meaning: 'The room holds as many as its `maxParticipants` allows.',
  },
  'room-is-breakout': {
    status: 409,
    title: 'The room is a breakout room',
    meaning: 'A breakout room has none of its own.',
  },
  'participant-not-waiting': {
    status: 409,
    title: 'The participant does not wait',
    meaning: 'Nobody can be let in who is neither in the lobby nor waits for a moderator.',
  },
  'participant-elsewhere': {
    status: 409,
    title: 'The participant is elsewhere',
    meaning:
      'They have not entered the room yet (for a text: not answered the call), or are to go to two rooms at once.',
  },
  'room-empty': {
    status: 409,
    title: 'The room is empty',
    meaning: 'Nobody is in the room, nor is anybody being called into it: there is nothing to record.',
  },
  'recording-running': {
    status: 409,
    title: 'The recording runs',
    meaning: 'The room is being recorded already, or the recording must be stopped first.',
  },
  'recording-not-running': {
    status: 409,
    title: 'The recording does not run',
    meaning: 'The recording was stopped before, or has failed.',
  },
  'recording-empty': {
    status: 409,
    title: 'The recording is empty',
    meaning: 'It was stopped before anything was recorded: there is no file to be had.',
  },
  'recording-captures-gone': {
    status: 409,
    title: 'This cannot be made of the recording any more',
    meaning: 'Only the files that were made of it were kept, elsewhere; `detail` says which.',
  },
  'picture-unavailable': {
    status: 409,
    title: 'The room has no picture',
    meaning: 'Nobody in it has video, or there is no video at all.',
  },
  'too-many-tokens': { status: 409, title: 'There are too many tokens', meaning: 'There are 1000 tokens already.' },
  'too-many-webhooks': {
    status: 409,
    title: 'There are too many webhooks',
    meaning: 'There are 100 webhooks already.',
  },
  'idempotency-key-in-use': {
    status: 409,
    title: 'The same request is being carried out',
    meaning: 'The request that came first with this `Idempotency-Key` has not been answered yet; try again soon.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    meaning: 'The body has more than 65536 bytes.',
  },
  'sound-too-large': {
    status: 413,
    title: 'The sound is too large',
    meaning: 'An audio file may have 500 MB.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The body is of the wrong type',
    meaning: 'The body must be `application/json` in UTF-8, not compressed.',
  },
  'range-not-satisfiable': {
    status: 416,
    title: 'The range lies outside of the file',
    meaning: '`Content-Range` says how long the file is.',
  },
  'sound-invalid': {
    status: 422,
    title: 'This is no sound',
    meaning: 'The body is no audio file of a kind that can be read, or it is broken; `detail` says what is wrong.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The idempotency key stands for another request',
    meaning: 'This `Idempotency-Key` came before with another path or body.',
  },
  'too-many-requests': {
    status: 429,
    title: 'Too many requests',
    meaning: 'This address has sent too many requests; `Retry-After` says when to go on.',
  },
  'too-many-failures': {
    status: 429,
    title: 'Too many wrong tokens',
    meaning: 'This address has sent too many wrong tokens, and is not listened to until `Retry-After`.',
  },
  'headers-too-large': {
    status: 431,
    title: 'The headers are too large',
    meaning: 'The headers have more than 16384 bytes.',
  },
  'internal-error': {
    status: 500,
    title: 'The server has a fault',
    meaning: 'A fault of ours; the log tells more under the `requestId`.',
  },
  'server-full': {
    status: 503,
    title: 'The server is full',
    meaning: 'The server has as many calls as it can take.',
  },
  'too-many-streams': {
    status: 503,
    title: 'There are too many event streams',
    meaning: 'There are 500 open event streams already, or 200 of this token.',
  },
  'too-many-messages': {
    status: 503,
    title: 'There are too many texts under way',
    meaning: '10000 texts wait for what phones say to them; try again soon.',
  },
  'mixer-unavailable': {
    status: 503,
    title: 'The mixer does not answer',
    meaning: 'The process that mixes this room is being restarted; try again soon.',
  },
  'sounds-unavailable': {
    status: 503,
    title: 'The sound cannot be made at present',
    meaning: 'The disk is full, ffmpeg is missing, or too many sounds are being made; `detail` says why.',
  },
  'recording-unavailable': {
    status: 503,
    title: 'The recording cannot be made or finished',
    meaning:
      'Recording does not work at present, such as when the disk is full or ffmpeg is missing; `detail` says why.',
  },
} as const satisfies Record<ControlErrorCode, ProblemKind> & Record<string, ProblemKind>;

export type ProblemCode = keyof typeof problemKinds;
export const problemCodes = Object.keys(problemKinds) as ProblemCode[];

/** One place in a request that is wrong: a JSON pointer into the body (RFC 6901, as a fragment), or a query parameter. */
export interface ProblemPlace {
  pointer?: string;
  parameter?: string;
  detail: string;
}

/** A problem document (RFC 9457). */
export interface ProblemDocument {
  type: string;
  title: string;
  status: number;
  code: ProblemCode;
  detail?: string;
  errors?: ProblemPlace[];
  /** As in `X-Request-Id` and in the log. */
  requestId?: string;
}

/** Thrown anywhere on the way of a request; becomes its answer. */
export class HttpProblem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly errors: ProblemPlace[] | undefined;

  constructor(
    code: ProblemCode,
    options: { detail?: string; headers?: Readonly<Record<string, string>>; errors?: ProblemPlace[] } = {},
  ) {
    super(options.detail ?? problemKinds[code].title);
    this.name = 'HttpProblem';
    this.code = code;
    this.status = problemKinds[code].status;
    this.detail = options.detail;
    this.headers = options.headers ?? {};
    this.errors = options.errors;
  }
}

export function problemDocument({ code, detail, errors }: HttpProblem, requestId?: string): ProblemDocument {
  const { title, status } = problemKinds[code];
  return {
    type: `urn:parley:problem:${code}`,
    title,
    status,
    code,
    ...(detail !== undefined && { detail }),
    ...(errors && { errors }),
    ...(requestId !== undefined && { requestId }),
  };
}

export const PROBLEM_TYPE = 'application/problem+json';

/** Headers that told of a body which is not sent after all. */
const bodyHeaders = [
  'Content-Disposition',
  'Content-Length',
  'Content-Range',
  'ETag',
  'Last-Modified',
  'Accept-Ranges',
  'Repr-Digest',
];

/** Answers with the problem. The headers must not have been sent. */
export function sendProblem(response: ServerResponse, problem: HttpProblem, requestId?: string): void {
  for (const name of bodyHeaders) response.removeHeader(name);
  for (const [name, value] of Object.entries(problem.headers)) response.setHeader(name, value);
  const text = JSON.stringify(problemDocument(problem, requestId));
  response.statusCode = problem.status;
  response.setHeader('Content-Type', PROBLEM_TYPE);
  response.setHeader('Content-Length', Buffer.byteLength(text));
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
