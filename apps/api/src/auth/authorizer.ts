import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { ApiConfig } from '@hookstream/config';
import { DomainError, type Scope } from '@hookstream/domain';
import { hashApiKey, isApiKey } from '@hookstream/signing';
import type { FastifyRequest } from 'fastify';
import { API_CONFIG } from '../platform/tokens.js';
import { allows, type Actor, type KeyActor } from './actor.js';
import { KeyAuthenticator } from './key-authenticator.js';

/** Finds out who asks and whether they may. */
@Injectable()
export class Authorizer {
  private readonly operatorDigest: Buffer;

  constructor(
    private readonly authenticator: KeyAuthenticator,
    @Inject(API_CONFIG) config: ApiConfig,
  ) {
    this.operatorDigest = hashApiKey(config.adminToken);
  }

  /**
   * At once for a key seen within the last second.
   * @param access what the request needs; undefined: nobody may
   * @throws DomainError `unauthorized` or `forbidden`
   */
  authorize(request: FastifyRequest, access: Scope | 'operator' | undefined): Actor | Promise<Actor> {
    const actor = this.identify(request);
    return actor instanceof Promise ? actor.then((found) => admit(found, access)) : admit(actor, access);
  }

  private identify(request: FastifyRequest): Actor | null | Promise<KeyActor | null> {
    const credential = credentialOf(request);
    if (credential === null) return null;
    const hash = hashApiKey(credential);
    // hashes of equal length, so that the time to compare tells nothing
    if (timingSafeEqual(hash, this.operatorDigest)) return { kind: 'operator' };
    return isApiKey(credential) ? this.authenticator.authenticate(hash) : null;
  }
}

function admit(actor: Actor | null, access: Scope | 'operator' | undefined): Actor {
  if (actor === null)
    throw new DomainError('unauthorized', 'Send a valid API key as "Authorization: Bearer <key>".');
  if (access === undefined) throw new DomainError('forbidden', 'Nobody may call this route.');
  if (access === 'operator') {
    if (actor.kind !== 'operator')
      throw new DomainError('forbidden', "This route needs the operator's token.");
    return actor;
  }
  if (actor.kind !== 'key')
    throw new DomainError('forbidden', 'This route acts for a tenant: use its API key.');
  if (!allows(actor.scopes, access))
    throw new DomainError('forbidden', `The API key lacks the scope "${access}".`);
  return actor;
}

function credentialOf(request: FastifyRequest): string | null {
  const { authorization } = request.headers;
  if (authorization !== undefined) return /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? null;
  const header = request.headers['x-api-key'];
  return typeof header === 'string' && header !== '' ? header : null;
}
