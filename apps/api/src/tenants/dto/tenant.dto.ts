import {
  MAX_EVENT_BURST,
  MAX_EVENTS_PER_SECOND,
  MAX_MAX_PENDING,
  MAX_TENANT_IN_FLIGHT,
  MAX_TENANT_WEIGHT,
  MIN_TENANT_WEIGHT,
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

const name = text(200)
  .min(1)
  .meta({ description: 'For people.', examples: ['Acme'] });

const eventsPerSecond = z
  .number()
  .positive()
  .max(MAX_EVENTS_PER_SECOND)
  .nullable()
  .meta({ description: 'Events it may post in a second, on average. Null: as the deployment has it.' });
const burst = z
  .int()
  .min(1)
  .max(MAX_EVENT_BURST)
  .nullable()
  .meta({ description: "Events it may post at once after a pause. Null: one second's worth." });
const maxPending = z.int().min(1).max(MAX_MAX_PENDING).nullable().meta({
  description:
    'Unfinished deliveries with which no more events are accepted. Null: as the deployment has it.',
});
const maxInFlight = z
  .int()
  .min(1)
  .max(MAX_TENANT_IN_FLIGHT)
  .nullable()
  .meta({ description: 'Attempts under way at once, over all its endpoints. Null: no limit of its own.' });
const weight = z
  .number()
  .min(MIN_TENANT_WEIGHT)
  .max(MAX_TENANT_WEIGHT)
  .meta({ description: 'Its share of the room for attempts beside other tenants, which have 1.' });

const limits = z
  .strictObject({
    events_per_second: eventsPerSecond.optional(),
    burst: burst.optional(),
    max_pending: maxPending.optional(),
    max_in_flight: maxInFlight.optional(),
    weight: weight.optional(),
  })
  .meta({
    id: 'TenantLimitsRequest',
    description: 'What the tenant may use. What is absent stays; changes take effect within a second.',
    examples: [{ events_per_second: 100, burst: 500, max_pending: 100000 }],
  });
export type TenantLimitsInput = z.output<typeof limits>;

export const CreateTenantSchema = z
  .strictObject({ name, metadata: metadata.default({}), limits: limits.optional() })
  .meta({
    id: 'CreateTenantRequest',
    examples: [{ name: 'Acme', metadata: { plan: 'pro' }, limits: { events_per_second: 100 } }],
  });
export type CreateTenant = z.output<typeof CreateTenantSchema>;

export const UpdateTenantSchema = z
  .strictObject({ name: name.optional(), metadata: metadata.optional(), limits: limits.optional() })
  .meta({ id: 'UpdateTenantRequest', examples: [{ name: 'Acme Ltd', limits: { max_pending: null } }] });
export type UpdateTenant = z.output<typeof UpdateTenantSchema>;

export const ListTenantsSchema = z.strictObject(pageQuery('tenant'));
export type ListTenants = z.output<typeof ListTenantsSchema>;

const tenant = {
  id: answeredId('tenant'),
  name: z.string(),
  metadata: z.record(z.string(), z.string()),
  limits: z
    .object({
      events_per_second: eventsPerSecond,
      burst,
      max_pending: maxPending,
      max_in_flight: maxInFlight,
      weight,
    })
    .meta({ id: 'TenantLimits' }),
  created_at: answeredTime,
  updated_at: answeredTime,
};
const example = {
  id: exampleId('tenant'),
  name: 'Acme',
  metadata: { plan: 'pro' },
  limits: { events_per_second: 100, burst: null, max_pending: null, max_in_flight: null, weight: 1 },
  created_at: '2026-01-31T09:30:00.000Z',
  updated_at: '2026-01-31T09:30:00.000Z',
};

export const TenantSchema = z.object(tenant).meta({ id: 'Tenant', examples: [example] });
export type TenantAnswer = z.input<typeof TenantSchema>;

export const CreatedTenantSchema = z
  .object({
    ...tenant,
    api_key: z.string().meta({ description: 'Its first API key, with all scopes. Shown only here.' }),
  })
  .meta({ id: 'CreatedTenant', examples: [{ ...example, api_key: 'hs_live_…' }] });
export type CreatedTenantAnswer = z.input<typeof CreatedTenantSchema>;

export const TenantPageSchema = pageOf(TenantSchema, 'TenantPage');
