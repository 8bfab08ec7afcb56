import type pg from 'pg';
import {
  idToUuid,
  newIdentity,
  newUuid,
  orderKeyOf,
  uuidV7Time,
  type FieldError,
  type Lane,
} from '@hookstream/domain';
import { ACCEPT_EVENTS_SQL } from './accept-events.sql.js';
import { binaryColumn } from './binary-column.js';
import {
  payloadOf,
  readReceivers,
  wanting,
  type Receiver,
  type Receivers,
  type ReceiversMemory,
} from './event-receivers.js';

export interface IdempotencyClaim {
  key: string;
  /** Tells the same request from another one under the same key. */
  requestHash: Buffer;
  expiresAt: Date;
}

export interface AcceptItem {
  tenantId: string;
  type: string;
  /** The caller's own JSON text of `data`, stored and sent unchanged. */
  dataText: string;
  /** What the text says, where the caller has it; else it is read when a filter asks for it. */
  data?: unknown;
  /** Deliver to these, whatever event types and filters they have; absent: to all that ask for such an event. */
  endpointIds?: readonly string[] | undefined;
  deliverAt?: Date | undefined;
  /** How its deliveries are to run; absent: as their endpoints say. */
  lane?: Lane | undefined;
  idempotency?: IdempotencyClaim | undefined;
  /** With what trace its request came, as `readTraceparent` gives it; absent: with none, or nobody traces. */
  traceparent?: string | null;
  /** What its type's schema found, and whether that keeps it out. */
  schema?: { errors: readonly FieldError[]; reject: boolean } | undefined;
}

export interface AcceptedEvent {
  id: string;
  type: string;
  /** RFC 3339, milliseconds. */
  createdAt: string;
  /** How many deliveries were made for it. */
  deliveries: number;
  /** What its type's schema found; absent: nothing. */
  schemaErrors?: readonly FieldError[];
}

export type AcceptResult =
  | { kind: 'accepted'; event: AcceptedEvent }
  /** The same request came before: its answer. */
  | { kind: 'replayed'; event: AcceptedEvent }
  /** The key was used for another request. */
  | { kind: 'idempotency_conflict' }
  | { kind: 'unknown_endpoints'; endpointIds: string[] }
  | { kind: 'schema_violated'; errors: readonly FieldError[] };

interface Planned {
  item: AcceptItem;
  tenantUuid: string;
  eventUuid: string;
  createdMs: number;
  answer: AcceptedEvent;
  payload: string;
  targets: Receiver[];
}

/** Every try but the first reads the endpoints anew; a key that was taken at the insert and gone at the look-up had just expired. */
const MAX_TRIES = 5;

/**
 * Accepts a group of events in one transaction; each item has its own result, in order. Nothing of an item that
 * is not `accepted` is stored.
 * @param pool or the client of a transaction that it is to be part of
 * @param memory where the tenants' endpoints are looked for first, and kept
 * @throws what Postgres throws; then nothing of the group is stored.
 */
export async function acceptEvents(
  pool: pg.Pool | pg.PoolClient,
  items: readonly AcceptItem[],
  memory?: ReceiversMemory,
): Promise<AcceptResult[]> {
  const results = new Map<AcceptItem, AcceptResult>();
  for (let tries = 0; results.size < items.length && tries < MAX_TRIES; tries++) {
    const open = items.filter((item) => !results.has(item));
    const receivers = await receiversOf(pool, open, memory);
    for (const [item, result] of await acceptOnce(pool, open, receivers)) results.set(item, result);
    // whatever is still open may have met endpoints that are not what they were
    if (results.size < items.length) for (const tenantId of receivers.remembered) memory?.delete(tenantId);
  }
  return items.map((item) => {
    const result = results.get(item);
    if (result === undefined) throw new Error('An idempotency key was taken and given back again and again');
    return result;
  });
}

interface KnownReceivers {
  /** By the tenant's public id. */
  byTenant: ReadonlyMap<string, Receivers>;
  /** Those that were not read just now. */
  remembered: ReadonlySet<string>;
}

