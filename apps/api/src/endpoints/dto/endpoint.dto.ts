import {
  CIRCUIT_STATES,
  DEFAULT_CIRCUIT,
  DEFAULT_MAX_IN_FLIGHT,
  DEFAULT_RETRY,
  DEFAULT_SIGNATURE,
  DEFAULT_TIMEOUT_MS,
  ENDPOINT_STATUSES,
  EVENT_TYPE_PATTERN_RULE,
  isEventTypePattern,
  MAX_ENDPOINT_URL_LENGTH,
} from '@hookstream/domain';
import { z } from 'zod';
import {
  answeredId,
  answeredTime,
  exampleId,
  metadata,
  pageOf,
  pageQuery,
  text,
} from '../../http/fields.dto.js';
import {
  CircuitPolicySchema,
  laneSchema,
  maxInFlightSchema,
  orderedSchema,
  orderKeySchema,
  RateLimitSchema,
  RetryPolicySchema,
  SignaturePolicySchema,
  timeoutSchema,
} from './endpoint-policies.dto.js';
import { FilterSchema } from './filter.dto.js';
import { isForbiddenHeader, isHeaderName, isHeaderValue } from './header-rules.js';

const MAX_HEADERS = 50;

const url = z
  .string()
  .min(1)
  .max(MAX_ENDPOINT_URL_LENGTH)
  .meta({ description: 'Where to deliver.', examples: ['https://example.com/webhooks'] });
const description = text(1_000).meta({ description: 'For people.' });
const eventTypes = z
  .array(z.string().refine(isEventTypePattern, `must be ${EVENT_TYPE_PATTERN_RULE}`))
  .max(100)
  .meta({ description: 'Which event types it gets; empty: all.', examples: [['order.*']] });
const headers = z
  .record(
    z
      .string()
      .refine(isHeaderName, 'must be a header name')
      .refine((name) => !isForbiddenHeader(name), 'must not be a header that Hookstream sets'),
    z.string().max(4_096).refine(isHeaderValue, 'must be visible ASCII without line breaks'),
  )
  .refine((value) => Object.keys(value).length <= MAX_HEADERS, `must have at most ${MAX_HEADERS} entries`)
  .meta({
    description:
      'Sent with every delivery. Values of names that look like credentials are answered as `[redacted]`; sending `[redacted]` back in a PATCH keeps the stored value.',
    examples: [{ 'X-Tenant': 'acme' }],
  });

export const CreateEndpointSchema = z
  .strictObject({
    url,
    description: description.default(''),
    event_types: eventTypes.default([]),
    filter: FilterSchema.nullable().default(null),
    headers: headers.default({}),
    timeout_ms: timeoutSchema.default(DEFAULT_TIMEOUT_MS),
    retry: RetryPolicySchema.default(DEFAULT_RETRY),
    rate_limit: RateLimitSchema.nullable().default(null),
    max_in_flight: maxInFlightSchema.default(DEFAULT_MAX_IN_FLIGHT),
    ordered: orderedSchema.default(false),
    order_key: orderKeySchema.nullable().default(null),
    circuit: CircuitPolicySchema.default(DEFAULT_CIRCUIT),
    lane: laneSchema.optional(),
    signature: SignaturePolicySchema.default(DEFAULT_SIGNATURE),
    metadata: metadata.default({}),
  })
  .meta({
    id: 'CreateEndpointRequest',
    examples: [
      { url: 'https://example.com/webhooks', event_types: ['order.*'], description: 'Orders' },
      {
        url: 'https://example.com/webhooks',
        headers: { Authorization: 'Bearer receiver-token' },
        timeout_ms: 10000,
        retry: { strategy: 'exponential', base_ms: 5000, factor: 3, max_delay_ms: 3600000, max_attempts: 8 },
        rate_limit: { per_second: 10 },
        filter: { all: [{ path: 'data.amount', op: 'gte', value: 1000 }] },
        metadata: { team: 'billing' },
      },
    ],
  });
export type CreateEndpoint = z.output<typeof CreateEndpointSchema>;

