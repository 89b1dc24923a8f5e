import type { z } from 'zod';
import type { ConferenceControl, RecordingFile } from '../focus/control.ts';
import type { UserControl } from '../registrar/user-control.ts';
import type { ProblemCode } from './problems.ts';

/** What operations work on. */
export interface Controls {
  conference: ConferenceControl;
  users: UserControl;
}

/** What a handler answers with, besides the status that the operation always has. */
export interface Reply {
  json?: unknown;
  /** Where the new resource is; a path. The status is 201 then. */
  location?: string;
  file?: RecordingFile;
}

type OperationMethod = 'get' | 'post' | 'put' | 'patch' | 'delete';

interface OperationBase {
  method: OperationMethod;
  /** Under /api/v1, as OpenAPI writes it: `/rooms/{room}`. */
  path: string;
  id: string;
  summary: string;
  success: {
    status: 200 | 201 | 204;
    description: string;
    json?: z.ZodType;
    /** It may also make something, and then has status 201. */
    mayCreate?: true;
    /** Media types of a file; ranges are possible. */
    files?: readonly string[];
  };
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
    request: { params: z.output<Params>; query: z.output<Query>; body: z.output<Body> },
  ): Reply | Promise<Reply>;
}

/** One call of the API: the same object checks requests, routes them and stands in the OpenAPI document. */
export interface Operation extends OperationBase {
  params: z.ZodObject;
  query?: z.ZodObject;
  body?: z.ZodObject;
  bodyOptional?: true;
  /** Takes what the schemas gave. */
  handle(controls: Controls, request: { params: unknown; query: unknown; body: unknown }): Reply | Promise<Reply>;
}

/** Types the handler by its schemas; afterwards operations of all kinds go into one list. */
export function operation<
  Params extends z.ZodObject,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodObject | undefined = undefined,
>(definition: OperationDefinition<Params, Query, Body>): Operation {
  return definition as unknown as Operation;
}
