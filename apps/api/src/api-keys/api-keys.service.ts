import { Injectable } from '@nestjs/common';
import { DomainError, newId } from '@hookstream/domain';
import { ApiKeysRepository, type ApiKeyRecord, type NewApiKey } from '@hookstream/persistence';
import { generateApiKey, keyMode } from '@hookstream/signing';
import { allows, type KeyActor } from '../auth/actor.js';
import { listed, type Listed } from '../http/fields.dto.js';
import { presentApiKey } from './api-keys.presenter.js';
import type {
  ApiKeyAnswer,
  CreateApiKey,
  CreatedApiKeyAnswer,
  ListApiKeys,
  RotateApiKey,
  RotatedApiKeyAnswer,
} from './dto/api-key.dto.js';

@Injectable()
export class ApiKeysService {
  constructor(private readonly keys: ApiKeysRepository) {}

  async create(actor: KeyActor, input: CreateApiKey): Promise<CreatedApiKeyAnswer> {
    checkGrant(actor, input.scopes);
    const { key, prefix, hash } = generateApiKey(input.mode);
    const record = await this.keys.create(
      actor.tenantId,
      {
        id: newId('apiKey'),
        name: input.name,
        prefix,
        hash,
        scopes: [...new Set(input.scopes)],
        expiresAt: input.expires_at,
      },
      actor,
    );
    return { ...presentApiKey(record), key };
  }

  async rotate(actor: KeyActor, id: string, input: RotateApiKey): Promise<RotatedApiKeyAnswer> {
    let key = '';
    const successor = (previous: ApiKeyRecord): NewApiKey => {
      checkGrant(actor, previous.scopes);
      const { key: generated, prefix, hash } = generateApiKey(keyMode(previous.prefix));
      key = generated;
      const { name, scopes } = previous;
      return { id: newId('apiKey'), name, prefix, hash, scopes, expiresAt: input.expires_at };
    };
    const rotated = await this.keys.rotate(actor.tenantId, id, successor, input.overlap_seconds, actor);
    return {
      ...presentApiKey(found(rotated?.key ?? null)),
      key,
      previous_key_id: id,
      previous_key_expires_at: (rotated?.previousExpiresAt ?? new Date()).toISOString(),
    };
  }

  async list(tenantId: string, query: ListApiKeys): Promise<Listed<ApiKeyAnswer>> {
    return listed(await this.keys.list(tenantId, query), presentApiKey);
  }

  async get(tenantId: string, id: string): Promise<ApiKeyAnswer> {
    return presentApiKey(found(await this.keys.find(tenantId, id)));
  }

  async revoke(actor: KeyActor, id: string): Promise<void> {
    if (!(await this.keys.revoke(actor.tenantId, id, actor))) found(null);
  }
}

/** @throws DomainError `forbidden` where a key would give what it may not do itself. */
function checkGrant(actor: KeyActor, scopes: readonly string[]): void {
  const beyond = scopes.find((scope) => !allows(actor.scopes, scope));
  if (beyond !== undefined)
    throw new DomainError('forbidden', `This key lacks the scope "${beyond}" and so cannot give it.`);
}

function found(key: ApiKeyRecord | null): ApiKeyRecord {
  if (key === null) throw new DomainError('not_found', 'There is no such API key.');
  return key;
}
