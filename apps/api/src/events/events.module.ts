import { Module } from '@nestjs/common';
import { EventTypesModule } from '../event-types/event-types.module.js';
import { AuthModule } from '../auth/auth.module.js';
import { AcceptBudgets } from './accept-budgets.js';
import { AcceptLimits } from './accept-limits.js';
import { AcceptRoute } from './accept.route.js';
import { BacklogMeter } from './backlog-meter.js';
import { EventsController } from './events.controller.js';
import { EventsService } from './events.service.js';

@Module({
  imports: [AuthModule, EventTypesModule],
  controllers: [EventsController],
  providers: [EventsService, AcceptRoute, AcceptBudgets, AcceptLimits, BacklogMeter],
})
export class EventsModule {}
