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

export const CreateTenantSchema = z
  .strictObject({ name, metadata: metadata.default({}) })
  .meta({ id: 'CreateTenantRequest', examples: [{ name: 'Acme', metadata: { plan: 'pro' } }] });
export type CreateTenant = z.output<typeof CreateTenantSchema>;

export const UpdateTenantSchema = z
  .strictObject({ name: name.optional(), metadata: metadata.optional() })
  .meta({ id: 'UpdateTenantRequest', examples: [{ name: 'Acme Ltd' }] });
export type UpdateTenant = z.output<typeof UpdateTenantSchema>;

export const ListTenantsSchema = z.strictObject(pageQuery('tenant'));
export type ListTenants = z.output<typeof ListTenantsSchema>;

const tenant = {
  id: answeredId('tenant'),
  name: z.string(),
  metadata: z.record(z.string(), z.string()),
  created_at: answeredTime,
  updated_at: answeredTime,
};
const example = {
  id: exampleId('tenant'),
  name: 'Acme',
  metadata: { plan: 'pro' },
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
