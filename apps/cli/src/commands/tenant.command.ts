import type { Command } from 'commander';
import { ALL_SCOPES, newId } from '@hookstream/domain';
import { TenantsRepository } from '@hookstream/persistence';
import { generateApiKey } from '@hookstream/signing';
import { withDatabase, type CliContext } from '../cli-context.js';
import { nameOption } from './options.js';

interface CreateTenantOptions {
  name: string;
  json?: true;
}

export function addTenantCommands(program: Command, context: CliContext): void {
  program
    .command('tenant')
    .description('tenants')
    .command('create')
    .description('make a tenant and its first API key, which is shown only now')
    .requiredOption('--name <name>', 'for people', nameOption)
    .option('--json', 'answer as JSON')
    .action((options: CreateTenantOptions) => createTenant(context, options));
}

async function createTenant(context: CliContext, { name, json }: CreateTenantOptions): Promise<void> {
  const { key, prefix, hash } = generateApiKey('live');
  const tenant = await withDatabase(context, (database) =>
    new TenantsRepository(database).create(
      { id: newId('tenant'), name, metadata: {} },
      { id: newId('apiKey'), name: 'First key', prefix, hash, scopes: [ALL_SCOPES], expiresAt: null },
      { kind: 'operator' },
    ),
  );
  if (json) return context.print(JSON.stringify({ id: tenant.id, name, api_key: key }));
  context.print(`tenant   ${tenant.id}`);
  context.print(`api key  ${key}`);
  context.tell('The key is not shown again.');
}
