import { Body, Controller, Get, Header, Param, Post, Query, Req } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { TenantId } from '../auth/actor.js';
import type { Listed } from '../http/fields.dto.js';
import { Operation } from '../http/operation.decorator.js';
import { ACCEPT_PATH, ACCEPT_SCOPE } from './accept.route.js';
import {
  AcceptedEventSchema,
  AcceptedEventsSchema,
  EventDetailSchema,
  EventPageSchema,
  ListEventsSchema,
  type AcceptedEventsAnswer,
  type EventAnswer,
  type ListEvents,
} from './dto/event.dto.js';
import { EventsService } from './events.service.js';

const IdempotencyKeyHeader = (description: string) =>
  ApiHeader({
    name: 'Idempotency-Key',
    required: false,
    description,
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x20-\\x7e]+$' },
  });

const TraceparentHeader = () =>
  ApiHeader({
    name: 'traceparent',
    required: false,
    description:
      'W3C Trace Context. Where traces are switched on, what happens with the event goes on in this trace, up to its receivers.',
    schema: { type: 'string' },
  });

@ApiTags('events')
@Controller(ACCEPT_PATH)
export class EventsController {
  constructor(private readonly events: EventsService) {}

  /** Declared here, answered by {@link AcceptRoute}. */
  @Post()
  @Operation({
    summary: 'Accept an event',
    description: 'Once answered, the event and its deliveries are stored and will go out, whatever crashes.',
    access: ACCEPT_SCOPE,
    status: 202,
    answer: AcceptedEventSchema,
    failures: [400, 409, 413, 415, 422, 429, 503],
  })
  @IdempotencyKeyHeader('The same key with the same body gets the first answer; with another body, 409.')
  @TraceparentHeader()
  @ApiBody({ required: true, schema: { $ref: '#/components/schemas/CreateEventRequest' } })
  createEvent(): never {
    throw new Error('Posted events belong to AcceptRoute');
  }

  @Post('batch')
  @Operation({
    summary: 'Accept up to 500 events',
    description: 'Each is accepted or refused by itself.',
    access: 'events:write',
    status: 202,
    answer: AcceptedEventsSchema,
    failures: [400, 413, 415, 422, 429, 503],
  })
  @IdempotencyKeyHeader('Applies to each event by its position: send the same array again to try again.')
  @TraceparentHeader()
  @ApiBody({ required: true, schema: { $ref: '#/components/schemas/CreateEventsRequest' } })
  createEvents(
    @TenantId() tenantId: string,
    @Body() body: unknown,
    @Req() request: FastifyRequest,
  ): Promise<AcceptedEventsAnswer> {
    return this.events.acceptBatch(tenantId, body, request);
  }

  @Get()
  @Operation({
    summary: 'List events',
    access: 'events:read',
    status: 200,
    answer: EventPageSchema,
    failures: [422],
  })
  listEvents(
    @TenantId() tenantId: string,
    @Query({ schema: ListEventsSchema }) query: ListEvents,
  ): Promise<Listed<EventAnswer>> {
    return this.events.list(tenantId, query);
  }

  @Get(':id')
  @Header('content-type', 'application/json; charset=utf-8')
  @Operation({
    summary: 'Get an event with its payload and deliveries',
    access: 'events:read',
    status: 200,
    answer: EventDetailSchema,
    failures: [404],
  })
  getEvent(@TenantId() tenantId: string, @Param('id') id: string): Promise<string> {
    return this.events.get(tenantId, id);
  }
}
