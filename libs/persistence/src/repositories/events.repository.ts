import { idToUuid, uuidToId, uuidV7Floor, type FieldError } from '@hookstream/domain';
import type { Database } from '../database.js';
import { acceptEvents, type AcceptItem, type AcceptResult } from './accept-events.js';
import type { ReceiversMemory } from './event-receivers.js';
import { cursorUuid, toPage, type Page, type PageRequest } from './page.js';

export interface EventRecord {
  id: string;
  tenantId: string;
  type: string;
  deliverAt: Date | null;
  /** What its type's schema found when it was accepted. */
  schemaErrors: FieldError[];
  createdAt: Date;
}

/** `payload` is the text as it is sent. */
export type EventWithPayload = EventRecord & { payload: string };

export interface EventFilter {
  type?: string | undefined;
  /** Inclusive. */
  since?: Date | undefined;
  /** Exclusive. */
  until?: Date | undefined;
}

interface EventRow {
  id: string;
  tenant_id: string;
  type: string;
  deliver_at: Date | null;
  schema_errors: FieldError[] | null;
  created_at: Date;
}

const toRecord = (row: EventRow): EventRecord => ({
  id: uuidToId('event', row.id),
  tenantId: uuidToId('tenant', row.tenant_id),
  type: row.type,
  deliverAt: row.deliver_at,
  schemaErrors: row.schema_errors ?? [],
  createdAt: row.created_at,
});

/** An id carries its time, so a time filter is a range of ids and skips whole partitions. */
export const timeBound = (time: Date | undefined): string | null =>
  time === undefined ? null : uuidV7Floor(time.getTime());

export class EventsRepository {
  constructor(private readonly database: Database) {}

  /** @see acceptEvents */
  async acceptEvents(items: readonly AcceptItem[], memory?: ReceiversMemory): Promise<AcceptResult[]> {
    return acceptEvents(this.database.pool, items, memory);
  }

  async find(tenantId: string, id: string): Promise<EventWithPayload | null> {
    const { rows } = await this.database.pool.query<EventRow & { payload: string }>(
      `SELECT id, tenant_id, type, deliver_at, schema_errors, created_at, payload FROM events WHERE tenant_id = $1 AND id = $2`,
      [idToUuid('tenant', tenantId), idToUuid('event', id)],
    );
    return rows[0] === undefined ? null : { ...toRecord(rows[0]), payload: rows[0].payload };
  }

  async list(tenantId: string, filter: EventFilter, page: PageRequest): Promise<Page<EventRecord>> {
    const { rows } = await this.database.pool.query<EventRow>(
      `SELECT id, tenant_id, type, deliver_at, schema_errors, created_at FROM events
        WHERE tenant_id = $1
          AND ($2::uuid IS NULL OR id < $2) AND ($3::uuid IS NULL OR id >= $3) AND ($4::uuid IS NULL OR id < $4)
          AND ($5::text IS NULL OR type = $5)
        ORDER BY id DESC LIMIT $6`,
      [
        idToUuid('tenant', tenantId),
        cursorUuid('event', page),
        timeBound(filter.since),
        timeBound(filter.until),
        filter.type ?? null,
        page.limit + 1,
      ],
    );
    return toPage(rows.map(toRecord), page.limit);
  }
}
