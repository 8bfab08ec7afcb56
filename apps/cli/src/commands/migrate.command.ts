import type { Command } from 'commander';
import { loadRetentionConfig } from '@hookstream/config';
import { ensurePartitions, runMigrations } from '@hookstream/persistence';
import { withDatabase, type CliContext } from '../cli-context.js';

export function addMigrate(program: Command, context: CliContext): void {
  program
    .command('migrate')
    .description('bring the database to this version and make the partitions ahead; may run at any time')
    .action(async () => {
      const { partitionsAheadMs } = loadRetentionConfig(context.env);
      await withDatabase(context, async (database) => {
        const ran = await runMigrations(database);
        const made = await ensurePartitions(database.pool, { now: Date.now(), aheadMs: partitionsAheadMs });
        for (const name of ran) context.print(`ran ${name}`);
        context.print(ran.length === 0 ? 'the schema is up to date' : `${ran.length} migrations ran`);
        if (made.length > 0) context.print(`${made.length} partitions made`);
      });
    });
}
