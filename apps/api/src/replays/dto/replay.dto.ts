import { REPLAY_STATUSES, REPLAYABLE_STATUSES, REPLAYED_BY_DEFAULT } from '@hookstream/domain';
import { z } from 'zod';
import { timeRangeQuery } from '../../deliveries/dto/delivery.dto.js';
import {
  answeredId,
  answeredTime,
  eventType,
  exampleId,
  id,
  pageOf,
  pageQuery,
} from '../../http/fields.dto.js';

const status = z
  .enum(REPLAYABLE_STATUSES, {
    error: `must be one of ${REPLAYABLE_STATUSES.join(', ')}: others are on their way by themselves`,
  })
  .meta({ description: 'Deliveries that stand so when their turn comes.' });

const filter = {
  endpoint_id: id('endpoint').optional(),
  event_id: id('event').optional(),
  event_type: eventType.optional(),
  ...timeRangeQuery,
};

type Range = { since?: Date | undefined; until?: Date | undefined };
const isRange = ({ since, until }: Range): boolean =>
  since === undefined || until === undefined || since < until;
const RANGE = { error: 'must be later than since', path: ['until'] };

export const ReplayDeliveriesSchema = z
  .strictObject({
    status: status.optional().meta({
      description: `Deliveries that stand so when their turn comes. Absent: ${REPLAYED_BY_DEFAULT.join(', ')}.`,
    }),
    ...filter,
  })
  .refine((body) => Object.values(body).some((value) => value !== undefined), {
    error: 'must name at least one filter: without any, everything would be delivered again',
  })
  .refine(isRange, RANGE)
  .meta({
    id: 'ReplayDeliveriesRequest',
    examples: [{ event_type: 'order.paid', since: '2026-01-31T09:00:00Z', until: '2026-01-31T10:00:00Z' }],
  });
export type ReplayDeliveries = z.output<typeof ReplayDeliveriesSchema>;

export const RecoverEndpointSchema = z
  .strictObject({
    since: timeRangeQuery.since.unwrap(),
    until: timeRangeQuery.until,
    status: status.default('dead_letter'),
  })
  .refine(isRange, RANGE)
  .meta({ id: 'RecoverEndpointRequest', examples: [{ since: '2026-01-31T09:00:00Z' }] });
export type RecoverEndpoint = z.output<typeof RecoverEndpointSchema>;

export const ReplayDeadLettersSchema = z
  .strictObject(filter)
  .refine(isRange, RANGE)
  .meta({ id: 'ReplayDeadLettersRequest', examples: [{ event_type: 'order.paid' }] });
export type ReplayDeadLetters = z.output<typeof ReplayDeadLettersSchema>;

export const ListReplaysSchema = z.strictObject(pageQuery('replay'));
export type ListReplays = z.output<typeof ListReplaysSchema>;

export const ReplaySchema = z
  .object({
    id: answeredId('replay'),
    status: z.enum(REPLAY_STATUSES).meta({
      description:
        '`counting`, then `running` until all are queued: `completed`. `paused` and `cancelled` by somebody; what is queued goes out all the same.',
    }),
    total: z.int().meta({ description: 'Deliveries that it is about, as far as they are counted.' }),
    done: z
      .int()
      .meta({ description: 'Deliveries that are queued again. What came of them tells `GET /deliveries`.' }),
    failed: z.int().meta({ description: 'Deliveries that cannot go out again.' }),
    failures: z.object({
      endpoint_deleted: z.int().meta({ description: 'Failed because the endpoint is deleted.' }),
      payload_expired: z.int().meta({ description: "Failed because the event's retention has ended." }),
    }),
    filter: z
      .object({
        status: z.enum(REPLAYABLE_STATUSES).optional(),
        endpoint_id: answeredId('endpoint').optional(),
        event_id: answeredId('event').optional(),
        event_type: z.string().optional(),
        since: answeredTime.optional(),
        until: answeredTime.optional(),
      })
      .meta({ description: 'As asked for.' }),
    created_at: answeredTime,
    completed_at: answeredTime.nullable().meta({ description: 'When it ended.' }),
  })
  .meta({
    id: 'Replay',
    examples: [
      {
        id: exampleId('replay'),
        status: 'running',
        total: 1_200,
        done: 400,
        failed: 1,
        failures: { endpoint_deleted: 1, payload_expired: 0 },
        filter: { status: 'dead_letter', since: '2026-01-31T09:00:00.000Z' },
        created_at: '2026-01-31T12:00:00.000Z',
        completed_at: null,
      },
    ],
  });
export type ReplayAnswer = z.input<typeof ReplaySchema>;

export const ReplayPageSchema = pageOf(ReplaySchema, 'ReplayPage');