async function receiversOf(
  pool: pg.Pool | pg.PoolClient,
  items: readonly AcceptItem[],
  memory: ReceiversMemory | undefined,
): Promise<KnownReceivers> {
  const byTenant = new Map<string, Receivers>();
  const unknown = new Set<string>();
  for (const { tenantId } of items) {
    if (byTenant.has(tenantId) || unknown.has(tenantId)) continue;
    const receivers = memory?.get(tenantId);
    if (receivers === undefined) unknown.add(tenantId);
    else byTenant.set(tenantId, receivers);
  }
  const remembered = new Set(byTenant.keys());
  if (unknown.size > 0)
    for (const [tenantId, receivers] of await readReceivers(pool, unknown)) {
      memory?.set(tenantId, receivers);
      byTenant.set(tenantId, receivers);
    }
  return { byTenant, remembered };
}

/** @returns no result for what is to be tried again */
async function acceptOnce(
  pool: pg.Pool | pg.PoolClient,
  items: readonly AcceptItem[],
  { byTenant, remembered }: KnownReceivers,
): Promise<Map<AcceptItem, AcceptResult>> {
  const results = new Map<AcceptItem, AcceptResult>();
  const { first, repeated } = withoutRepeatedKeys(items);
  const planned: Planned[] = [];
  const unresolved: AcceptItem[] = [...repeated];
  for (const item of first) {
    const receivers = byTenant.get(item.tenantId);
    if (receivers === undefined) throw new Error('The endpoints of a tenant were not read');
    const refused = refusal(item, receivers);
    if (refused === null) planned.push(plan(item, receivers));
    else if (refused.kind !== 'unknown_endpoints' || !remembered.has(item.tenantId)) {
      results.set(item, refused);
      // the first answer to the same request stands, even where an endpoint it named is gone or a schema is stricter by now
      if (item.idempotency) unresolved.push(item);
    }
  }
  const toCheck = [...remembered].flatMap((tenantId) => byTenant.get(tenantId) ?? []);
  const stored = await store(pool, planned, toCheck);
  for (const { item, tenantUuid, eventUuid, answer } of planned) {
    if (stored.events.has(eventUuid)) results.set(item, { kind: 'accepted', event: answer });
    else if (!stored.outdatedTenants.has(tenantUuid)) unresolved.push(item);
  }
  for (const [item, result] of await earlierAnswers(pool, unresolved)) results.set(item, result);
  return results;
}

/** One statement may touch a key once: what repeats one within the group waits for the first's answer. */
function withoutRepeatedKeys(items: readonly AcceptItem[]): { first: AcceptItem[]; repeated: AcceptItem[] } {
  const seen = new Set<string>();
  const first: AcceptItem[] = [];
  const repeated: AcceptItem[] = [];
  for (const item of items) {
    const key = item.idempotency && `${item.tenantId} ${item.idempotency.key}`;
    if (key !== undefined && seen.has(key)) repeated.push(item);
    else first.push(item);
    if (key !== undefined) seen.add(key);
  }
  return { first, repeated };
}

function refusal({ schema, endpointIds = [] }: AcceptItem, { endpoints }: Receivers): AcceptResult | null {
  if (schema?.reject) return { kind: 'schema_violated', errors: schema.errors };
  const unknown = endpointIds.filter((id) => !endpoints.has(idToUuid('endpoint', id)));
  return unknown.length === 0 ? null : { kind: 'unknown_endpoints', endpointIds: unknown };
}

function plan(item: AcceptItem, { tenantUuid, endpoints }: Receivers): Planned {
  const { id, uuid: eventUuid } = newIdentity('event');
  // the id's own time, so that lists by time and by id agree
  const createdMs = uuidV7Time(eventUuid);
  const createdAt = new Date(createdMs).toISOString();
  const chosen = item.endpointIds
    ? [...new Set(item.endpointIds)].flatMap((id) => endpoints.get(idToUuid('endpoint', id)) ?? [])
    : wanting(item, createdAt, endpoints);
  const targets = chosen.filter((target) => target.status !== 'disabled');
  return {
    item,
    tenantUuid,
    eventUuid,
    createdMs,
    targets,
    answer: {
      ...{ id, type: item.type, createdAt, deliveries: targets.length },
      ...(item.schema === undefined ? {} : { schemaErrors: item.schema.errors }),
    },
    payload: `{"type":${JSON.stringify(item.type)},"timestamp":"${createdAt}","data":${item.dataText}}`,
  };
}

interface Stored {
  /** Their uuids. */
  events: ReadonlySet<string>;
  /** The uuids of tenants whose endpoints are not what they were: nothing of theirs is stored. */
  outdatedTenants: ReadonlySet<string>;
}

