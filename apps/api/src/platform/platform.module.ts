import { Global, Module, type DynamicModule, type Provider } from '@nestjs/common';
import type { ApiConfig } from '@hookstream/config';
import { AcceptMetrics, MetricRegistry, type Logger, type Tracing } from '@hookstream/observability';
import {
  AcceptBudgetsRepository,
  AcceptPoliciesRepository,
  ApiKeysRepository,
  AuditRepository,
  BacklogsRepository,
  CircuitsRepository,
  DeliveriesRepository,
  EndpointsRepository,
  EventsRepository,
  EventTypesRepository,
  GaugesRepository,
  ReplaysRepository,
  StatsRepository,
  TenantsRepository,
  DispatchProgressRepository,
  type Database,
} from '@hookstream/persistence';
import { parseKeyRing, SecretBox } from '@hookstream/signing';
import {
  DeliveryStarter,
  EndpointWorkflows,
  ReplayStarter,
  type TemporalClient,
} from '@hookstream/temporal-client';
import { TenantPolicies } from './tenant-policies.js';
import { API_CONFIG, DATABASE, LOGGER, TEMPORAL, TRACING } from './tokens.js';

/** What the API works with. It is opened and closed by whoever makes the application. */
export interface ApiDependencies {
  config: ApiConfig;
  database: Database;
  temporal: TemporalClient;
  logger: Logger;
  /** Absent: no traces. */
  tracing?: Tracing;
  /** Default `hookstream-deliveries`. */
  deliveryTaskQueue?: string;
  /** Default `hookstream-control`. */
  controlTaskQueue?: string;
}

const onDatabase = <T>(provide: new (database: Database) => T): Provider => ({
  provide,
  useFactory: (database: Database) => new provide(database),
  inject: [DATABASE],
});

@Global()
@Module({})
export class PlatformModule {
  static register(dependencies: ApiDependencies): DynamicModule {
    const { deliveryTaskQueue, controlTaskQueue } = dependencies;
    const providers: Provider[] = [
      { provide: API_CONFIG, useValue: dependencies.config },
      { provide: DATABASE, useValue: dependencies.database },
      { provide: TEMPORAL, useValue: dependencies.temporal },
      { provide: LOGGER, useValue: dependencies.logger },
      { provide: TRACING, useValue: dependencies.tracing ?? null },
      onDatabase(TenantsRepository),
      onDatabase(ApiKeysRepository),
      onDatabase(AuditRepository),
      onDatabase(EndpointsRepository),
      onDatabase(EventsRepository),
      onDatabase(EventTypesRepository),
      onDatabase(AcceptPoliciesRepository),
      onDatabase(AcceptBudgetsRepository),
      onDatabase(BacklogsRepository),
      TenantPolicies,
      onDatabase(DeliveriesRepository),
      onDatabase(ReplaysRepository),
      onDatabase(DispatchProgressRepository),
      onDatabase(GaugesRepository),
      MetricRegistry,
      {
        provide: AcceptMetrics,
        useFactory: (registry: MetricRegistry, config: ApiConfig) =>
          new AcceptMetrics(registry, config.metrics.maxSeries),
        inject: [MetricRegistry, API_CONFIG],
      },
      {
        provide: StatsRepository,
        useFactory: (database: Database) => new StatsRepository(database.pool),
        inject: [DATABASE],
      },
      {
        provide: SecretBox,
        useFactory: (config: ApiConfig) => new SecretBox(parseKeyRing(config.encryptionKeys.join(','))),
        inject: [API_CONFIG],
      },
      {
        provide: DeliveryStarter,
        useFactory: (temporal: TemporalClient) =>
          new DeliveryStarter(
            temporal,
            deliveryTaskQueue === undefined ? {} : { taskQueue: deliveryTaskQueue },
          ),
        inject: [TEMPORAL],
      },
      {
        provide: CircuitsRepository,
        useFactory: (database: Database) => new CircuitsRepository(database.pool),
        inject: [DATABASE],
      },
      {
        provide: EndpointWorkflows,
        useFactory: (temporal: TemporalClient) =>
          new EndpointWorkflows(
            temporal,
            controlTaskQueue === undefined ? {} : { taskQueue: controlTaskQueue },
          ),
        inject: [TEMPORAL],
      },
      {
        provide: ReplayStarter,
        useFactory: (temporal: TemporalClient) =>
          new ReplayStarter(temporal, controlTaskQueue === undefined ? {} : { taskQueue: controlTaskQueue }),
        inject: [TEMPORAL],
      },
    ];
    return { module: PlatformModule, providers, exports: providers };
  }
}
