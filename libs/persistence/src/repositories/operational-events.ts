import type pg from 'pg';
import { idToUuid, subscribesToOperational, uuidToId, type OperationalEventType } from '@hookstream/domain';
import { acceptEvents, type AcceptItem } from './accept-events.js';
import type { EndpointKey } from './circuits.repository.js';

export interface OperationalEvent {
  type: OperationalEventType;
  /** Public ids and RFC 3339 times only. */
  data: Record<string, string | number | null>;
}

/**
 * Accepts events about an endpoint for those of its tenant's other endpoints that name their type, within the caller's transaction.
 * An event that nobody subscribes to is not made. @param about never gets them.
 */
export async function acceptOperationalEvents(
  client: pg.PoolClient,
  about: EndpointKey,
  events: readonly OperationalEvent[],
): Promise<void> {
  if (events.length === 0) return;
  const { rows } = await client.query<{ id: string; event_types: string[] }>(
    `SELECT id, event_types FROM endpoints
      WHERE tenant_id = $1 AND id <> $2 AND deleted_at IS NULL AND status <> 'disabled' AND event_types <> '{}' ORDER BY id`,
    [idToUuid('tenant', about.tenantId), idToUuid('endpoint', about.endpointId)],
  );
  const items = events.flatMap(({ type, data }): AcceptItem[] => {
    const endpointIds = rows
      .filter((row) => subscribesToOperational(row.event_types, type))
      .map((row) => uuidToId('endpoint', row.id));
    if (endpointIds.length === 0) return [];
    return [{ tenantId: about.tenantId, type, dataText: JSON.stringify(data), endpointIds }];
  });
  if (items.length > 0) await acceptEvents(client, items);
}
