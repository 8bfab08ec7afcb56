import type { MaintenanceActivities } from '@hookstream/contracts';
import { STATS_KEPT_MS, type StatsWindow } from '@hookstream/domain';
import type { SecretBox } from '@hookstream/signing';
import {
  dropExpiredPartitions,
  ensurePartitions,
  type Database,
  type EncryptedValue,
  type MaintenanceRepository,
} from '@hookstream/persistence';

export interface MaintenanceActivityDeps {
  database: Pick<Database, 'pool'>;
  maintenance: MaintenanceRepository;
  secretBox: Pick<SecretBox, 'currentKeyId' | 'isStale' | 'decrypt' | 'encrypt'>;
  /** Milliseconds. */
  retentionMs: number;
  auditRetentionMs: number;
  partitionsAheadMs: number;
  /** Unix milliseconds. */
  now: () => number;
}

/** Rows deleted or rewritten by one statement: short locks, and a stop between two pages loses nothing. */
const PAGE = 1_000;

export function createMaintenanceActivities(deps: MaintenanceActivityDeps): MaintenanceActivities {
  return {
    async maintainPartitions() {
      const created = await ensurePartitions(deps.database.pool, {
        now: deps.now(),
        aheadMs: deps.partitionsAheadMs,
      });
      const dropped = await dropExpiredPartitions(deps.database.pool, {
        now: deps.now(),
        retentionMs: deps.retentionMs,
      });
      const expired = new Date(deps.now() - deps.retentionMs);
      await inPages(() => deps.maintenance.deleteOrphanedOutboxRows(expired, PAGE));
      return { created, dropped };
    },

    async purgeExpired() {
      const end = new Date(deps.now() - deps.retentionMs);
      const auditEnd = new Date(deps.now() - deps.auditRetentionMs);
      return {
        idempotencyKeys: await inPages(() => deps.maintenance.deleteExpiredIdempotencyKeys(PAGE)),
        secrets: await inPages(() => deps.maintenance.deleteExpiredSecrets(PAGE)),
        auditEntries: await inPages(() => deps.maintenance.deleteAuditEntries(auditEnd, PAGE)),
        replays: await inPages(() => deps.maintenance.deleteEndedReplays(end, PAGE)),
        stats: await purgeStats(deps),
      };
    },

    async reencryptSecrets() {
      return { reencrypted: (await reencrypt(deps, 'secret')) + (await reencrypt(deps, 'headers')) };
    },
  };
}

async function inPages(page: () => Promise<number>): Promise<number> {
  for (let total = 0; ;) {
    const done = await page();
    total += done;
    if (done < PAGE) return total;
  }
}

async function purgeStats(deps: MaintenanceActivityDeps): Promise<number> {
  let purged = 0;
  for (const [period, keptMs] of Object.entries({ ...STATS_KEPT_MS, day: deps.retentionMs })) {
    const before = new Date(deps.now() - keptMs);
    purged += await inPages(() => deps.maintenance.deleteStats(period as StatsWindow, before, PAGE));
  }
  return purged;
}

async function reencrypt(deps: MaintenanceActivityDeps, kind: EncryptedValue['kind']): Promise<number> {
  let count = 0;
  let after: string | null = null;
  for (;;) {
    const values: EncryptedValue[] = await deps.maintenance.encryptedValues(kind, after, PAGE);
    for (const value of values) {
      if (!deps.secretBox.isStale(value.ciphertext)) continue;
      const plaintext = deps.secretBox.decrypt(value.ciphertext, value.endpointId);
      const next = {
        ciphertext: deps.secretBox.encrypt(plaintext, value.endpointId),
        keyId: deps.secretBox.currentKeyId,
      };
      if (await deps.maintenance.replaceCiphertext(value, next)) count += 1;
    }
    if (values.length < PAGE) return count;
    after = values.at(-1)?.rowId ?? null;
  }
}
