import { z } from 'zod';

/** What people are told about a value: in the help text, in documents, and when what they gave is wrong. */
export interface ValueNotes {
  meaning: string;
  /** What would be right; ends the sentence "must be …". */
  right: string;
  /** The default in words, where it is found rather than fixed. */
  otherwise?: string;
  secret?: true;
}

/** The notes that belong to each schema below. */
export const notes = z.registry<ValueNotes>();
