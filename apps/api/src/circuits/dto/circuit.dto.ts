import { CIRCUIT_STATES, DEFAULT_CIRCUIT } from '@hookstream/domain';
import { z } from 'zod';
import { CircuitPolicySchema } from '../../endpoints/dto/endpoint-policies.dto.js';
import { answeredId, answeredTime, exampleId } from '../../http/fields.dto.js';

export const CircuitSchema = z
  .object({
    endpoint_id: answeredId('endpoint'),
    state: z.enum(CIRCUIT_STATES),
    consecutive_failures: z.int().meta({ description: 'Failed attempts in a row since the last success.' }),
    failing_since: answeredTime.nullable().meta({ description: 'The first of them.' }),
    last_failure_at: answeredTime.nullable(),
    opened_at: answeredTime
      .nullable()
      .meta({ description: 'When it first opened since it was last closed.' }),
    next_probe_at: answeredTime.nullable().meta({
      description: 'When an open circuit lets one delivery go to see whether the endpoint is back.',
    }),
    disable_at: answeredTime
      .nullable()
      .meta({ description: 'When the endpoint is disabled if nothing but failures goes on.' }),
    policy: CircuitPolicySchema,
    source: z.enum(['workflow', 'record']).meta({
      description:
        '`workflow`: live. `record`: as last stored, because no breaker runs for this endpoint or none answered in time.',
    }),
  })
  .meta({
    id: 'Circuit',
    examples: [
      {
        endpoint_id: exampleId('endpoint'),
        state: 'open',
        consecutive_failures: 5,
        failing_since: '2026-01-31T09:24:10.000Z',
        last_failure_at: '2026-01-31T09:30:00.000Z',
        opened_at: '2026-01-31T09:30:00.000Z',
        next_probe_at: '2026-01-31T09:40:00.000Z',
        disable_at: '2026-02-05T09:24:10.000Z',
        policy: DEFAULT_CIRCUIT,
        source: 'workflow',
      },
    ],
  });
export type CircuitAnswer = z.input<typeof CircuitSchema>;
