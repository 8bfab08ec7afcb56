import { setTimeout as sleep } from 'node:timers/promises';
import { FINAL_DELIVERY_STATUSES, idToUuid, uuidToId } from '@hookstream/domain';
import type { Database } from '@hookstream/persistence';
import type { TemporalClient } from '@hookstream/temporal-client';

/** What is left counts as stuck when nothing of it has come to its end for so long. Milliseconds. */
const STUCK_AFTER_MS = 60_000;
const LOOK_EVERY_MS = 500;
const TELL_EVERY_MS = 15_000;

/** What is still under way, in plain words; all empty when everything has come to its end. */
interface Leftovers {
  deliveries: string[];
  outbox: string[];
  workflows: string[];
}

export interface Settlement {
  settledAfterMs: number;
  faults: string[];
}

/**
 * Waits until every delivery has ended, the outbox is empty and no workflow of a finished delivery is open, for as long as some of it
 * does come to its end: how long a backlog takes is the machine's affair.
 */
export async function settle(
  database: Database,
  temporal: TemporalClient,
  say: (line: string) => void,
): Promise<Settlement> {
  const startedAt = Date.now();
  let progress = { left: Infinity, at: startedAt };
  let toldAt = startedAt;
  for (;;) {
    const left = await look(database, temporal).catch((error: unknown) => error as Error);
    const now = Date.now();
    const settledAfterMs = now - startedAt;
    const count = left instanceof Error ? Infinity : countOf(left);
    if (count === 0) return { settledAfterMs, faults: [] };
    if (count < progress.left) progress = { left: count, at: now };
    if (now - progress.at > STUCK_AFTER_MS) return { settledAfterMs, faults: tellStuck(left) };
    if (!(left instanceof Error) && now - toldAt > TELL_EVERY_MS) {
      toldAt = now;
      say(`${left.deliveries.length} deliveries have not ended yet`);
    }
    await sleep(LOOK_EVERY_MS);
  }
}

function countOf({ deliveries, outbox, workflows }: Leftovers): number {
  return deliveries.length + outbox.length + workflows.length;
}

async function look(database: Database, temporal: TemporalClient): Promise<Leftovers> {
  const { rows: deliveries } = await database.pool.query<{ id: string; told: string }>(
    `SELECT id, status || ' since ' || updated_at || coalesce(', next attempt ' || next_attempt_at, '') AS told
       FROM deliveries WHERE status <> ALL($1)`,
    [[...FINAL_DELIVERY_STATUSES]],
  );
  const { rows: outbox } = await database.pool.query<{ delivery_id: string; told: string }>(
    `SELECT delivery_id, 'due ' || due_at || ', claimable ' || claimable_at || coalesce(', claimed by ' || claimed_by, '') AS told
       FROM outbox`,
  );
  const tell = (id: string, what: string): string => `${uuidToId('delivery', id)} (${what})`;
  return {
    deliveries: deliveries.map(({ id, told }) => tell(id, told)),
    outbox: outbox.map((row) => tell(row.delivery_id, row.told)),
    workflows: await openWithoutReason(database, temporal),
  };
}

/** Open delivery workflows but those of dead letters, which stay open to be replayed. */
async function openWithoutReason(database: Database, temporal: TemporalClient): Promise<string[]> {
  const query = "ExecutionStatus = 'Running' AND WorkflowType = 'deliveryWorkflow'";
  const open: string[] = [];
  for await (const { workflowId } of temporal.client.workflow.list({ query })) open.push(workflowId);
  const { rows } = await database.pool.query<{ id: string; status: string }>(
    `SELECT id, status FROM deliveries WHERE id = ANY($1) AND status IN ('succeeded', 'cancelled')`,
    [open.map((id) => idToUuid('delivery', id))],
  );
  return rows.map(({ id, status }) => `${uuidToId('delivery', id)} (${status})`);
}

function tellStuck(left: Leftovers | Error): string[] {
  if (left instanceof Error) return [`cannot tell what is left: ${left.message}`];
  const { deliveries, outbox, workflows } = left;
  const after = `although nothing has moved for ${STUCK_AFTER_MS / 1_000} s`;
  const tell = (what: string, found: string[]): string[] =>
    found.length === 0
      ? []
      : [`${found.length} ${what} ${after}, among them ${found.slice(0, 3).join(', ')}`];
  return [
    ...tell('deliveries are stuck', deliveries),
    ...tell('outbox rows are left', outbox),
    ...tell('workflows of finished deliveries are open', workflows),
  ];
}
