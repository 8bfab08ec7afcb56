/** A tenant may hold at most this many times the room that is still free. */
const TENANT_SHARE = 8;
/** An endpoint may hold at most this many times what its tenant may still take: less, so that a dead one leaves room to the others. */
const ENDPOINT_SHARE = 2;

/** Deliveries of one endpoint that wait, as the dispatcher lists them. */
export interface WaitingQueue {
  tenantId: string;
  endpointId: string;
  /** The tenant's weight beside other tenants. Positive. */
  weight: number;
  /** How many the endpoint's own limits let go now: slots, tokens, circuit. */
  free: number;
  /** How many the tenant's own limit lets go now, over all its endpoints; Infinity without one. */
  tenantFree: number;
}

/** What a worker has under way, and how much more it may take on. */
export interface RoomInUse {
  /** The most to take now. */
  room: number;
  /** All that may be under way in this worker. */
  capacity: number;
  /** Under way now, in all, by tenant and by endpoint. */
  total: number;
  tenants: ReadonlyMap<string, number>;
  endpoints: ReadonlyMap<string, number>;
}

export interface Allotment {
  /** How many to take, by endpoint; those that get nothing are absent. */
  takes: Map<string, number>;
  /** Whether something that its limits would let go was left for want of room. */
  wantsRoom: boolean;
}

interface Candidate {
  endpointId: string;
  left: number;
  inUse: number;
}

interface TenantShare {
  weight: number;
  left: number;
  inUse: number;
  candidates: Candidate[];
}

/**
 * Divides a worker's room among the queues, one delivery at a time: to the tenant that holds the least for its weight, and in
 * it to the endpoint that holds the least; who comes first in `queues` wins a tie, so the caller rotates them.
 *
 * Thresholds move with the free room, as in a switch that shares one buffer: a tenant may hold {@link TENANT_SHARE} × weight × free
 * room, an endpoint {@link ENDPOINT_SHARE} × what that leaves its tenant. One alone gets most of the worker, several share it by
 * weight, and nobody who holds much takes what is left for whom comes next. Who holds nothing may always take one.
 */
export function allotRoom(queues: readonly WaitingQueue[], use: RoomInUse): Allotment {
  const takes = new Map<string, number>();
  const tenants = sharesOf(queues, use);
  let given = 0;
  let wantsRoom = false;
  for (;;) {
    const tenant = leastUsed(tenants, (share) => share.inUse / share.weight);
    if (tenant === undefined) break;
    const free = use.capacity - use.total - given;
    if (given >= use.room || free <= 0) return { takes, wantsRoom: true };
    const tenantMay = TENANT_SHARE * tenant.weight * free;
    const candidate = leastUsed(tenant.candidates, ({ inUse }) => inUse);
    if (candidate === undefined || tenant.left <= 0 || !within(tenant.inUse, tenantMay)) {
      wantsRoom ||= candidate !== undefined && tenant.left > 0;
      remove(tenants, tenant);
      continue;
    }
    if (!within(candidate.inUse, ENDPOINT_SHARE * (tenantMay - tenant.inUse))) {
      wantsRoom = true;
      remove(tenant.candidates, candidate);
      continue;
    }
    takes.set(candidate.endpointId, (takes.get(candidate.endpointId) ?? 0) + 1);
    given += 1;
    tenant.inUse += 1;
    tenant.left -= 1;
    candidate.inUse += 1;
    candidate.left -= 1;
    if (candidate.left <= 0) remove(tenant.candidates, candidate);
  }
  return { takes, wantsRoom };
}

/** Thresholds only sink and use only grows while room is given out, so what is refused once stays refused. */
function within(inUse: number, may: number): boolean {
  return inUse + 1 <= Math.max(1, may);
}

function sharesOf(queues: readonly WaitingQueue[], use: RoomInUse): TenantShare[] {
  const tenants = new Map<string, TenantShare>();
  for (const { tenantId, endpointId, weight, free, tenantFree } of queues) {
    if (free <= 0) continue;
    let share = tenants.get(tenantId);
    if (share === undefined) {
      share = { weight, left: tenantFree, inUse: use.tenants.get(tenantId) ?? 0, candidates: [] };
      tenants.set(tenantId, share);
    }
    share.candidates.push({ endpointId, left: free, inUse: use.endpoints.get(endpointId) ?? 0 });
  }
  return [...tenants.values()];
}

function leastUsed<T>(items: readonly T[], use: (item: T) => number): T | undefined {
  let least: T | undefined;
  for (const item of items) if (least === undefined || use(item) < use(least)) least = item;
  return least;
}

function remove<T>(items: T[], item: T): void {
  items.splice(items.indexOf(item), 1);
}
