import { Module } from '@nestjs/common';
import { EventTypesModule } from '../event-types/event-types.module.js';
import { AcceptBudgets } from './accept-budgets.js';
import { AcceptLimits } from './accept-limits.js';
import { BacklogMeter } from './backlog-meter.js';
import { EventsController } from './events.controller.js';
import { EventsService } from './events.service.js';

@Module({
  imports: [EventTypesModule],
  controllers: [EventsController],
  providers: [EventsService, AcceptBudgets, AcceptLimits, BacklogMeter],
})
export class EventsModule {}
