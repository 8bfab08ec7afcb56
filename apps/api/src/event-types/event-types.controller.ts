import { Body, Controller, Delete, Get, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentKey, TenantId, type KeyActor } from '../auth/actor.js';
import type { Listed } from '../http/fields.dto.js';
import { Operation } from '../http/operation.decorator.js';
import {
  CreateEventTypeSchema,
  EventTypePageSchema,
  EventTypeSchema,
  ListEventTypesSchema,
  UpdateEventTypeSchema,
  type CreateEventType,
  type EventTypeAnswer,
  type ListEventTypes,
  type UpdateEventType,
} from './dto/event-type.dto.js';
import { EventTypesService } from './event-types.service.js';

@ApiTags('event-types')
@Controller('event-types')
export class EventTypesController {
  constructor(private readonly eventTypes: EventTypesService) {}

  @Post()
  @Operation({
    summary: 'Describe an event type',
    description: 'Events of types that are not described are accepted as well. Checks begin within a second.',
    access: 'event-types:write',
    status: 201,
    answer: EventTypeSchema,
    failures: [400, 409, 413, 415, 422],
  })
  createEventType(
    @CurrentKey() actor: KeyActor,
    @Body({ schema: CreateEventTypeSchema }) body: CreateEventType,
  ): Promise<EventTypeAnswer> {
    return this.eventTypes.create(actor, body);
  }

  @Get()
  @Operation({
    summary: 'List event types',
    description: 'By name.',
    access: 'event-types:read',
    status: 200,
    answer: EventTypePageSchema,
    failures: [422],
  })
  listEventTypes(
    @TenantId() tenantId: string,
    @Query({ schema: ListEventTypesSchema }) query: ListEventTypes,
  ): Promise<Listed<EventTypeAnswer>> {
    return this.eventTypes.list(tenantId, query);
  }

  @Get(':name')
  @Operation({
    summary: 'Get an event type',
    access: 'event-types:read',
    status: 200,
    answer: EventTypeSchema,
    failures: [404],
  })
  getEventType(@TenantId() tenantId: string, @Param('name') name: string): Promise<EventTypeAnswer> {
    return this.eventTypes.get(tenantId, name);
  }

  @Patch(':name')
  @Operation({
    summary: 'Change an event type',
    description: 'Events accepted a second later are checked by the new schema.',
    access: 'event-types:write',
    status: 200,
    answer: EventTypeSchema,
    failures: [400, 404, 413, 415, 422],
  })
  updateEventType(
    @CurrentKey() actor: KeyActor,
    @Param('name') name: string,
    @Body({ schema: UpdateEventTypeSchema }) body: UpdateEventType,
  ): Promise<EventTypeAnswer> {
    return this.eventTypes.update(actor, name, body);
  }

  @Delete(':name')
  @Operation({
    summary: 'Delete an event type',
    description: 'Its events are accepted as before, without a check.',
    access: 'event-types:write',
    status: 204,
    failures: [404],
  })
  deleteEventType(@CurrentKey() actor: KeyActor, @Param('name') name: string): Promise<void> {
    return this.eventTypes.delete(actor, name);
  }
}