export const UpdateEndpointSchema = z
  .strictObject({
    url: url.optional(),
    description: description.optional(),
    event_types: eventTypes.optional(),
    filter: FilterSchema.nullable().optional(),
    headers: headers.nullable().optional().meta({ description: 'Replaces all headers; null removes them.' }),
    timeout_ms: timeoutSchema.optional(),
    retry: RetryPolicySchema.optional(),
    rate_limit: RateLimitSchema.nullable().optional(),
    max_in_flight: maxInFlightSchema.optional(),
    ordered: orderedSchema.optional(),
    order_key: orderKeySchema.nullable().optional(),
    circuit: CircuitPolicySchema.optional(),
    lane: laneSchema.optional(),
    signature: SignaturePolicySchema.optional(),
    metadata: metadata.optional(),
    status: z.enum(ENDPOINT_STATUSES).optional().meta({
      description:
        '`paused` holds deliveries; `disabled` makes no new ones; `enabled` releases what is held.',
    }),
  })
  .meta({
    id: 'UpdateEndpointRequest',
    examples: [{ description: 'Orders and refunds', event_types: ['order.*', 'refund.*'] }],
  });
export type UpdateEndpoint = z.output<typeof UpdateEndpointSchema>;

export const ListEndpointsSchema = z.strictObject(pageQuery('endpoint'));
export type ListEndpoints = z.output<typeof ListEndpointsSchema>;

export const RotateSecretSchema = z
  .strictObject({
    overlap_seconds: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(86_400)
      .meta({ description: 'How long the secrets before go on signing beside the new one.' }),
  })
  .meta({ id: 'RotateSecretRequest', examples: [{ overlap_seconds: 86400 }] });
export type RotateSecret = z.output<typeof RotateSecretSchema>;

const endpoint = {
  id: answeredId('endpoint'),
  type: z.literal('http'),
  url: z.string(),
  description: z.string(),
  event_types: z.array(z.string()),
  filter: FilterSchema.nullable(),
  headers: z.record(z.string(), z.string()),
  timeout_ms: z.int(),
  retry: RetryPolicySchema,
  rate_limit: RateLimitSchema.nullable(),
  max_in_flight: z.int(),
  ordered: z.boolean(),
  order_key: z.string().nullable(),
  circuit: CircuitPolicySchema,
  lane: laneSchema,
  signature: SignaturePolicySchema,
  metadata: z.record(z.string(), z.string()),
  status: z.enum(ENDPOINT_STATUSES),
  disabled_reason: z.string().nullable(),
  circuit_state: z.enum(CIRCUIT_STATES),
  verified_at: answeredTime.nullable().meta({ description: 'When it last proved control of its URL.' }),
  created_at: answeredTime,
  updated_at: answeredTime,
};
const example = {
  id: exampleId('endpoint'),
  type: 'http',
  url: 'https://example.com/webhooks',
  description: 'Orders',
  event_types: ['order.*'],
  filter: null,
  headers: { Authorization: '[redacted]' },
  timeout_ms: DEFAULT_TIMEOUT_MS,
  retry: DEFAULT_RETRY,
  rate_limit: null,
  max_in_flight: DEFAULT_MAX_IN_FLIGHT,
  ordered: false,
  order_key: null,
  circuit: DEFAULT_CIRCUIT,
  lane: 'auto',
  signature: DEFAULT_SIGNATURE,
  metadata: {},
  status: 'enabled',
  disabled_reason: null,
  circuit_state: 'closed',
  verified_at: null,
  created_at: '2026-01-31T09:30:00.000Z',
  updated_at: '2026-01-31T09:30:00.000Z',
};

export const EndpointSchema = z.object(endpoint).meta({ id: 'Endpoint', examples: [example] });
export type EndpointAnswer = z.input<typeof EndpointSchema>;

const secretFields = {
  secret: z.string().meta({
    description: 'Verifies (`whsec_…`) or, for `v1a`, signs (`whsk_…`). Shown only here.',
  }),
  public_key: z
    .string()
    .optional()
    .meta({ description: '`v1a` only: what receivers verify with (`whpk_…`).' }),
};
const exampleSecret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

export const CreatedEndpointSchema = z
  .object({ ...endpoint, ...secretFields })
  .meta({ id: 'CreatedEndpoint', examples: [{ ...example, secret: exampleSecret }] });
export type CreatedEndpointAnswer = z.input<typeof CreatedEndpointSchema>;

export const RotatedEndpointSchema = z
  .object({
    ...endpoint,
    ...secretFields,
    previous_secrets_expire_at: answeredTime.meta({
      description: 'Until then the secrets before sign as well.',
    }),
  })
  .meta({
    id: 'RotatedEndpoint',
    examples: [{ ...example, secret: exampleSecret, previous_secrets_expire_at: '2026-02-01T09:30:00.000Z' }],
  });
export type RotatedEndpointAnswer = z.input<typeof RotatedEndpointSchema>;

export const EndpointPageSchema = pageOf(EndpointSchema, 'EndpointPage');
