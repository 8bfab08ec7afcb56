import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { ApiKeysModule } from './api-keys/api-keys.module.js';
import { AuditLogModule } from './audit-log/audit-log.module.js';
import { AuthModule } from './auth/auth.module.js';
import { CircuitsModule } from './circuits/circuits.module.js';
import { DeadLettersModule } from './dead-letters/dead-letters.module.js';
import { DeliveriesModule } from './deliveries/deliveries.module.js';
import { EndpointsModule } from './endpoints/endpoints.module.js';
import { EventTypesModule } from './event-types/event-types.module.js';
import { EventsModule } from './events/events.module.js';
import { HealthModule } from './health/health.module.js';
import { ProblemFilter } from './http/problem.filter.js';
import { SchemaValidationPipe } from './http/schema-validation.pipe.js';
import { PlatformModule, type ApiDependencies } from './platform/platform.module.js';
import { ReplaysModule } from './replays/replays.module.js';
import { StatsModule } from './stats/stats.module.js';
import { TenantsModule } from './tenants/tenants.module.js';

@Module({
  imports: [
    AuthModule,
    TenantsModule,
    ApiKeysModule,
    EndpointsModule,
    CircuitsModule,
    EventTypesModule,
    EventsModule,
    DeliveriesModule,
    DeadLettersModule,
    StatsModule,
    AuditLogModule,
    ReplaysModule,
    HealthModule,
  ],
  providers: [
    { provide: APP_FILTER, useClass: ProblemFilter },
    { provide: APP_PIPE, useClass: SchemaValidationPipe },
  ],
})
export class AppModule {
  static register(dependencies: ApiDependencies): DynamicModule {
    return { module: AppModule, imports: [PlatformModule.register(dependencies)] };
  }
}
