import { Injectable } from '@nestjs/common';
import { DomainError, newId } from '@hookstream/domain';
import { ApiKeysRepository, type ApiKeyRecord } from '@hookstream/persistence';
import { allows, type KeyActor } from '../auth/actor.js';
import { generateApiKey } from '../auth/api-key-format.js';
import { listed, type Listed } from '../http/fields.dto.js';
import { presentApiKey } from './api-keys.presenter.js';
import type { ApiKeyAnswer, CreateApiKey, CreatedApiKeyAnswer, ListApiKeys } from './dto/api-key.dto.js';

@Injectable()
export class ApiKeysService {
  constructor(private readonly keys: ApiKeysRepository) {}

  async create(actor: KeyActor, input: CreateApiKey): Promise<CreatedApiKeyAnswer> {
    const beyond = input.scopes.find((scope) => !allows(actor.scopes, scope));
    if (beyond !== undefined) {
      throw new DomainError('forbidden', `This key lacks the scope "${beyond}" and so cannot give it.`);
    }
    const { key, prefix, hash } = generateApiKey(input.mode);
    const record = await this.keys.create(actor.tenantId, {
      id: newId('apiKey'),
      name: input.name,
      prefix,
      hash,
      scopes: [...new Set(input.scopes)],
      expiresAt: input.expires_at,
    });
    return { ...presentApiKey(record), key };
  }

  async list(tenantId: string, query: ListApiKeys): Promise<Listed<ApiKeyAnswer>> {
    return listed(await this.keys.list(tenantId, query), presentApiKey);
  }

  async get(tenantId: string, id: string): Promise<ApiKeyAnswer> {
    return presentApiKey(found(await this.keys.find(tenantId, id)));
  }

  async revoke(tenantId: string, id: string): Promise<void> {
    if (!(await this.keys.revoke(tenantId, id))) found(null);
  }
}

function found(key: ApiKeyRecord | null): ApiKeyRecord {
  if (key === null) throw new DomainError('not_found', 'There is no such API key.');
  return key;
}
