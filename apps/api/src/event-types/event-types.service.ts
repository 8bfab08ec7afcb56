import { Injectable } from '@nestjs/common';
import { DomainError, type JsonSchema } from '@hookstream/domain';
import { EventTypesRepository, type EventTypeRecord } from '@hookstream/persistence';
import type { KeyActor } from '../auth/actor.js';
import { listed, type Listed } from '../http/fields.dto.js';
import type {
  CreateEventType,
  EventTypeAnswer,
  ListEventTypes,
  UpdateEventType,
} from './dto/event-type.dto.js';
import { SchemaCompiler } from './schema-compiler.js';

@Injectable()
export class EventTypesService {
  constructor(
    private readonly eventTypes: EventTypesRepository,
    private readonly compiler: SchemaCompiler,
  ) {}

  async create(actor: KeyActor, { name, ...settings }: CreateEventType): Promise<EventTypeAnswer> {
    this.checkSchema(settings.schema);
    return present(await this.eventTypes.create(actor.tenantId, name, settings, actor));
  }

  async list(tenantId: string, query: ListEventTypes): Promise<Listed<EventTypeAnswer>> {
    return listed(await this.eventTypes.list(tenantId, query), present);
  }

  async get(tenantId: string, name: string): Promise<EventTypeAnswer> {
    return present(found(await this.eventTypes.find(tenantId, name)));
  }

  async update(actor: KeyActor, name: string, patch: UpdateEventType): Promise<EventTypeAnswer> {
    this.checkSchema(patch.schema);
    const given = Object.fromEntries(Object.entries(patch).filter(([, value]) => value !== undefined));
    return present(found(await this.eventTypes.update(actor.tenantId, name, given, actor)));
  }

  async delete(actor: KeyActor, name: string): Promise<void> {
    if (!(await this.eventTypes.delete(actor.tenantId, name, actor))) found(null);
  }

  /** @throws DomainError `validation_failed` that says where the schema is at fault */
  private checkSchema(schema: JsonSchema | null | undefined): void {
    if (schema !== null && schema !== undefined) this.compiler.compile(schema);
  }
}

function found(eventType: EventTypeRecord | null): EventTypeRecord {
  if (eventType === null) throw new DomainError('not_found', 'There is no such event type.');
  return eventType;
}

function present(eventType: EventTypeRecord): EventTypeAnswer {
  return {
    name: eventType.name,
    description: eventType.description,
    schema: eventType.schema,
    validation: eventType.validation,
    created_at: eventType.createdAt.toISOString(),
    updated_at: eventType.updatedAt.toISOString(),
  };
}
