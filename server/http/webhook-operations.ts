import { z } from 'zod';
import type { FailureView, WebhookView } from '../events/webhooks.ts';
import { eventName, eventSchemas } from './event-schemas.ts';
import { namedRoom } from './named-room.ts';
import { type Operation, operation } from './operation.ts';
import { nextCursor, page, pageQuery } from './paging.ts';
import { HttpProblem } from './problems.ts';

const webhookParams = z.object({ webhook: z.string().meta({ description: "The webhook's id." }) });

const onlyRoom = z.string().nullable().meta({ description: 'Tells of this room alone; null: of all.' });
const timestamp = z.iso.datetime();

const webhook = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(eventName),
    room: onlyRoom,
    createdAt: timestamp,
    waiting: z.int().meta({ description: 'Events that are yet to be delivered.' }),
    failures: z.int().meta({ description: 'Events that were given up.' }),
    lastDeliveredAt: timestamp.nullable().meta({ description: 'Since the start of the program.' }),
    lastError: z.string().nullable().meta({ description: 'Why the latest attempt failed; null when it did not.' }),
  })
  .meta({ id: 'Webhook' }) satisfies z.ZodType<WebhookView>;

const createdWebhook = webhook
  .extend({ secret: z.string().meta({ description: 'The key of the signatures. It is never shown again.' }) })
  .meta({ id: 'CreatedWebhook' });

const webhookList = z.object({ webhooks: z.array(webhook), nextCursor }).meta({ id: 'WebhookList' });

const newWebhook = z
  .strictObject({
    url: z.string().meta({ description: 'Where to POST each event to.' }),
    events: z.array(eventName).default([]).meta({ description: 'Of what to tell; all when it is empty or left out.' }),
    room: onlyRoom.default(null),
    secret: z
      .string()
      .min(16)
      .max(256)
      .nullable()
      .default(null)
      .meta({ description: 'The key of the signatures; one is made when it is null or left out.' }),
  })
  .meta({ id: 'NewWebhook' });

const failure = z
  .object({
    id: z.string().meta({ description: "The event's." }),
    event: eventName,
    attempts: z.int(),
    reason: z.string().meta({ description: 'Why the last attempt failed.' }),
    queuedAt: timestamp,
    failedAt: timestamp,
    data: z.union(Object.values(eventSchemas)).meta({ description: 'What the body was.' }),
  })
  .meta({ id: 'WebhookFailure' });
const failureList = z.object({ failures: z.array(failure), nextCursor }).meta({ id: 'WebhookFailureList' });

/** What is shown is as described, but for the body, which is what was sent then. */
type Described = FailureView extends Omit<z.output<typeof failure>, 'data'> ? true : never;
export const failureIsDescribed: Described = true;

const retryFailures = z
  .strictObject({
    ids: z
      .array(z.string())
      .max(1000)
      .nullable()
      .default(null)
      .meta({ description: 'Which; all when null or left out.' }),
  })
  .meta({ id: 'RetryFailures' });
const retried = z.object({ retried: z.int().meta({ description: 'How many.' }) }).meta({ id: 'Retried' });

/** @throws when there was none */
function found<Value>(value: Value | null, id: string): Value {
  if (value === null) throw new HttpProblem('webhook-not-found', { detail: `there is no webhook ${id}` });
  return value;
}

export const webhookOperations: readonly Operation[] = [
  operation({
    method: 'get',
    path: '/webhooks',
    id: 'listWebhooks',
    scope: 'administrator',
    summary: 'All webhooks',
    params: z.object({}),
    query: pageQuery,
    success: { status: 200, description: 'The webhooks, without their secrets.', json: webhookList },
    problems: [],
    handle({ webhooks: control }, { query }) {
      const { items: webhooks, nextCursor } = page(control.list(), ({ createdAt, id }) => `${createdAt} ${id}`, query);
      return { json: { webhooks, nextCursor } };
    },
  }),
  operation({
    method: 'post',
    path: '/webhooks',
    id: 'createWebhook',
    scope: 'administrator',
    summary: 'Have events sent to a URL',
    params: z.object({}),
    body: newWebhook,
    success: { status: 201, description: 'The webhook, with its secret this once.', json: createdWebhook },
    secretAnswer: true,
    problems: ['webhook-url-invalid', 'room-name-invalid', 'too-many-webhooks'],
    handle({ webhooks }, { body: { url, events, room: asked, secret: given } }) {
      const problem = webhooks.urlProblem(url);
      if (problem !== null) throw new HttpProblem('webhook-url-invalid', { detail: problem });
      const room = namedRoom(asked);
      if (webhooks.full) throw new HttpProblem('too-many-webhooks');
      const { webhook, secret } = webhooks.add({ url, events, room, secret: given });
      return { json: { ...webhook, secret }, location: `/webhooks/${webhook.id}` };
    },
  }),
  operation({
    method: 'get',
    path: '/webhooks/{webhook}',
    id: 'getWebhook',
    scope: 'administrator',
    summary: 'One webhook, and how it fares',
    params: webhookParams,
    success: { status: 200, description: 'The webhook, without its secret.', json: webhook },
    problems: ['webhook-not-found'],
    handle: ({ webhooks }, { params }) => ({ json: found(webhooks.get(params.webhook), params.webhook) }),
  }),
  operation({
    method: 'delete',
    path: '/webhooks/{webhook}',
    id: 'deleteWebhook',
    scope: 'administrator',
    summary: 'Remove a webhook, with what is yet to be delivered and what was given up',
    params: webhookParams,
    success: { status: 204, description: 'The webhook is gone.' },
    problems: ['webhook-not-found'],
    handle({ webhooks }, { params }) {
      found(webhooks.remove(params.webhook) || null, params.webhook);
      return {};
    },
  }),
  operation({
    method: 'get',
    path: '/webhooks/{webhook}/failures',
    id: 'listWebhookFailures',
    scope: 'administrator',
    summary: 'Events that were given up, the first 1000 back from the latest',
    params: webhookParams,
    query: pageQuery,
    success: { status: 200, description: 'The failures.', json: failureList },
    problems: ['webhook-not-found'],
    handle({ webhooks }, { params, query }) {
      const all = found(webhooks.failures(params.webhook), params.webhook);
      const { items: failures, nextCursor } = page(all, ({ failedAt, id }) => `${failedAt} ${id}`, query);
      return { json: { failures, nextCursor } };
    },
  }),
  operation({
    method: 'post',
    path: '/webhooks/{webhook}/failures',
    id: 'retryWebhookFailures',
    scope: 'administrator',
    summary: 'Send again what was given up, after what waits already',
    params: webhookParams,
    body: retryFailures,
    bodyOptional: true,
    success: { status: 200, description: 'They wait to be delivered.', json: retried },
    problems: ['webhook-not-found'],
    handle: ({ webhooks }, { params, body }) => ({
      json: { retried: found(webhooks.retry(params.webhook, body.ids), params.webhook) },
    }),
  }),
];
