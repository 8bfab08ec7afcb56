import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import type { Scope } from '@hookstream/domain';
import { ACCESS } from './access.decorator.js';
import { Authorizer } from './authorizer.js';

/** Asks who calls a route of a controller, and whether they may, before anything of the request is looked at. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authorizer: Authorizer,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.get<Scope | 'operator' | 'public' | undefined>(
      ACCESS,
      context.getHandler(),
    );
    if (access === 'public') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    request.actor = await this.authorizer.authorize(request, access);
    return true;
  }
}
