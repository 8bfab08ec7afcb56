import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ALL_SCOPES, DomainError } from '@hookstream/domain';
import type { FastifyRequest } from 'fastify';

export interface KeyActor {
  kind: 'key';
  /** Of the key. */
  id: string;
  tenantId: string;
  scopes: readonly string[];
}

/** Who a request comes from. */
export type Actor = KeyActor | { kind: 'operator' };

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor | null;
  }
}

export function allows(scopes: readonly string[], scope: string): boolean {
  return scopes.includes(ALL_SCOPES) || scopes.includes(scope);
}

/** The tenant a request acts for. */
export const TenantId = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  return tenantActor(context).tenantId;
});

/** The key a request came with. */
export const CurrentKey = createParamDecorator((_: unknown, context: ExecutionContext): KeyActor => {
  return tenantActor(context);
});

function tenantActor(context: ExecutionContext): KeyActor {
  const { actor } = context.switchToHttp().getRequest<FastifyRequest>();
  if (actor?.kind !== 'key')
    throw new DomainError('forbidden', 'This route acts for a tenant: use its API key.');
  return actor;
}
