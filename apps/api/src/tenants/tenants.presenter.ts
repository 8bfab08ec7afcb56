import type { TenantRecord } from '@hookstream/persistence';
import type { TenantAnswer } from './dto/tenant.dto.js';

export function presentTenant(tenant: TenantRecord): TenantAnswer {
  return {
    id: tenant.id,
    name: tenant.name,
    metadata: tenant.metadata,
    created_at: tenant.createdAt.toISOString(),
    updated_at: tenant.updatedAt.toISOString(),
  };
}
