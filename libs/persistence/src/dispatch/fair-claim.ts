import type pg from 'pg';
import {
  allotRoom,
  FINAL_DELIVERY_STATUSES,
  UNPACED,
  uuidToId,
  type OutboxLane,
  type RoomInUse,
} from '@hookstream/domain';
import {
  earliest,
  nextOfQueue,
  nextTokenInMs,
  readyQueues,
  type PaceOfEndpoint,
  type QueueRow,
  type ReadyQueue,
  type TakenRow,
} from './claim-rows.js';
import type { ClaimSource } from './claim-sources.js';
import type { NamedQueue } from '../repositories/outbox-wake-up.sql.js';
import { LIST_QUEUES_SQL } from './list-queues.sql.js';
import { givesSlotsBack } from './slots.sql.js';

export interface ClaimLease {
  workerId: string;
  /** How long this worker has to start what it gets, in milliseconds. */
  leaseMs: number;
}

export interface ClaimOptions extends ClaimLease {
  use: RoomInUse;
  /** Without: whatever the limits let go may go at once. */
  paceOf?: PaceOfEndpoint;
  /** Whose queues this claim is about; the others are somebody else's. Without: everybody's. */
  isFor?: (endpointId: string) => boolean;
}

export interface Claim<Claimed> {
  deliveries: Claimed[];
  /** The queues looked at, and for how long each has waited for nothing but a dispatcher. */
  waiting: WaitingFor[];
  /** In how many milliseconds something more may go by itself: a due time, a token, the end of a probe. Null: not foreseeable. */
  nextInMs: number | null;
  /** More may go now, if there is room: claim again. */
  again: boolean;
  /** Another worker is letting deliveries of the same endpoint go: claim again a moment later. */
  contended: boolean;
  /** Something was left for want of room. */
  wantsRoom: boolean;
  /** Endpoints of which the end of an attempt may let more go. */
  fullEndpoints: ReadonlySet<string>;
}

export interface WaitingFor {
  endpointId: string;
  /** Milliseconds, of its first; 0 where that may not go. */
  waitingMs: number;
}

/** How many of a queue are asked for, and whether its limits and pace let no more go. */
type AskedOfQueue = readonly [tenantUuid: string, endpointUuid: string, most: number, isAll: boolean];

/** Queues looked at in one claim; more are seen in turns. */
const PAGE = 200;
const NOWHERE = '00000000-0000-0000-0000-000000000000';

/**
 * Takes from one lane of the outbox what may go: lists the queues (one per endpoint), divides the room among them, takes from each under its
 * gate. One per worker and lane: it remembers whose turn it is, so that none starves where there are more queues than room.
 */
export class FairClaim<Row extends TakenRow, Claimed> {
  private turn = { tenant: NOWHERE, endpoint: NOWHERE };
  /** Of the pages since something was taken, where there is more than one page. */
  private idle: { wraps: number; nextInMs: number | null } = { wraps: 0, nextInMs: null };

  constructor(
    private readonly pool: pg.Pool,
    private readonly source: ClaimSource<Row, Claimed>,
  ) {}

  get lane(): OutboxLane {
    return this.source.lane;
  }

  /** For how long what could go has waited, without taking any of it. */
  async look(): Promise<WaitingFor[]> {
    const listed = await this.list();
    return waitingFor(
      listed,
      readyQueues(listed, () => UNPACED),
    );
  }

