import { Module } from '@nestjs/common';
import { EventTypesModule } from '../event-types/event-types.module.js';
import { EventsController } from './events.controller.js';
import { EventsService } from './events.service.js';

@Module({ imports: [EventTypesModule], controllers: [EventsController], providers: [EventsService] })
export class EventsModule {}
