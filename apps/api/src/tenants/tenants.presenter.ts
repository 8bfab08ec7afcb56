import type { TenantRecord } from '@hookstream/persistence';
import type { TenantAnswer } from './dto/tenant.dto.js';

export function presentTenant(tenant: TenantRecord): TenantAnswer {
  return {
    id: tenant.id,
    name: tenant.name,
    metadata: tenant.metadata,
    limits: {
      events_per_second: tenant.limits.eventsPerSecond,
      burst: tenant.limits.burst,
      max_pending: tenant.limits.maxPending,
      max_in_flight: tenant.limits.maxInFlight,
      weight: tenant.limits.weight,
    },
    created_at: tenant.createdAt.toISOString(),
    updated_at: tenant.updatedAt.toISOString(),
  };
}
