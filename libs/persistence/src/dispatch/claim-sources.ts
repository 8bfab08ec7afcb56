import { type OutboxLane } from '@hookstream/domain';
import { toClaimed, type ClaimedDelivery, type TakenRow, type TakenToStart } from './claim-rows.js';
import { toClaimedAttempts, type ClaimedAttempt, type TakenToAttempt } from './claimed-attempts.js';
import { TAKE_FAILED_SQL, TAKE_TO_ATTEMPT_SQL, TAKE_TO_START_SQL } from './take-deliveries.sql.js';

/** What a claim takes, and as what. */
export interface ClaimSource<Row extends TakenRow, Claimed> {
  /** Of the prepared statement. */
  name: string;
  takeSql: string;
  lane: OutboxLane;
  /** The lane of a row that was taken. */
  becomes: OutboxLane;
  /** Whether its endpoint's limits and circuit have a say. */
  gated: boolean;
  /** @param over rows of which nothing is left to do; they are left out */
  toClaimed(rows: readonly Row[], over?: (row: Row) => boolean): Claimed[];
}

/** Deliveries to start workflows for. */
export const toStart = (lane: 'durable' | 'auto'): ClaimSource<TakenToStart, ClaimedDelivery> => ({
  name: 'outbox-take-to-start',
  takeSql: TAKE_TO_START_SQL,
  lane,
  becomes: 'durable',
  gated: true,
  toClaimed: started(lane),
});

/** Deliveries whose first attempt was made here and failed: their workflows begin with the wait for the second. */
export const failedFirst = (): ClaimSource<TakenToStart, ClaimedDelivery> => ({
  name: 'outbox-take-failed',
  takeSql: TAKE_FAILED_SQL,
  lane: 'workflow',
  becomes: 'workflow',
  gated: false,
  toClaimed: started('workflow'),
});

/** Deliveries to attempt here. */
export const toAttempt = (lane: 'express' | 'auto'): ClaimSource<TakenToAttempt, ClaimedAttempt> => ({
  name: 'outbox-take-to-attempt',
  takeSql: TAKE_TO_ATTEMPT_SQL,
  lane,
  becomes: 'express',
  gated: true,
  toClaimed: toClaimedAttempts,
});

function started(lane: OutboxLane): ClaimSource<TakenToStart, ClaimedDelivery>['toClaimed'] {
  return (rows, over = () => false) => rows.filter((row) => !over(row)).map((row) => toClaimed(row, lane));
}
