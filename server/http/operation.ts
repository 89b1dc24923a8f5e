import type { Readable } from 'node:stream';
import type { z } from 'zod';
import type { DiagnosisControl } from '../diagnosis/diagnosis-control.ts';
import type { Webhooks } from '../events/webhooks.ts';
import type { ConferenceControl, RecordingFile } from '../focus/control.ts';
import type { DownloadLinks } from '../recordings/keeping/download-links.ts';
import type { RecordControl } from '../records/call-record.ts';
import type { UserControl } from '../registrar/user-control.ts';
import type { RoomView } from '../rooms/views.ts';
import type { SoundLibrary } from '../sounds/sound-library.ts';
import type { Access, AccessRule } from './access.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { ProblemCode } from './problems.ts';

/** What operations work on. */
export interface Controls {
  conference: ConferenceControl;
  users: UserControl;
  tokens: AccessTokens;
  webhooks: Webhooks;
  records: RecordControl;
  sounds: SoundLibrary;
  links: DownloadLinks;
  diagnosis: DiagnosisControl;
}

/** What an event stream shows. */
export interface EventStreamReply {
  /** Null: of all rooms. */
  room: string | null;
  /** Also of its breakout rooms. */
  breakouts: boolean;
  /** The rooms as they are now. */
  state(): RoomView[];
}

/** What a handler answers with, besides the status that the operation always has. */
export interface Reply {
  json?: unknown;
  /** Where the new resource is; a path. The status is 201 then. */
  location?: string;
  file?: RecordingFile;
  /** It is yet to be done: the status is 202, with when to ask again. */
  accepted?: { retryAfterS: number };
  events?: EventStreamReply;
  /** One of `success.texts` instead of JSON. */
  content?: { contentType: string; fileName: string; bytes: string | Buffer };
  /** As it is; of the type that `success.picture` says. */
  picture?: Uint8Array;
  /** Where the list goes on that `content` is a part of: the same query with these. */
  next?: Readonly<Record<string, string>>;
}

/** What a request is told by, besides what the schemas gave. */
export interface Asking {
  access: Access;
  /** The body, where the operation takes a file; otherwise there is nothing in it. */
  upload: Readable;
  /** The best of these media types by `Accept`, the first when it says nothing; null: none of them. */
  prefers(types: readonly string[]): string | null;
}

type OperationMethod = 'get' | 'post' | 'put' | 'patch' | 'delete';

interface OperationBase extends AccessRule {
  method: OperationMethod;
  /** Under /api/v1, as OpenAPI writes it: `/rooms/{room}`. Tokens for one room get at theirs alone. */
  path: string;
  id: string;
  summary: string;
  success: {
    status: 200 | 201 | 202 | 204;
    description: string;
    json?: z.ZodType;
    /** It may also make something, and then has status 201. */
    mayCreate?: true;
    /** It may also have to be waited for, and then has status 202 and this. */
    mayWait?: z.ZodType;
    /** Media types of a file; ranges are possible. */
    files?: readonly string[];
    /** Media types that there are instead of JSON. */
    texts?: readonly string[];
    /** Media type of a picture. */
    picture?: string;
    /** Server-sent events, each with data like this. */
    events?: z.ZodType;
  };
  /** The body is a file, of which this says what it can be. */
  upload?: string;
  /** A `signature` in the query, as of a link, stands for a token. */
  linked?: true;
  /** The answer holds a secret that is shown once: it is not stored for `Idempotency-Key`, only remembered. */
  secretAnswer?: true;
  /** Those of its own; the ones that any operation has are added. */
  problems: readonly ProblemCode[];
}

interface OperationDefinition<
  Params extends z.ZodObject,
  Query extends z.ZodObject | undefined,
  Body extends z.ZodObject | undefined,
> extends OperationBase {
  params: Params;
  query?: Query;
  body?: Body;
  /** A request without a body counts as one with `{}`. */
  bodyOptional?: true;
  handle(
    controls: Controls,
    request: { params: z.output<Params>; query: z.output<Query>; body: z.output<Body> } & Asking,
  ): Reply | Promise<Reply>;
}

/** One call of the API: the same object checks requests, routes them and stands in the OpenAPI document. */
export interface Operation extends OperationBase {
  params: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodObject;
  bodyOptional?: true;
  /** Takes what the schemas gave. */
  handle(
    controls: Controls,
    request: { params: unknown; query: unknown; body: unknown } & Asking,
  ): Reply | Promise<Reply>;
}

/** Types the handler by its schemas; afterwards operations of all kinds go into one list. */
export function operation<
  Params extends z.ZodObject,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodObject | undefined = undefined,
>(definition: OperationDefinition<Params, Query, Body>): Operation {
  return definition as unknown as Operation;
}
