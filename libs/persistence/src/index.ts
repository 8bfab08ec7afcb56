export { openDatabase, inTransaction, type Database, type DatabaseOptions } from './database.js';
export { runMigrations, hasPendingMigrations } from './migrate.js';
export {
  ensurePartitions,
  dropExpiredPartitions,
  PARTITIONED_TABLES,
  type PartitionedTable,
} from './partitions/partitions.js';
