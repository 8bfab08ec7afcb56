import { timingSafeEqual } from 'node:crypto';
import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { ApiConfig } from '@hookstream/config';
import { DomainError } from '@hookstream/domain';
import type { FastifyRequest } from 'fastify';
import { API_CONFIG } from '../platform/tokens.js';
import { ACCESS, type Scope } from './access.decorator.js';
import { allows, type Actor } from './actor.js';
import { hashApiKey, isApiKey } from './api-key-format.js';
import { KeyAuthenticator } from './key-authenticator.js';

/** Finds out who asks and whether they may. Runs before anything of a request is looked at. */
@Injectable()
export class AuthGuard implements CanActivate {
  private readonly operatorDigest: Buffer;

  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: KeyAuthenticator,
    @Inject(API_CONFIG) config: ApiConfig,
  ) {
    this.operatorDigest = hashApiKey(config.adminToken);
  }

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const access = this.reflector.get<Scope | 'operator' | 'public' | undefined>(
      ACCESS,
      context.getHandler(),
    );
    if (access === 'public') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const actor = this.identify(request);
    return actor instanceof Promise
      ? actor.then((found) => admit(request, found, access))
      : admit(request, actor, access);
  }

  private identify(request: FastifyRequest): Actor | null | Promise<Actor | null> {
    const credential = credentialOf(request);
    if (credential === null) return null;
    const hash = hashApiKey(credential);
    // hashes of equal length, so that the time to compare tells nothing
    if (timingSafeEqual(hash, this.operatorDigest)) return { kind: 'operator' };
    return isApiKey(credential) ? this.authenticator.authenticate(hash) : null;
  }
}

function admit(request: FastifyRequest, actor: Actor | null, access: Scope | 'operator' | undefined): true {
  if (actor === null)
    throw new DomainError('unauthorized', 'Send a valid API key as "Authorization: Bearer <key>".');
  check(actor, access);
  request.actor = actor;
  return true;
}

function check(actor: Actor, access: Scope | 'operator' | undefined): void {
  if (access === undefined) throw new DomainError('forbidden', 'Nobody may call this route.');
  if (access === 'operator') {
    if (actor.kind !== 'operator')
      throw new DomainError('forbidden', "This route needs the operator's token.");
    return;
  }
  if (actor.kind !== 'key')
    throw new DomainError('forbidden', 'This route acts for a tenant: use its API key.');
  if (!allows(actor.scopes, access))
    throw new DomainError('forbidden', `The API key lacks the scope "${access}".`);
}

function credentialOf(request: FastifyRequest): string | null {
  const { authorization } = request.headers;
  if (authorization !== undefined) return /^Bearer +(\S+)$/i.exec(authorization)?.[1] ?? null;
  const header = request.headers['x-api-key'];
  return typeof header === 'string' && header !== '' ? header : null;
}
