import type pg from 'pg';
import { allotRoom, FINAL_DELIVERY_STATUSES, UNPACED, uuidToId, type RoomInUse } from '@hookstream/domain';
import {
  earliest,
  nextOfQueue,
  nextTokenInMs,
  readyQueues,
  toClaimed,
  type ClaimedDelivery,
  type PaceOfEndpoint,
  type QueueRow,
  type ReadyQueue,
  type TakenRow,
} from './claim-rows.js';
import { LIST_QUEUES_SQL } from './list-queues.sql.js';
import { givesSlotsBack } from './slots.sql.js';
import { TAKE_DELIVERIES_SQL } from './take-deliveries.sql.js';

export interface ClaimOptions {
  workerId: string;
  /** How long this worker has to start what it gets, in milliseconds. */
  leaseMs: number;
  use: RoomInUse;
  /** Without: whatever the limits let go may go at once. */
  paceOf?: PaceOfEndpoint;
}

export interface Claim {
  deliveries: ClaimedDelivery[];
  /** In how many milliseconds something more may go by itself: a due time, a token, the end of a probe. Null: not foreseeable. */
  nextInMs: number | null;
  /** More may go now, if there is room: claim again. */
  again: boolean;
  /** Another worker is letting deliveries of the same endpoint go: claim again a moment later. */
  contended: boolean;
  /** Something was left for want of room. */
  wantsRoom: boolean;
  /** Endpoints of which only the end of an attempt is missing. */
  fullEndpoints: ReadonlySet<string>;
}

/** Queues looked at in one claim; more are seen in turns. */
const PAGE = 200;
const NOWHERE = '00000000-0000-0000-0000-000000000000';

/**
 * Takes from the outbox what may go: lists the queues (one per endpoint), divides the room among them, takes from each under its
 * gate. One per worker: it remembers whose turn it is, so that none starves where there are more queues than room.
 */
export class FairClaim {
  private turn = { tenant: NOWHERE, endpoint: NOWHERE };
  /** Of the pages since something was taken, where there is more than one page. */
  private idle: { wraps: number; nextInMs: number | null } = { wraps: 0, nextInMs: null };

  constructor(private readonly pool: pg.Pool) {}

  /** Takes no more than `use` has room for. Rows of deliveries that are final or gone leave the outbox here. */
  async claim(options: ClaimOptions): Promise<Claim> {
    const listed = await this.list();
    const ready = readyQueues(listed, options.paceOf ?? (() => UNPACED));
    const allotment = allotRoom(ready, options.use);
    const { takes } = allotment;
    const served = ready.filter(({ endpointId }) => takes.has(endpointId));
    const taken = await this.take(options, served, takes);
    const counts = countByQueue(taken);
    const count = sum(counts.values());
    const wantsRoom = allotment.wantsRoom && mayHoldMore(ready, takes, counts);
    const claim: Claim = {
      deliveries: await this.live(options.workerId, taken),
      nextInMs: earliest([
        ...listed.map(nextOfQueue),
        ...ready.map(({ pace }) => pace.nextInMs),
        ...nextTokens(served, takes, taken),
      ]),
      // queues shorter than their share have left room for the longer ones
      again: wantsRoom && count > 0 && count < sum(takes.values()),
      contended: taken.some((row) => !row.locked),
      wantsRoom,
      fullEndpoints: new Set([
        ...listed.filter((row) => row.full_up).map((row) => uuidToId('endpoint', row.endpoint_id)),
        ...ready.filter(({ pace }) => pace.awaitsAnswer).map(({ endpointId }) => endpointId),
      ]),
    };
    const last = (wantsRoom ? served.at(-1)?.row : undefined) ?? listed.at(-1);
    if (last !== undefined) this.turn = { tenant: last.tenant_id, endpoint: last.endpoint_id };
    return listed.length < PAGE ? claim : this.onThePages(claim, listed);
  }

