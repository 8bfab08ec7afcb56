import { ATTEMPT_OUTCOMES, ATTEMPT_TRIGGERS, DELIVERY_STATUSES, LANES } from '@hookstream/domain';
import { z } from 'zod';
import {
  answeredId,
  answeredTime,
  eventType,
  exampleId,
  id,
  pageOf,
  pageQuery,
  timestamp,
} from '../../http/fields.dto.js';

const status = z.enum(DELIVERY_STATUSES);
const outcome = z.enum(ATTEMPT_OUTCOMES);

export const timeRangeQuery = {
  since: timestamp.optional().meta({ description: 'Created at this time or later.' }),
  until: timestamp.optional().meta({ description: 'Created before this time.' }),
};

export const ListDeliveriesSchema = z.strictObject({
  ...pageQuery('delivery'),
  status: status.optional(),
  endpoint_id: id('endpoint').optional(),
  event_id: id('event').optional(),
  event_type: eventType.optional(),
  ...timeRangeQuery,
});
export type ListDeliveries = z.output<typeof ListDeliveriesSchema>;

const delivery = {
  id: answeredId('delivery'),
  event_id: answeredId('event'),
  endpoint_id: answeredId('endpoint'),
  event_type: z.string(),
  status,
  lane: z.enum(LANES),
  attempt_count: z.int(),
  next_attempt_at: answeredTime.nullable(),
  last_outcome: outcome.nullable(),
  last_status_code: z.int().nullable(),
  last_error: z.string().nullable(),
  created_at: answeredTime,
  completed_at: answeredTime.nullable(),
};
const example = {
  id: exampleId('delivery'),
  event_id: exampleId('event'),
  endpoint_id: exampleId('endpoint'),
  event_type: 'order.paid',
  status: 'retrying',
  lane: 'durable',
  attempt_count: 1,
  next_attempt_at: '2026-01-31T09:30:30.412Z',
  last_outcome: 'http_error',
  last_status_code: 503,
  last_error: null,
  created_at: '2026-01-31T09:30:00.000Z',
  completed_at: null,
};

export const DeliverySchema = z.object(delivery).meta({ id: 'Delivery', examples: [example] });
export type DeliveryAnswer = z.input<typeof DeliverySchema>;

export const DeliveryPageSchema = pageOf(DeliverySchema, 'DeliveryPage');

const headers = z.record(z.string(), z.string());
const exampleAttempt = {
  id: exampleId('attempt'),
  number: 1,
  started_at: '2026-01-31T09:30:00.020Z',
  duration_ms: 118,
  outcome: 'http_error',
  status_code: 503,
  error: null,
  request: { url: 'https://example.com/webhooks', headers: { 'webhook-id': exampleId('event') } },
  response: { headers: { 'content-type': 'text/plain' }, body: 'busy', truncated: false },
  next_attempt_at: '2026-01-31T09:30:30.412Z',
  trigger: 'schedule',
};

export const AttemptSchema = z
  .object({
    id: answeredId('attempt'),
    number: z.int().meta({ description: 'Counts over the whole life of the delivery, from 1.' }),
    started_at: answeredTime,
    duration_ms: z.int(),
    outcome,
    status_code: z.int().nullable(),
    error: z.string().nullable(),
    request: z.object({ url: z.string(), headers }),
    response: z
      .object({ headers, body: z.string(), truncated: z.boolean() })
      .nullable()
      .meta({ description: 'As far as the receiver answered and as much of it as is kept.' }),
    next_attempt_at: answeredTime.nullable(),
    trigger: z.enum(ATTEMPT_TRIGGERS),
  })
  .meta({ id: 'Attempt', examples: [exampleAttempt] });
export type AttemptAnswer = z.input<typeof AttemptSchema>;

export const DeliveryDetailSchema = z
  .object({
    ...delivery,
    attempts: z.array(AttemptSchema),
    temporal_url: z.string().meta({ description: "The delivery's workflow in Temporal's Web UI." }),
  })
  .meta({
    id: 'DeliveryDetail',
    examples: [
      {
        ...example,
        attempts: [exampleAttempt],
        temporal_url: `http://127.0.0.1:8233/namespaces/hookstream/workflows/${exampleId('delivery')}`,
      },
    ],
  });
export type DeliveryDetailAnswer = z.input<typeof DeliveryDetailSchema>;

export const DeliveryStateSchema = z
  .object({
    status,
    attempts: z.int(),
    next_attempt_at: answeredTime.nullable(),
    last_outcome: z
      .object({
        kind: outcome,
        status_code: z.int().nullable(),
        error: z.string().nullable(),
        duration_ms: z.int(),
        at: answeredTime,
      })
      .nullable(),
    lane: z.enum(LANES),
    source: z.enum(['workflow', 'record']).meta({
      description:
        '`workflow`: its live answer. `record`: what is stored, because no workflow runs or none answers.',
    }),
  })
  .meta({
    id: 'DeliveryState',
    examples: [
      {
        status: 'retrying',
        attempts: 1,
        next_attempt_at: '2026-01-31T09:30:30.412Z',
        last_outcome: {
          kind: 'http_error',
          status_code: 503,
          error: null,
          duration_ms: 118,
          at: '2026-01-31T09:30:00.020Z',
        },
        lane: 'durable',
        source: 'workflow',
      },
    ],
  });
export type DeliveryStateAnswer = z.input<typeof DeliveryStateSchema>;
