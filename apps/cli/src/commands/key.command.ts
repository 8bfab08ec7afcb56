import { Option, type Command } from 'commander';
import { ALL_SCOPES, newId, SCOPES } from '@hookstream/domain';
import { ApiKeysRepository, TenantsRepository } from '@hookstream/persistence';
import { generateApiKey, type KeyMode } from '@hookstream/signing';
import { CommandError, withDatabase, type CliContext } from '../cli-context.js';
import { futureOption, nameOption } from './options.js';

interface CreateKeyOptions {
  tenant: string;
  name: string;
  scope: string[];
  mode: KeyMode;
  expiresAt?: Date;
  json?: true;
}

export function addKeyCommands(program: Command, context: CliContext): void {
  program
    .command('key')
    .description('API keys')
    .command('create')
    .description('make an API key of a tenant, which is shown only now')
    .requiredOption('--tenant <id>', 'whose key, tnt_…')
    .requiredOption('--name <name>', 'for people', nameOption)
    .addOption(
      new Option('--scope <scope...>', 'what it may do')
        .choices([ALL_SCOPES, ...SCOPES])
        .default([ALL_SCOPES]),
    )
    .addOption(
      new Option('--mode <mode>', 'shown in the key itself').choices(['live', 'test']).default('live'),
    )
    .option('--expires-at <time>', 'when it stops working', futureOption)
    .option('--json', 'answer as JSON')
    .action((options: CreateKeyOptions) => createKey(context, options));
}

async function createKey(context: CliContext, options: CreateKeyOptions): Promise<void> {
  const { tenant: tenantId, name, scope, mode, expiresAt = null, json } = options;
  const { key, prefix, hash } = generateApiKey(mode);
  const record = await withDatabase(context, async (database) => {
    const tenant = await new TenantsRepository(database).find(tenantId);
    if (tenant === null) throw new CommandError(`there is no tenant ${tenantId}`);
    return new ApiKeysRepository(database).create(
      tenantId,
      { id: newId('apiKey'), name, prefix, hash, scopes: [...new Set(scope)], expiresAt },
      { kind: 'operator' },
    );
  });
  if (json) return context.print(JSON.stringify({ id: record.id, tenant_id: tenantId, name, key }));
  context.print(`key id   ${record.id}`);
  context.print(`api key  ${key}`);
  context.tell('The key is not shown again.');
}
