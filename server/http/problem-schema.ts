import { z } from 'zod';
import { type ProblemDocument, problemCodes } from './problems.ts';

export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(problemCodes).meta({ description: 'Stable: what programs decide by.' }),
    detail: z.string().optional(),
    errors: z
      .array(
        z.object({
          pointer: z.string().optional().meta({ description: 'JSON pointer into the body.' }),
          parameter: z.string().optional().meta({ description: 'Name of the query parameter.' }),
          detail: z.string(),
        }),
      )
      .optional(),
    requestId: z.string().optional(),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457).' });

// A document that we write is one that the schema describes; the other way round, `undefined` is in the way.
type Described = ProblemDocument extends z.input<typeof problem> ? true : never;

export const problemIsDescribed: Described = true;
