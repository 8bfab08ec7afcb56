import type { OutboxLane } from '@hookstream/domain';
import type { TakenRow } from './claim-rows.js';
import { toClaimedAttempts, type ClaimedAttempt, type TakenToAttempt } from './claimed-attempts.js';
import {
  toClaimed,
  toClaimedDeliveries,
  type ClaimedDelivery,
  type TakenToStart,
  type TakenToStartOrAttempt,
} from './claimed-deliveries.js';
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

/** Deliveries to start workflows for, with the first attempts of those that are as they were accepted. */
export const toStart = (lane: 'durable' | 'auto'): ClaimSource<TakenToStartOrAttempt, ClaimedDelivery> => ({
  name: 'outbox-take-to-start',
  takeSql: TAKE_TO_START_SQL,
  lane,
  becomes: 'durable',
  gated: true,
  toClaimed: (rows, over) => toClaimedDeliveries(rows, lane, over),
});

/** Deliveries whose first attempt was made here and failed: their workflows begin with the wait for the second. */
export const failedFirst = (): ClaimSource<TakenToStart, ClaimedDelivery> => ({
  name: 'outbox-take-failed',
  takeSql: TAKE_FAILED_SQL,
  lane: 'workflow',
  becomes: 'workflow',
  gated: false,
  toClaimed: (rows, over = () => false) =>
    rows.filter((row) => !over(row)).map((row) => toClaimed(row, 'workflow')),
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
