import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import {
  closedCircuit,
  idToUuid,
  SYSTEM_ACTOR,
  uuidToId,
  type CircuitHappening,
  type CircuitMemory,
  type CircuitPolicy,
  type CircuitState,
  type EndpointStatus,
} from '@hookstream/domain';
import { inTransaction } from '../database.js';
import { recordAudit } from './audit.repository.js';
import { acceptOperationalEvents, type OperationalEvent } from './operational-events.js';
import { holdWaiting, type StatementRunner } from './outbox-holding.sql.js';
import { WAKE_DISPATCHERS } from './outbox-wake-up.sql.js';

export interface EndpointKey {
  tenantId: string;
  endpointId: string;
}

export interface CircuitRecord {
  memory: CircuitMemory;
  policy: CircuitPolicy;
  seq: number;
}

export interface CircuitProjection {
  seq: number;
  memory: CircuitMemory;
  /** When an open circuit is to let a probe go. */
  probeAt: Date | null;
}

export type CircuitStoreResult = { kind: 'stored' } | { kind: 'outdated'; seq: number } | { kind: 'gone' };

interface CircuitRow {
  circuit_seq: number;
  circuit_turn: number;
  circuit_memory: CircuitMemory | null;
  circuit_state: CircuitState;
  recovering: boolean;
  status: EndpointStatus;
  circuit: CircuitPolicy;
}

/**
 * The breaker of an endpoint as everybody but its workflow sees it. What is stored is ordered by the workflow's number, so that a
 * late writer changes nothing.
 */
export class CircuitsRepository {
  constructor(private readonly pool: pg.Pool) {}

  /** Null when the endpoint does not exist or was deleted. */
  async load(key: EndpointKey): Promise<CircuitRecord | null> {
    const row = await findCircuit(this.pool, key);
    if (row === undefined) return null;
    return { memory: remembered(row), policy: row.circuit, seq: row.circuit_seq };
  }

  /**
   * Stores the breaker and, in the same transaction, accepts the operational events about what happened to it. A change of state lets
   * go of the probe and wakes the dispatchers.
   */
  async store(
    key: EndpointKey,
    projection: CircuitProjection,
    happened: readonly CircuitHappening[],
  ): Promise<CircuitStoreResult> {
    return inTransaction(this.pool, async (client) => {
      const row = await findCircuit(client, key, 'FOR NO KEY UPDATE');
      if (row === undefined) return { kind: 'gone' };
      if (isStoredAlready(row, projection)) return { kind: 'stored' };
      if (row.circuit_seq >= projection.seq) return { kind: 'outdated', seq: row.circuit_seq };
      await write(client, key, row, projection);
      await acceptOperationalEvents(
        client,
        key,
        happened.map((one) => tell(key.endpointId, one)),
      );
      return { kind: 'stored' };
    });
  }

  /**
   * Disables an endpoint that only failed: nothing more is sent to it until it is enabled. Its circuit is closed then, because nothing is
   * left for it to hold back. `not_enabled` when it is paused or disabled: then it was not let try.
   */
  async disable(
    key: EndpointKey,
    projection: CircuitProjection,
    options: { failingSince: Date; announce: boolean },
  ): Promise<CircuitStoreResult | { kind: 'not_enabled' }> {
    return inTransaction(this.pool, async (client) => {
      const row = await findCircuit(client, key, 'FOR NO KEY UPDATE');
      if (row === undefined) return { kind: 'gone' };
      if (isStoredAlready(row, projection)) return { kind: 'stored' };
      if (row.circuit_seq >= projection.seq) return { kind: 'outdated', seq: row.circuit_seq };
      if (row.status !== 'enabled') return { kind: 'not_enabled' };
      const failingSince = options.failingSince.toISOString();
      const reason = `every attempt has failed since ${failingSince}`;
      await client.query(
        `UPDATE endpoints SET status = 'disabled', disabled_reason = $2, updated_at = now() WHERE id = $1`,
        [idToUuid('endpoint', key.endpointId), reason],
      );
      await write(client, key, row, projection);
      await holdWaiting(client, idToUuid('tenant', key.tenantId), idToUuid('endpoint', key.endpointId));
      await recordAudit(client, {
        ...{ tenantId: key.tenantId, actor: SYSTEM_ACTOR, action: 'endpoint.disabled', reason },
        ...{ objectKind: 'endpoint', objectId: key.endpointId },
        changes: { status: { from: row.status, to: 'disabled' } },
      });
      const data = { endpoint_id: key.endpointId, reason, failing_since: failingSince };
      if (options.announce) await acceptOperationalEvents(client, key, [{ type: 'endpoint.disabled', data }]);
      return { kind: 'stored' };
    });
  }

  /** Open circuits whose probe was due that long ago and that nobody has moved since: their workflow is not there. */
  async overdue(olderThanMs: number, limit: number): Promise<(EndpointKey & { url: string })[]> {
    const { rows } = await this.pool.query<{ id: string; tenant_id: string; url: string }>(
      `SELECT id, tenant_id, url FROM endpoints
        WHERE circuit_state = 'open' AND deleted_at IS NULL AND circuit_probe_at < now() - $1 * interval '1 millisecond'
        ORDER BY circuit_probe_at LIMIT $2`,
      [olderThanMs, limit],
    );
    return rows.map((row) => ({
      tenantId: uuidToId('tenant', row.tenant_id),
      endpointId: uuidToId('endpoint', row.id),
      url: row.url,
    }));
  }
}

