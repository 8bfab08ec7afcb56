import type { Command } from 'commander';
import { createMaintenanceActivities } from '@hookstream/activities';
import { loadUpkeepConfig } from '@hookstream/config';
import { MaintenanceRepository } from '@hookstream/persistence';
import { parseKeyRing, SecretBox } from '@hookstream/signing';
import { withDatabase, type CliContext } from '../cli-context.js';

export function addRetentionCommands(program: Command, context: CliContext): void {
  program
    .command('retention')
    .description('upkeep of the database')
    .command('run')
    .description(
      'do now, without Temporal, what the maintenance schedule does: partitions, expired rows, re-encryption',
    )
    .action(() => runRetention(context));
}

async function runRetention(context: CliContext): Promise<void> {
  const { encryptionKeys, retention } = loadUpkeepConfig(context.env);
  await withDatabase(context, async (database) => {
    const upkeep = createMaintenanceActivities({
      database,
      maintenance: new MaintenanceRepository(database.pool),
      secretBox: new SecretBox(parseKeyRing(encryptionKeys)),
      ...retention,
      now: Date.now,
    });
    const { created, dropped } = await upkeep.maintainPartitions();
    context.print(`partitions made     ${created.length}`);
    context.print(`partitions dropped  ${dropped.length}`);
    const purged = await upkeep.purgeExpired();
    const { idempotencyKeys, secrets, auditEntries, replays, stats } = purged;
    context.print(`idempotency keys    ${idempotencyKeys} deleted`);
    context.print(`rotated secrets     ${secrets} deleted`);
    context.print(`audit entries       ${auditEntries} deleted`);
    context.print(`ended replays       ${replays} deleted`);
    context.print(`statistics          ${stats} deleted`);
    const { reencrypted } = await upkeep.reencryptSecrets();
    context.print(`encrypted values    ${reencrypted} written under the first key`);
  });
}
