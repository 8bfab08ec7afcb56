import { Injectable } from '@nestjs/common';
import { ALL_SCOPES, DomainError, newId, type AuditActor, type TenantLimits } from '@hookstream/domain';
import { TenantsRepository, type TenantRecord } from '@hookstream/persistence';
import { generateApiKey } from '@hookstream/signing';
import { listed, type Listed } from '../http/fields.dto.js';
import type {
  CreatedTenantAnswer,
  CreateTenant,
  ListTenants,
  TenantAnswer,
  TenantLimitsInput,
  UpdateTenant,
} from './dto/tenant.dto.js';
import { presentTenant } from './tenants.presenter.js';

/** Tenants are the operator's alone: see the access of the routes. */
const ACTOR: AuditActor = { kind: 'operator' };

@Injectable()
export class TenantsService {
  constructor(private readonly tenants: TenantsRepository) {}

  async create(input: CreateTenant): Promise<CreatedTenantAnswer> {
    const { key, prefix, hash } = generateApiKey('live');
    const tenant = await this.tenants.create(
      { ...input, id: newId('tenant'), limits: limitsOf(input.limits) },
      { id: newId('apiKey'), name: 'First key', prefix, hash, scopes: [ALL_SCOPES], expiresAt: null },
      ACTOR,
    );
    return { ...presentTenant(tenant), api_key: key };
  }

  async list(query: ListTenants): Promise<Listed<TenantAnswer>> {
    return listed(await this.tenants.list(query), presentTenant);
  }

  async get(id: string): Promise<TenantAnswer> {
    return presentTenant(found(await this.tenants.find(id)));
  }

  async update(id: string, patch: UpdateTenant): Promise<TenantAnswer> {
    return presentTenant(
      found(await this.tenants.update(id, { ...patch, limits: limitsOf(patch.limits) }, ACTOR)),
    );
  }

  async delete(id: string): Promise<void> {
    if (!(await this.tenants.delete(id, ACTOR))) found(null);
  }
}

function found(tenant: TenantRecord | null): TenantRecord {
  if (tenant === null) throw new DomainError('not_found', 'There is no such tenant.');
  return tenant;
}

/** Those that are given a value. */
function limitsOf(input: TenantLimitsInput = {}): Partial<TenantLimits> {
  const limits = {
    eventsPerSecond: input.events_per_second,
    burst: input.burst,
    maxPending: input.max_pending,
    maxInFlight: input.max_in_flight,
    weight: input.weight,
  };
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
