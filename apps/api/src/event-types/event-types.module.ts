import { Module } from '@nestjs/common';
import { EventSchemas } from './event-schemas.js';
import { EventTypesController } from './event-types.controller.js';
import { EventTypesService } from './event-types.service.js';
import { SchemaCompiler } from './schema-compiler.js';

@Module({
  controllers: [EventTypesController],
  providers: [EventTypesService, SchemaCompiler, EventSchemas],
  exports: [EventSchemas],
})
export class EventTypesModule {}
