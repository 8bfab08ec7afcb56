/** Of `maintenanceWorkflow`, run by the Temporal Schedule `hookstream-maintenance`. */
export interface MaintenanceActivities {
  /** Creates partitions ahead and drops those past retention. */
  maintainPartitions(): Promise<{ created: string[]; dropped: string[] }>;
  /** Deletes expired idempotency keys and other rows with an end, in batches. */
  purgeExpired(): Promise<{
    idempotencyKeys: number;
    secrets: number;
    auditEntries: number;
    replays: number;
    stats: number;
  }>;
  /** Encrypts again, with the active key, what an older encryption key still holds. */
  reencryptSecrets(): Promise<{ reencrypted: number }>;
}
