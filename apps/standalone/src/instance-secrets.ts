import type { StandaloneConfig } from '@hookstream/config';
import { randomBytes } from 'node:crypto';
import type { DataDirectory } from './data-directory.js';

const FILE = 'secrets.json';

/** What makes an instance itself beside its databases. Losing the encryption key makes endpoint secrets unreadable. */
export interface InstanceSecrets {
  admin_token: string;
  encryption_key: string;
  /** Of the first tenant, made on the first start. */
  tenant_id?: string;
  api_key?: string;
}

/** Reads the kept secrets, makes the missing ones; settings go before what is kept. */
export function loadSecrets(directory: DataDirectory, config: StandaloneConfig): InstanceSecrets {
  const kept = directory.readJson<Partial<InstanceSecrets>>(FILE) ?? {};
  const complete: InstanceSecrets = {
    ...kept,
    admin_token: kept.admin_token ?? randomBytes(32).toString('base64url'),
    encryption_key: kept.encryption_key ?? randomBytes(32).toString('base64'),
  };
  saveSecrets(directory, complete);
  return {
    ...complete,
    ...(config.adminToken === undefined ? {} : { admin_token: config.adminToken }),
    ...(config.encryptionKeys === undefined ? {} : { encryption_key: config.encryptionKeys.join(',') }),
  };
}

/** Adds the first tenant and its key to what is kept. */
export function keepTenant(directory: DataDirectory, tenant: { tenant_id: string; api_key: string }): void {
  saveSecrets(directory, { ...(directory.readJson<InstanceSecrets>(FILE) as InstanceSecrets), ...tenant });
}

function saveSecrets(directory: DataDirectory, secrets: InstanceSecrets): void {
  directory.writeJson(FILE, secrets);
}
