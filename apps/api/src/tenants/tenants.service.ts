import { Injectable } from '@nestjs/common';
import { DomainError, newId, type AuditActor } from '@hookstream/domain';
import { TenantsRepository, type TenantRecord } from '@hookstream/persistence';
import { ALL_SCOPES } from '../auth/access.decorator.js';
import { generateApiKey } from '../auth/api-key-format.js';
import { listed, type Listed } from '../http/fields.dto.js';
import type {
  CreatedTenantAnswer,
  CreateTenant,
  ListTenants,
  TenantAnswer,
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
      { id: newId('tenant'), ...input },
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
    return presentTenant(found(await this.tenants.update(id, patch, ACTOR)));
  }

  async delete(id: string): Promise<void> {
    if (!(await this.tenants.delete(id, ACTOR))) found(null);
  }
}

function found(tenant: TenantRecord | null): TenantRecord {
  if (tenant === null) throw new DomainError('not_found', 'There is no such tenant.');
  return tenant;
}
