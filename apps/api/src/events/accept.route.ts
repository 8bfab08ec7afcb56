import { Injectable } from '@nestjs/common';
import { DomainError } from '@hookstream/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Authorizer } from '../auth/authorizer.js';
import { EventsService } from './events.service.js';

/** What a key must be allowed to post events. */
export const ACCEPT_SCOPE = 'events:write';
/** Below the API's prefix. */
export const ACCEPT_PATH = 'events';

/**
 * `POST /events`, called by Fastify itself: Nest's guards, pipes and interceptors cost as much as all the rest of accepting one event.
 * {@link EventsController.createEvent} declares the route; what it throws goes to the same filter as everything else.
 */
@Injectable()
export class AcceptRoute {
  constructor(
    private readonly authorizer: Authorizer,
    private readonly events: EventsService,
  ) {}

  /** @throws DomainError */
  async handle(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const actor = await this.authorizer.authorize(request, ACCEPT_SCOPE);
    if (actor.kind !== 'key') throw new DomainError('forbidden', 'This route acts for a tenant.');
    const answer = await this.events.accept(actor.tenantId, request.body, request);
    return reply.code(202).header('content-type', 'application/json; charset=utf-8').send(answer);
  }
}
