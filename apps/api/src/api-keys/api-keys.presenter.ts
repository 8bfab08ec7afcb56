import type { ApiKeyRecord } from '@hookstream/persistence';
import type { ApiKeyAnswer } from './dto/api-key.dto.js';

export function presentApiKey(key: ApiKeyRecord): ApiKeyAnswer {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    scopes: key.scopes,
    expires_at: key.expiresAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
    created_at: key.createdAt.toISOString(),
  };
}
