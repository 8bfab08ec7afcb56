import { Injectable } from '@nestjs/common';
import { AcceptBudgetsRepository } from '@hookstream/persistence';
import { LRUCache } from 'lru-cache';

/** What is taken in advance is given up when it is not used for this long. Milliseconds. */
const KEEP_MS = 500;
/** Most that is taken in advance, in seconds of the rate. */
const AHEAD_SECONDS = 0.1;
const MAX_TENANTS = 10_000;

export interface AcceptRate {
  perSecond: number;
  burst: number;
}

export interface BudgetAnswer {
  /** How many of the events may be accepted. */
  granted: number;
  remaining: number;
  /** Until one more may be; 0 where it may. Milliseconds. */
  waitMs: number;
  /** Until the whole burst may be. Milliseconds. */
  fullMs: number;
}

interface Lease {
  rate: AcceptRate;
  left: number;
  /** How much is taken at once: more while it is used up, so that few are taken in vain. */
  size: number;
  until: number;
  refusedUntil: number;
  fullAt: number;
  remaining: number;
  taking: Promise<void> | undefined;
}

/**
 * Spends a tenant's accept rate. The rate is kept in Postgres for all API processes; each takes a tenth of a second's worth at most in
 * advance, so that a busy tenant costs some ten queries a second and not one per event, and one that is over its rate costs none
 * until the next event is due. In any stretch of time at most that much more is accepted per process than the rate allows.
 */
@Injectable()
export class AcceptBudgets {
  private readonly leases = new LRUCache<string, Lease>({ max: MAX_TENANTS });

  constructor(private readonly budgets: AcceptBudgetsRepository) {}

  /** @throws what Postgres throws */
  async spend(tenantId: string, rate: AcceptRate, events: number): Promise<BudgetAnswer> {
    const lease = this.lease(tenantId, rate);
    let granted = 0;
    for (;;) {
      const now = Date.now();
      const usable = now < lease.until ? Math.min(lease.left, events - granted) : 0;
      lease.left -= usable;
      granted += usable;
      if (granted === events || now < lease.refusedUntil) return answer(lease, granted, now);
      await (lease.taking ??= this.take(tenantId, lease, events - granted).finally(() => {
        lease.taking = undefined;
      }));
    }
  }

  /** Another rate begins anew: what was refused by the old one may be allowed by it. */
  private lease(tenantId: string, rate: AcceptRate): Lease {
    let lease = this.leases.get(tenantId);
    if (lease?.rate.perSecond !== rate.perSecond || lease.rate.burst !== rate.burst) {
      lease = {
        rate,
        left: 0,
        size: 1,
        until: 0,
        refusedUntil: 0,
        fullAt: 0,
        remaining: 0,
        taking: undefined,
      };
      this.leases.set(tenantId, lease);
    }
    return lease;
  }

  private async take(tenantId: string, lease: Lease, events: number): Promise<void> {
    const { rate } = lease;
    const usedUp = lease.left === 0 && Date.now() < lease.until;
    const most = Math.max(1, Math.floor(rate.perSecond * AHEAD_SECONDS));
    lease.size = usedUp ? Math.min(lease.size * 2, most) : 1;
    const taken = await this.budgets.take(tenantId, rate, Math.max(lease.size, events));
    const now = Date.now();
    lease.left = (now < lease.until ? lease.left : 0) + taken.granted;
    lease.until = now + KEEP_MS;
    lease.refusedUntil = taken.granted === 0 ? now + Math.max(1, taken.waitMs) : 0;
    lease.fullAt = now + taken.fullMs;
    lease.remaining = taken.remaining;
  }
}

function answer(lease: Lease, granted: number, now: number): BudgetAnswer {
  return {
    granted,
    remaining: lease.remaining + lease.left,
    waitMs: Math.max(0, lease.refusedUntil - now),
    fullMs: Math.max(0, lease.fullAt - now),
  };
}
