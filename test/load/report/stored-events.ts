import { idToUuid } from '@hookstream/domain';
import pg from 'pg';
import type { Sent } from '../generator/load-loops.js';

/** What was answered as accepted against what Postgres has. */
export interface StoredEvents {
  /** Accepted, and without its event, its delivery or its outbox row. */
  lost: number;
  /** Deliveries beyond the first of an accepted event. */
  duplicated: number;
}

/** Looks for the rows of accepted events whose deliveries are held, each of which has one of each kind. */
export async function findStored(databaseUrl: string, sent: readonly Sent[]): Promise<StoredEvents> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ whole: number; deliveries: number }>(
      `SELECT count(DISTINCT e.id)::int AS whole, count(d.id)::int AS deliveries
         FROM events e JOIN deliveries d ON d.event_id = e.id JOIN outbox o ON o.delivery_id = d.id
        WHERE e.id = ANY ($1::uuid[])`,
      [sent.map(({ id }) => idToUuid('event', id))],
    );
    const { whole = 0, deliveries = 0 } = rows[0] ?? {};
    return { lost: sent.length - whole, duplicated: deliveries - whole };
  } finally {
    await client.end();
  }
}
