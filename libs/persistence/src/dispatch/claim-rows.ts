import {
  uuidToId,
  type AttemptTrigger,
  type DeliveryStatus,
  type Pace,
  type WaitingQueue,
} from '@hookstream/domain';

/** One endpoint's queue as it is listed. */
export interface QueueRow {
  tenant_id: string;
  endpoint_id: string;
  /** Listed after the turn went through the end of the outbox. */
  wrapped: boolean;
  weight: number;
  /** The most of it that may ever be under way. */
  max_in_flight: number;
  free: number;
  tenant_free: number | null;
  /** Only a slot is missing. */
  full_up: boolean;
  /** 0: its first row is due. */
  due_in_ms: number;
  /** For how long its first row could have gone by its due time and rate; negative: not yet. */
  waiting_ms: number;
  /** When its limits let something go by themselves; null: not foreseeable, or now. */
  free_in_ms: number | null;
}

/** One row taken, or one queue of which nothing was. */
export interface TakenRow {
  endpoint_id: string;
  /** False: another worker holds the gate or has just held it. */
  locked: boolean;
  rate: number | null;
  burst: number;
  ago: number;
  delivery_id: string | null;
  trigger: AttemptTrigger;
  /** Null: the delivery is gone with its partition. */
  tenant_id: string | null;
  event_id: string;
  event_type: string;
  status: DeliveryStatus;
  attempt_count: number;
  schedule_step: number;
}

/** How fast deliveries of an endpoint may start, given the most that may ever be under way to it. */
export type PaceOfEndpoint = (endpointId: string, maxInFlight: number) => Pace;

/** A queue that may go, under both its names. */
export interface ReadyQueue extends WaitingQueue {
  row: QueueRow;
  pace: Pace;
}

export function readyQueues(rows: readonly QueueRow[], paceOf: PaceOfEndpoint): ReadyQueue[] {
  return rows
    .filter((row) => row.due_in_ms <= 0 && row.free > 0)
    .map((row) => {
      const endpointId = uuidToId('endpoint', row.endpoint_id);
      const pace = paceOf(endpointId, row.max_in_flight);
      return {
        row,
        pace,
        tenantId: uuidToId('tenant', row.tenant_id),
        endpointId,
        weight: row.weight,
        free: Math.min(row.free, pace.most),
        tenantFree: row.tenant_free ?? Infinity,
      };
    });
}

/** When something of a queue may go that cannot now, in milliseconds from now; null: not foreseeable. */
export function nextOfQueue(row: QueueRow): number | null {
  if (row.due_in_ms > 0) return Math.max(row.due_in_ms, row.free_in_ms ?? 0);
  return row.free > 0 ? null : row.free_in_ms;
}

/** When the next token of a queue is due of which all that was asked for was taken, in milliseconds from the statement. */
export function nextTokenInMs(rows: readonly TakenRow[], asked: number): number | null {
  const [first] = rows;
  const taken = rows.filter((row) => row.delivery_id !== null).length;
  if (first === undefined || first.rate === null || taken < asked) return null;
  return Math.max(0, ((1 - first.burst + taken) / first.rate - first.ago) * 1_000);
}

export function earliest(times: Iterable<number | null>): number | null {
  let least: number | null = null;
  for (const time of times) if (time !== null && (least === null || time < least)) least = time;
  return least;
}