  private async list(): Promise<QueueRow[]> {
    const { rows } = await this.pool.query<QueueRow>({
      name: 'outbox-list-queues',
      text: LIST_QUEUES_SQL,
      values: [this.turn.tenant, this.turn.endpoint, PAGE],
    });
    return rows;
  }

  private async take(
    { leaseMs, workerId }: ClaimOptions,
    served: readonly ReadyQueue[],
    takes: ReadonlyMap<string, number>,
  ): Promise<TakenRow[]> {
    if (served.length === 0) return [];
    const { rows } = await this.pool.query<TakenRow>({
      name: 'outbox-take',
      text: TAKE_DELIVERIES_SQL,
      values: [
        served.map(({ row }) => row.tenant_id),
        served.map(({ row }) => row.endpoint_id),
        served.map(({ endpointId }) => takes.get(endpointId)),
        leaseMs,
        workerId,
      ],
    });
    return rows;
  }

  private async live(workerId: string, taken: readonly TakenRow[]): Promise<ClaimedDelivery[]> {
    const rows = taken.filter((row) => row.delivery_id !== null);
    const over = (row: TakenRow) => row.tenant_id === null || FINAL_DELIVERY_STATUSES.includes(row.status);
    const done = rows.filter(over);
    if (done.length === 0) return rows.map(toClaimed);
    await this.pool.query({
      name: 'outbox-remove-over',
      text: `WITH ${givesSlotsBack('= ANY($1)')}
             DELETE FROM outbox WHERE delivery_id IN
               (SELECT delivery_id FROM outbox WHERE delivery_id = ANY($1) AND claimed_by = $2 ORDER BY delivery_id FOR UPDATE)`,
      values: [done.map((row) => row.delivery_id), workerId],
    });
    return rows.filter((row) => !over(row)).map(toClaimed);
  }

  /** More queues than a page: goes on at once until a whole turn has had nothing to take. */
  private onThePages(claim: Claim, listed: readonly QueueRow[]): Claim {
    const { wraps, nextInMs } = this.idle;
    this.idle = { wraps: 0, nextInMs: null };
    if (claim.deliveries.length > 0) return { ...claim, again: claim.again || !claim.wantsRoom };
    const idle = {
      wraps: wraps + (listed.some((row) => row.wrapped) ? 1 : 0),
      nextInMs: earliest([nextInMs, claim.nextInMs]),
    };
    // the first wrap may end a turn that began in the middle
    if (idle.wraps >= 2) return { ...claim, nextInMs: idle.nextInMs };
    this.idle = idle;
    return { ...claim, again: true };
  }
}

/** Room is allotted to queues whose length nobody knows: one that gave less than it was asked for has nothing left. */
function mayHoldMore(
  ready: readonly ReadyQueue[],
  asked: ReadonlyMap<string, number>,
  given: ReadonlyMap<string, number>,
): boolean {
  return ready.some(({ row, endpointId, free }) => {
    const wanted = asked.get(endpointId) ?? 0;
    return wanted < free && (given.get(row.endpoint_id) ?? 0) >= wanted;
  });
}

function countByQueue(taken: readonly TakenRow[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { endpoint_id: id, delivery_id } of taken)
    if (delivery_id !== null) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

function nextTokens(
  served: readonly ReadyQueue[],
  takes: ReadonlyMap<string, number>,
  taken: readonly TakenRow[],
): (number | null)[] {
  const byEndpoint = new Map<string, TakenRow[]>();
  for (const row of taken) {
    if (row.rate === null) continue;
    const rows = byEndpoint.get(row.endpoint_id);
    if (rows === undefined) byEndpoint.set(row.endpoint_id, [row]);
    else rows.push(row);
  }
  return served.map(({ row, endpointId }) =>
    nextTokenInMs(byEndpoint.get(row.endpoint_id) ?? [], takes.get(endpointId) ?? 0),
  );
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
