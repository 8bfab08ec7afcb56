import { Injectable } from '@nestjs/common';
import { AcceptPoliciesRepository, type AcceptPolicies } from '@hookstream/persistence';
import { LRUCache } from 'lru-cache';

/** A change takes effect within a second: this, and the time to read the row. Milliseconds. */
const CACHE_MS = 900;
const CACHE_ENTRIES = 10_000;
const NONE: AcceptPolicies = {
  eventTypesVersion: '0',
  eventsPerSecond: null,
  burst: null,
  maxPending: null,
  pending: 0,
  measuredAt: '',
};

/** What is asked of a tenant's events, with one query a second for each tenant that posts any. */
@Injectable()
export class TenantPolicies {
  private readonly policies: LRUCache<string, AcceptPolicies>;

  constructor(repository: AcceptPoliciesRepository) {
    this.policies = new LRUCache({
      max: CACHE_ENTRIES,
      ttl: CACHE_MS,
      fetchMethod: async (tenantId: string) => (await repository.find(tenantId)) ?? NONE,
    });
  }

  /** At once for a tenant seen within the last second. @throws what Postgres throws */
  async of(tenantId: string): Promise<AcceptPolicies> {
    return this.policies.get(tenantId) ?? (await this.policies.fetch(tenantId)) ?? NONE;
  }
}