async function findCircuit(
  runner: pg.Pool | pg.PoolClient,
  key: EndpointKey,
  lock: '' | 'FOR NO KEY UPDATE' = '',
): Promise<CircuitRow | undefined> {
  const { rows } = await runner.query<CircuitRow>(
    `SELECT circuit_seq, circuit_turn, circuit_memory, circuit_state, recovering, status, circuit
       FROM endpoints WHERE id = $1 AND tenant_id = $2 AND deleted_at IS NULL ${lock}`,
    [idToUuid('endpoint', key.endpointId), idToUuid('tenant', key.tenantId)],
  );
  return rows[0];
}

/** Without a memory, what the columns tell: the endpoint was enabled again, or its circuit never opened. */
function remembered(row: CircuitRow): CircuitMemory {
  return (
    row.circuit_memory ?? { ...closedCircuit(row.circuit_turn, row.recovering), announced: row.recovering }
  );
}

/** A step that was repeated because its answer was lost. */
function isStoredAlready(row: CircuitRow, { seq, memory }: CircuitProjection): boolean {
  return row.circuit_seq === seq && isDeepStrictEqual(row.circuit_memory, memory);
}

async function write(
  client: pg.PoolClient,
  key: EndpointKey,
  before: CircuitRow,
  { seq, memory, probeAt }: CircuitProjection,
): Promise<void> {
  const endpoint = idToUuid('endpoint', key.endpointId);
  await client.query(
    `UPDATE endpoints
        SET circuit_seq = $2, circuit_turn = $3, circuit_memory = $4, circuit_state = $5, circuit_probe_at = $6,
            circuit_opened_at = $7, failing_since = $8, recovering = $9,
            circuit_changed_at = CASE WHEN circuit_state = $5 THEN circuit_changed_at ELSE now() END
      WHERE id = $1`,
    [
      endpoint,
      seq,
      memory.turn,
      JSON.stringify(memory),
      memory.state,
      probeAt,
      dateOf(memory.openedAt),
      dateOf(memory.failingSince),
      memory.recovering,
    ],
  );
  if (before.circuit_turn === memory.turn && before.circuit_state === memory.state) return;
  await releaseProbe(client, endpoint);
  await client.query(WAKE_DISPATCHERS);
}

/**
 * What enabling means to the breaker of an endpoint that is disabled: it starts anew, and the first success tells of the recovery. To
 * be called before the status changes, with the endpoint's row to be locked by it.
 */
export async function forgetCircuitOfDisabled(
  runner: StatementRunner,
  tenantUuid: string,
  endpointUuid: string,
): Promise<void> {
  await runner.query(
    `WITH forgotten AS (
       UPDATE endpoints
          SET circuit_seq = circuit_seq + 1, circuit_turn = circuit_turn + 1, circuit_memory = NULL, circuit_state = 'closed',
              circuit_probe_at = NULL, circuit_opened_at = NULL, failing_since = NULL, recovering = true,
              circuit_changed_at = CASE WHEN circuit_state = 'closed' THEN circuit_changed_at ELSE now() END
        WHERE tenant_id = $1 AND id = $2 AND status = 'disabled' AND deleted_at IS NULL
       RETURNING id
     )
     UPDATE endpoint_gates g SET probe_delivery_id = NULL, probe_until = NULL, version = version + 1
       FROM forgotten f WHERE g.endpoint_id = f.id`,
    [tenantUuid, endpointUuid],
  );
}

/** The version tells a claim that waited for the gate that what it read before is not true any more. */
async function releaseProbe(client: pg.PoolClient, endpointUuid: string): Promise<void> {
  await client.query(
    `UPDATE endpoint_gates SET probe_delivery_id = NULL, probe_until = NULL, version = version + 1 WHERE endpoint_id = $1`,
    [endpointUuid],
  );
}

function dateOf(unixMs: number | null): Date | null {
  return unixMs === null ? null : new Date(unixMs);
}

function tell(endpointId: string, happening: CircuitHappening): OperationalEvent {
  const at = new Date(happening.at).toISOString();
  switch (happening.kind) {
    case 'opened':
      return {
        type: 'endpoint.circuit_opened',
        data: {
          endpoint_id: endpointId,
          opened_at: at,
          consecutive_failures: happening.failures,
          failing_since: new Date(happening.failingSince).toISOString(),
          next_probe_at: new Date(happening.probeAt).toISOString(),
        },
      };
    case 'closed':
      return {
        type: 'endpoint.circuit_closed',
        data: {
          endpoint_id: endpointId,
          closed_at: at,
          opened_at: new Date(happening.openedAt).toISOString(),
          closed_by: happening.by,
        },
      };
    case 'recovered':
      return { type: 'endpoint.recovered', data: { endpoint_id: endpointId, recovered_at: at } };
  }
}
