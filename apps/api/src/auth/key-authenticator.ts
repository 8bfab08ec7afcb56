import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@hookstream/observability';
import { ApiKeysRepository, type ApiKeyIdentity } from '@hookstream/persistence';
import { LRUCache } from 'lru-cache';
import { LOGGER } from '../platform/tokens.js';
import type { KeyActor } from './actor.js';

/** A revoked key works at most this long on. Milliseconds. */
const CACHE_MS = 900;
const CACHE_ENTRIES = 10_000;
const TOUCH_EVERY_MS = 60_000;

/** Tells whom a key belongs to, without a query for keys seen within the last second. */
@Injectable()
export class KeyAuthenticator {
  private readonly identities: LRUCache<string, { identity: ApiKeyIdentity | null }, Buffer>;
  private readonly touched = new LRUCache<string, true>({ max: CACHE_ENTRIES, ttl: TOUCH_EVERY_MS });

  constructor(
    private readonly keys: ApiKeysRepository,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.identities = new LRUCache({
      max: CACHE_ENTRIES,
      ttl: CACHE_MS,
      fetchMethod: async (_key, _stale, { context }) => ({ identity: await this.keys.identify(context) }),
    });
  }

  /**
   * At once for a key seen within the last second.
   * @param hash of the key, see `hashApiKey`
   * @returns null when the key is unknown, revoked or past its end.
   */
  authenticate(hash: Buffer): KeyActor | null | Promise<KeyActor | null> {
    const key = hash.toString('base64');
    const known = this.identities.get(key);
    if (known !== undefined) return this.actorOf(known.identity);
    return this.identities.fetch(key, { context: hash }).then((found) => this.actorOf(found?.identity));
  }

  private actorOf(identity: ApiKeyIdentity | null | undefined): KeyActor | null {
    if (!identity || (identity.expiresAt !== null && identity.expiresAt.getTime() <= Date.now())) return null;
    this.touch(identity);
    return { kind: 'key', id: identity.id, tenantId: identity.tenantId, scopes: identity.scopes };
  }

  /** In the background: when a key was last used is worth nobody's waiting, nor a failed request. */
  private touch(identity: ApiKeyIdentity): void {
    if (this.touched.has(identity.id)) return;
    this.touched.set(identity.id, true);
    this.keys.touch(identity.tenantId, identity.id).catch((error: unknown) => {
      this.touched.delete(identity.id);
      this.logger.debug({ err: error, key_id: identity.id }, 'could not note the use of a key');
    });
  }
}
