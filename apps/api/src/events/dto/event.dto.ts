import { EVENT_TYPE_RULE, isEventType, isOperationalEventType, LANES } from '@hookstream/domain';
import { z } from 'zod';
import { DeliverySchema, timeRangeQuery } from '../../deliveries/dto/delivery.dto.js';
import { ProblemSchema } from '../../http/problem.dto.js';
import type { Problem } from '../../http/problem.js';
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

const MAX_BATCH = 500;
const MAX_ENDPOINT_IDS = 100;

/** The rule of `type` below in one question. */
export const isPostedEventType = (type: unknown): boolean =>
  typeof type === 'string' && isEventType(type) && !isOperationalEventType(type);

export const CreateEventSchema = z
  .strictObject({
    type: eventType
      .refine((type) => !isOperationalEventType(type), 'is sent by Hookstream itself and cannot be posted')
      .meta({ description: EVENT_TYPE_RULE, examples: ['order.paid'] }),
    data: z
      .unknown()
      .refine((value) => value !== undefined, 'is required')
      .meta({
        description:
          'Any JSON. Delivered exactly as sent: numbers of any size, their notation and the order of keys stay.',
        examples: [{ order_id: 'o-1', amount: 4200 }],
      }),
    endpoint_ids: z
      .array(id('endpoint'))
      .min(1)
      .max(MAX_ENDPOINT_IDS)
      .optional()
      .meta({ description: 'Deliver to these alone, whatever event types and filters they have.' }),
    deliver_at: timestamp.optional().meta({ description: 'Not before this time.' }),
    lane: z
      .enum(LANES)
      .optional()
      .meta({ description: 'How deliveries are to run. The `lane` of a delivery says how it ran.' }),
  })
  .meta({
    id: 'CreateEventRequest',
    examples: [{ type: 'order.paid', data: { order_id: 'o-1', amount: 4200 } }],
  });
export type CreateEvent = z.output<typeof CreateEventSchema>;

/** For the documentation: of a batch, each item is checked on its own, so that one bad item spoils no other. */
export const CreateEventsSchema = z
  .array(CreateEventSchema)
  .min(1)
  .max(MAX_BATCH)
  .meta({
    id: 'CreateEventsRequest',
    examples: [
      [
        { type: 'order.paid', data: { order_id: 'o-1' } },
        { type: 'order.shipped', data: { order_id: 'o-1' } },
      ],
    ],
  });

export const BatchSchema = z.array(z.unknown()).min(1).max(MAX_BATCH);

const schemaErrors = z.array(z.object({ field: z.string(), message: z.string() }));

const accepted = {
  id: answeredId('event'),
  type: z.string(),
  created_at: answeredTime,
  deliveries: z.int().meta({ description: 'How many deliveries were made for it.' }),
  idempotent_replay: z
    .boolean()
    .meta({ description: 'Whether this is the answer to an earlier request with the same Idempotency-Key.' }),
  schema_errors: schemaErrors
    .optional()
    .meta({ description: "What its type's schema does not allow, where that only warns; absent: nothing." }),
};
const acceptedExample = {
  id: exampleId('event'),
  type: 'order.paid',
  created_at: '2026-01-31T09:30:00.000Z',
  deliveries: 1,
  idempotent_replay: false,
};

export const AcceptedEventSchema = z
  .object(accepted)
  .meta({ id: 'AcceptedEvent', examples: [acceptedExample] });
export type AcceptedEventAnswer = z.input<typeof AcceptedEventSchema>;

export const AcceptedEventsSchema = z
  .object({
    data: z
      .array(
        z.union([
          z.object({ status: z.literal(202), ...accepted }),
          z.object({ status: z.int().min(400), error: ProblemSchema }),
        ]),
      )
      .meta({ description: 'One result per event, in the order of the request.' }),
  })
  .meta({ id: 'AcceptedEvents', examples: [{ data: [{ status: 202, ...acceptedExample }] }] });
export interface AcceptedEventsAnswer {
  data: (({ status: 202 } & AcceptedEventAnswer) | { status: number; error: Problem })[];
}

export const ListEventsSchema = z.strictObject({
  ...pageQuery('event'),
  type: eventType.optional(),
  ...timeRangeQuery,
});
export type ListEvents = z.output<typeof ListEventsSchema>;

const event = {
  id: answeredId('event'),
  type: z.string(),
  created_at: answeredTime,
  deliver_at: answeredTime.nullable(),
  schema_errors: schemaErrors.meta({
    description: "What its type's schema did not allow when it was accepted.",
  }),
};
const eventExample = {
  id: exampleId('event'),
  type: 'order.paid',
  created_at: '2026-01-31T09:30:00.000Z',
  deliver_at: null,
  schema_errors: [],
};
const EventSchema = z.object(event).meta({ id: 'Event', examples: [eventExample] });
export type EventAnswer = z.input<typeof EventSchema>;

export const EventPageSchema = pageOf(EventSchema, 'EventPage');

export const EventDetailSchema = z
  .object({
    ...event,
    payload: z
      .object({ type: z.string(), timestamp: z.string() })
      .catchall(z.unknown())
      .meta({ description: 'What receivers get, byte for byte.' }),
    deliveries: z.array(DeliverySchema),
  })
  .meta({
    id: 'EventDetail',
    examples: [
      {
        ...eventExample,
        payload: { type: 'order.paid', timestamp: '2026-01-31T09:30:00.000Z', data: { order_id: 'o-1' } },
        deliveries: [],
      },
    ],
  });
