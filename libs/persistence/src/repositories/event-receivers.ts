import type pg from 'pg';
import {
  idToUuid,
  matchesEventType,
  matchesFilter,
  type EndpointStatus,
  type Lane,
  type Payload,
} from '@hookstream/domain';
import type { AcceptItem } from './accept-events.js';
import { storedFilter } from './stored-filter.js';

/** An endpoint as accepting an event needs it. */
export interface Receiver {
  id: string;
  event_types: string[];
  /** As text: it is parsed and compiled once, not with every group. */
  filter: string | null;
  status: EndpointStatus;
  ordered: boolean;
  order_key: string | null;
  lane: Lane;
}

/** A tenant and its endpoints by their uuids. */
export interface Receivers {
  tenantUuid: string;
  /** Another one after every change of an endpoint that matters here. */
  version: string;
  endpoints: ReadonlyMap<string, Receiver>;
}

/**
 * The receivers that a process remembers, by the tenant's public id. Whoever accepts with them has the version checked where the
 * events are stored: what is out of date costs one more try, never a wrong delivery.
 */
export interface ReceiversMemory {
  get(tenantId: string): Receivers | undefined;
  set(tenantId: string, receivers: Receivers): unknown;
  delete(tenantId: string): unknown;
}

type Row = { tenant_id: string; version: string } & (Receiver | { id: null });

/** Reads the tenants' endpoints, each tenant's as of one moment. By the tenant's public id. */
export async function readReceivers(
  pool: pg.Pool | pg.PoolClient,
  tenantIds: Iterable<string>,
): Promise<Map<string, Receivers>> {
  const endpoints = new Map<string, Map<string, Receiver>>();
  const byTenant = new Map<string, Receivers>();
  for (const tenantId of tenantIds) {
    const tenantUuid = idToUuid('tenant', tenantId);
    const own = new Map<string, Receiver>();
    endpoints.set(tenantUuid, own);
    byTenant.set(tenantId, { tenantUuid, version: '', endpoints: own });
  }
  const { rows } = await pool.query<Row>({
    name: 'accept-endpoints',
    text: `SELECT t.id AS tenant_id, t.endpoints_version AS version,
                  e.id, e.event_types, e.filter::text AS filter, e.status, e.ordered, e.order_key, e.lane
             FROM tenants t LEFT JOIN endpoints e ON e.tenant_id = t.id AND e.deleted_at IS NULL
            WHERE t.id = ANY ($1::uuid[])`,
    values: [[...endpoints.keys()]],
  });
  const versions = new Map(rows.map((row) => [row.tenant_id, row.version]));
  for (const row of rows) if (row.id !== null) endpoints.get(row.tenant_id)?.set(row.id, row);
  for (const receivers of byTenant.values()) receivers.version = versions.get(receivers.tenantUuid) ?? '';
  return byTenant;
}

/** The endpoints that ask for such an event: by its type, then by what is in it. */
export function wanting(
  item: AcceptItem,
  timestamp: string,
  endpoints: ReadonlyMap<string, Receiver>,
): Receiver[] {
  let payload: Payload | undefined;
  const targets: Receiver[] = [];
  for (const target of endpoints.values()) {
    if (!matchesEventType(target.event_types, item.type)) continue;
    if (target.filter !== null) {
      payload ??= payloadOf(item, timestamp);
      if (!matchesFilter(storedFilter(target.filter), payload)) continue;
    }
    targets.push(target);
  }
  return targets;
}

export function payloadOf(item: AcceptItem, timestamp: string): Payload {
  return { type: item.type, timestamp, data: dataOf(item), dataText: item.dataText };
}

function dataOf(item: AcceptItem): unknown {
  return 'data' in item ? item.data : (JSON.parse(item.dataText) as unknown);
}