/** @param toCheck receivers that were not read just now */
async function store(
  pool: pg.Pool | pg.PoolClient,
  planned: readonly Planned[],
  toCheck: readonly Receivers[],
): Promise<Stored> {
  if (planned.length === 0) return { events: new Set(), outdatedTenants: new Set() };
  const paused = new Set<string>();
  const deliveries = planned.flatMap((p) =>
    p.targets.map((target) => {
      if (target.status === 'paused') paused.add(target.id);
      return {
        id: newUuid(),
        event: p.eventUuid,
        endpoint: target.id,
        lane: p.item.lane ?? target.lane,
        // absent: now by the database's clock, so that a clock that runs ahead here delays nothing
        due: p.item.deliverAt?.toISOString() ?? null,
        orderKey: target.ordered
          ? orderKeyOf(() => payloadOf(p.item, p.answer.createdAt), target.order_key)
          : null,
      };
    }),
  );
  const { rows } = await pool.query<{ id: string; outdated_tenant: string }>({
    name: 'accept-events',
    text: ACCEPT_EVENTS_SQL,
    values: [
      binaryColumn('uuid', planned, (p) => p.eventUuid),
      binaryColumn('uuid', planned, (p) => p.tenantUuid),
      binaryColumn('text', planned, (p) => p.item.type),
      binaryColumn('text', planned, (p) => p.payload),
      sparse(planned, (p) => p.item.deliverAt?.toISOString() ?? null),
      binaryColumn('timestamptz', planned, (p) => p.createdMs),
      sparse(planned, (p) => p.item.idempotency?.key ?? null),
      sparse(planned, (p) => p.item.idempotency?.requestHash ?? null),
      sparse(planned, (p) => (p.item.idempotency ? JSON.stringify(p.answer) : null)),
      sparse(planned, (p) => p.item.idempotency?.expiresAt.toISOString() ?? null),
      binaryColumn('uuid', deliveries, (d) => d.id),
      binaryColumn('uuid', deliveries, (d) => d.event),
      binaryColumn('uuid', deliveries, (d) => d.endpoint),
      binaryColumn('text', deliveries, (d) => d.lane),
      sparse(deliveries, (d) => d.due),
      [...paused],
      sparse(planned, ({ item }) => (item.schema === undefined ? null : JSON.stringify(item.schema.errors))),
      sparse(deliveries, (d) => d.orderKey),
      toCheck.map((receivers) => receivers.tenantUuid),
      toCheck.map((receivers) => receivers.version),
      sparse(planned, (p) => p.item.traceparent ?? null),
    ],
  });
  return {
    events: new Set(rows.map((row) => row.id)),
    outdatedTenants: new Set(rows.map((row) => row.outdated_tenant)),
  };
}

/** A column that most groups leave empty: an empty array then, which unnest fills up with nulls. */
function sparse<Row, Value>(rows: readonly Row[], value: (row: Row) => Value | null): (Value | null)[] {
  const values = rows.map(value);
  return values.every((one) => one === null) ? [] : values;
}

/** The answers already given under these items' keys; an item whose key is free again is absent. */
async function earlierAnswers(
  pool: pg.Pool | pg.PoolClient,
  items: readonly AcceptItem[],
): Promise<Map<AcceptItem, AcceptResult>> {
  const results = new Map<AcceptItem, AcceptResult>();
  if (items.length === 0) return results;
  const { rows } = await pool.query<{ ordinal: number; request_hash: Buffer; response: AcceptedEvent }>(
    `SELECT i.ordinal::int, k.request_hash, k.response
       FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS i (tenant_id, key, ordinal)
       JOIN idempotency_keys k ON k.tenant_id = i.tenant_id AND k.key = i.key AND k.expires_at > now()`,
    [
      items.map((item) => idToUuid('tenant', item.tenantId)),
      items.map((item) => item.idempotency?.key ?? null),
    ],
  );
  for (const row of rows) {
    const item = items[row.ordinal - 1];
    if (item === undefined) continue;
    const same = item.idempotency?.requestHash.equals(row.request_hash) ?? false;
    results.set(item, same ? { kind: 'replayed', event: row.response } : { kind: 'idempotency_conflict' });
  }
  return results;
}
