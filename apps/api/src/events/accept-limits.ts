import { Inject, Injectable } from '@nestjs/common';
import type { ApiConfig } from '@hookstream/config';
import { LimitError } from '@hookstream/domain';
import type { AcceptPolicies } from '@hookstream/persistence';
import { LRUCache } from 'lru-cache';
import type { RateLimitState } from '../http/rate-limit-headers.js';
import { TenantPolicies } from '../platform/tenant-policies.js';
import { API_CONFIG } from '../platform/tokens.js';
import { AcceptBudgets, type AcceptRate } from './accept-budgets.js';

const MAX_TENANTS = 10_000;

export interface Admission {
  /** The first so many of the events may be accepted. */
  admitted: number;
  /** Why the others may not. */
  refusal?: LimitError;
  /** Absent for a tenant without an accept rate. */
  rate?: RateLimitState;
}

/** Holds a tenant to what the operator allows it to post. */
@Injectable()
export class AcceptLimits {
  /** What this process has accepted since the last count, of tenants with a quota. */
  private readonly accepted = new LRUCache<string, { measuredAt: string; deliveries: number }>({
    max: MAX_TENANTS,
  });

  constructor(
    private readonly policies: TenantPolicies,
    private readonly budgets: AcceptBudgets,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  /** Says how many of these events may be accepted now. */
  async admit(tenantId: string, events: number): Promise<Admission> {
    const policies = await this.policies.of(tenantId);
    const full = this.pendingRefusal(tenantId, policies);
    if (full !== undefined) return { admitted: 0, refusal: full };
    const rate = this.rateOf(policies);
    if (rate === undefined) return { admitted: events };
    const { granted, remaining, waitMs, fullMs } = await this.budgets.spend(tenantId, rate, events);
    const wait = Math.max(1, Math.ceil(waitMs / 1_000));
    const reset = granted < events ? wait : Math.ceil(fullMs / 1_000);
    return {
      admitted: granted,
      rate: { limit: rate.burst, remaining: granted < events ? 0 : remaining, resetSeconds: reset },
      ...(granted < events
        ? {
            refusal: new LimitError(
              'rate_limited',
              `This tenant may post ${rate.perSecond} events a second.`,
              wait,
            ),
          }
        : {}),
    };
  }

  /** Notes what was accepted, until it is counted. */
  note(tenantId: string, deliveries: number): void {
    const noted = this.accepted.get(tenantId);
    if (noted !== undefined) noted.deliveries += deliveries;
  }

  private pendingRefusal(tenantId: string, policies: AcceptPolicies): LimitError | undefined {
    const most = policies.maxPending ?? this.config.tenantLimits.maxPending;
    if (most === null) return undefined;
    let noted = this.accepted.get(tenantId);
    if (noted?.measuredAt !== policies.measuredAt) {
      noted = { measuredAt: policies.measuredAt, deliveries: 0 };
      this.accepted.set(tenantId, noted);
    }
    if (policies.pending + noted.deliveries < most) return undefined;
    return new LimitError(
      'pending_quota_exceeded',
      `This tenant has ${most} deliveries or more that are not finished, which is the most it may have.`,
      Math.max(1, Math.ceil(this.config.tenantLimits.pendingCountIntervalMs / 1_000)),
    );
  }

  private rateOf(policies: AcceptPolicies): AcceptRate | undefined {
    const perSecond = policies.eventsPerSecond ?? this.config.tenantLimits.eventsPerSecond;
    if (perSecond === null) return undefined;
    // a tenant's own rate comes with its own burst: the deployment's belongs to the deployment's rate
    const burst =
      policies.burst ?? (policies.eventsPerSecond === null ? this.config.tenantLimits.burst : null);
    return { perSecond, burst: burst ?? Math.max(1, Math.ceil(perSecond)) };
  }
}