  /** Takes no more than `use` has room for. Rows of deliveries that are final or gone leave the outbox here. */
  async claim(options: ClaimOptions): Promise<Claim<Claimed>> {
    const page = await this.list();
    const { isFor } = options;
    const listed = isFor ? page.filter((row) => isFor(uuidToId('endpoint', row.endpoint_id))) : page;
    const ready = readyQueues(listed, options.paceOf ?? (() => UNPACED));
    const allotment = allotRoom(ready, options.use);
    const { takes } = allotment;
    const served = ready.filter(({ endpointId }) => takes.has(endpointId));
    const taken = await this.take(
      options,
      served.map(({ row, endpointId, free }) => {
        const most = takes.get(endpointId) ?? 0;
        return [row.tenant_id, row.endpoint_id, most, most >= free];
      }),
    );
    const counts = countByQueue(taken);
    const count = sum(counts.values());
    const wantsRoom = allotment.wantsRoom && mayHoldMore(ready, takes, counts);
    const claim: Claim<Claimed> = {
      deliveries: await this.live(options.workerId, taken),
      waiting: waitingFor(listed, ready),
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
        ...usedUp(listed, counts).map((row) => uuidToId('endpoint', row.endpoint_id)),
      ]),
    };
    const last = (wantsRoom ? served.at(-1)?.row : undefined) ?? page.at(-1);
    if (last !== undefined) this.turn = { tenant: last.tenant_id, endpoint: last.endpoint_id };
    return page.length < PAGE ? claim : this.onThePages(claim, page);
  }

  /**
   * Takes what is new in these queues, up to what their limits let go, without a look at the others. Fewer than were named: something kept
   * others back, or somebody else was quicker; a claim tells.
   */
  async claimNamed(lease: ClaimLease, queues: readonly NamedQueue[]): Promise<Claimed[]> {
    const asked = new Map<string, AskedOfQueue>();
    for (const { tenantUuid, endpointUuid, count } of queues)
      asked.set(endpointUuid, [tenantUuid, endpointUuid, count + (asked.get(endpointUuid)?.[2] ?? 0), false]);
    return this.live(lease.workerId, await this.take(lease, [...asked.values()]));
  }

  private async list(): Promise<QueueRow[]> {
    const { rows } = await this.pool.query<QueueRow>({
      name: 'outbox-list-queues',
      text: LIST_QUEUES_SQL,
      values: [this.turn.tenant, this.turn.endpoint, PAGE, this.source.lane],
    });
    return this.source.gated ? rows : rows.map(ungated);
  }

  private async take({ leaseMs, workerId }: ClaimLease, asked: readonly AskedOfQueue[]): Promise<Row[]> {
    if (asked.length === 0) return [];
    const { rows } = await this.pool.query<Row>({
      name: this.source.name,
      text: this.source.takeSql,
      values: [
        asked.map(([tenantUuid]) => tenantUuid),
        asked.map(([, endpointUuid]) => endpointUuid),
        asked.map(([, , most]) => most),
        leaseMs,
        workerId,
        this.source.lane,
        this.source.becomes,
        asked.map(([, , , isAll]) => isAll),
      ],
    });
    return rows;
  }

  private async live(workerId: string, taken: readonly Row[]): Promise<Claimed[]> {
    const rows = taken.filter((row) => row.delivery_id !== null);
    const over = (row: TakenRow) => row.tenant_id === null || FINAL_DELIVERY_STATUSES.includes(row.status);
    const done = rows.filter(over);
    if (done.length === 0) return this.source.toClaimed(rows);
    await this.pool.query({
      name: 'outbox-remove-over',
      text: `WITH ${givesSlotsBack('= ANY($1)')}
             DELETE FROM outbox WHERE delivery_id = ANY (ARRAY(
               SELECT delivery_id FROM outbox WHERE delivery_id = ANY($1) AND claimed_by = $2 ORDER BY delivery_id FOR UPDATE))`,
      values: [done.map((row) => row.delivery_id), workerId],
    });
    return this.source.toClaimed(rows, over);
  }

  /** More queues than a page: goes on at once until a whole turn has had nothing to take. */
  private onThePages(claim: Claim<Claimed>, listed: readonly QueueRow[]): Claim<Claimed> {
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

/** Nothing but room keeps deliveries of this lane back. */
function ungated(row: QueueRow): QueueRow {
  return { ...row, free: Infinity, tenant_free: null, full_up: false, free_in_ms: null };
}

/** What its limits or its pace keep back does not wait for us. */
function waitingFor(listed: readonly QueueRow[], ready: readonly ReadyQueue[]): WaitingFor[] {
  const waiting = new Set(
    ready.filter(({ free, tenantFree }) => free > 0 && tenantFree > 0).map(({ row }) => row),
  );
  return listed.map((row) => ({
    endpointId: uuidToId('endpoint', row.endpoint_id),
    waitingMs: waiting.has(row) ? Math.max(0, row.waiting_ms) : 0,
  }));
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

/** Queues of which all went that the limits of endpoint or tenant let go: there may be more, once an attempt has ended. */
function usedUp(listed: readonly QueueRow[], counts: ReadonlyMap<string, number>): QueueRow[] {
  const byTenant = new Map<string, number>();
  for (const { tenant_id, endpoint_id } of listed)
    byTenant.set(tenant_id, (byTenant.get(tenant_id) ?? 0) + (counts.get(endpoint_id) ?? 0));
  return listed.filter(
    ({ tenant_id, endpoint_id, free, tenant_free }) =>
      (free > 0 && (counts.get(endpoint_id) ?? 0) >= free) ||
      (tenant_free !== null && (byTenant.get(tenant_id) ?? 0) >= tenant_free),
  );
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
