export {
  openDatabase,
  LOOK_UPS_ONLY,
  inTransaction,
  withClient,
  type Database,
  type DatabaseOptions,
} from './database.js';
export { runMigrations, hasPendingMigrations, schemaState, type SchemaState } from './migrate.js';
export {
  ensurePartitions,
  dropExpiredPartitions,
  missingPartitions,
  PARTITIONED_TABLES,
  type PartitionedTable,
} from './partitions/partitions.js';
export * from './repositories/outbox.repository.js';
export { requeueDeliveries } from './repositories/requeue-deliveries.sql.js';
export {
  FairClaim,
  type Claim,
  type ClaimLease,
  type ClaimOptions,
  type WaitingFor,
} from './dispatch/fair-claim.js';
export { failedFirst, toAttempt, toStart } from './dispatch/claim-sources.js';
export type { ClaimedAttempt } from './dispatch/claimed-attempts.js';
export { LIST_QUEUES_SQL } from './dispatch/list-queues.sql.js';
export { TAKE_TO_ATTEMPT_SQL, TAKE_TO_START_SQL } from './dispatch/take-deliveries.sql.js';
export type { PaceOfEndpoint } from './dispatch/claim-rows.js';
export type { ClaimedDelivery } from './dispatch/claimed-deliveries.js';
export { holdWaiting, releaseHeld, type StatementRunner } from './repositories/outbox-holding.sql.js';
export {
  OUTBOX_CHANNEL,
  readWakeUp,
  type NamedQueue,
  type OutboxNews,
} from './repositories/outbox-wake-up.sql.js';
export * from './repositories/attempts.repository.js';
export type { Refusal } from './dispatch/admit-attempt.js';
export type { HandBack } from './repositories/hand-back.js';
export type { AttemptRecord, MadeAttempt } from './repositories/store-attempts.sql.js';
export * from './repositories/workers.repository.js';
export * from './repositories/maintenance.repository.js';
export * from './repositories/page.js';
export * from './repositories/audit.repository.js';
export * from './repositories/stats.repository.js';
export * from './repositories/tenants.repository.js';
export * from './repositories/api-keys.repository.js';
export * from './repositories/endpoints.repository.js';
export * from './repositories/circuits.repository.js';
export * from './repositories/probes.repository.js';
export * from './repositories/event-types.repository.js';
export * from './repositories/accept-policies.repository.js';
export * from './repositories/accept-budgets.repository.js';
export * from './repositories/backlogs.repository.js';
export * from './repositories/accept-events.js';
export * from './repositories/events.repository.js';
export type { Receivers, ReceiversMemory } from './repositories/event-receivers.js';
export * from './repositories/deliveries.repository.js';
export type { DeliveryFilter } from './repositories/delivery-filter.sql.js';
export type { ReplayFilter, ReplayRecord } from './repositories/replay-rows.sql.js';
export * from './repositories/replays.repository.js';
export * from './repositories/replay-steps.repository.js';
export * from './postgres-errors.js';
export * from './repositories/dispatch-progress.repository.js';
export * from './repositories/installation.repository.js';
export * from './repositories/gauges.repository.js';
