import { z } from 'zod';
import type { MessageDelivery, NewMessage } from '../focus/control.ts';

// Each schema is pinned to the type that the conference uses, so that neither changes without the other.

const messageText = z
  .string()
  .min(1)
  .max(1000)
  .refine((text) => text === '' || text.trim() !== '', { message: 'There must be more than blanks.' })
  // Unpaired surrogates cannot be written as UTF-8.
  .refine((text) => !/\p{Cs}|[^\P{Cc}\t\n\r]/u.test(text), {
    message: 'There must be no control characters but tabs and line breaks, and no half characters.',
  });

export const newMessage = z
  .strictObject({
    text: messageText.meta({ description: 'Plain text, sent by SIP MESSAGE.' }),
    to: z
      .array(z.string())
      .min(1)
      .max(1000)
      .nullable()
      .default(null)
      .meta({ description: 'Who gets it, by id, also who waits to be let in. Null: all who have entered.' }),
  })
  .meta({ id: 'NewMessage' }) satisfies z.ZodType<NewMessage>;

const messageDelivery = z
  .object({
    participant: z.string(),
    outcome: z.enum(['delivered', 'refused', 'unreachable', 'pending']).meta({
      description:
        'delivered: the phone took it; refused: it did not, perhaps as it takes no texts; unreachable: it does not answer; pending: it had not answered when this was.',
    }),
    status: z.int().nullable().meta({ description: 'That of SIP; null while it is pending.' }),
  })
  .meta({ id: 'MessageDelivery' }) satisfies z.ZodType<MessageDelivery>;

export const messageDeliveries = z.object({ deliveries: z.array(messageDelivery) }).meta({ id: 'MessageDeliveries' });
