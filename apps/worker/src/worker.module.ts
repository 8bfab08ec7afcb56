import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type DynamicModule,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { HookstreamWorker } from './worker.js';

const WORKER = Symbol('HookstreamWorker');

/** Ties the worker to the life of a Nest application context. */
@Module({})
export class WorkerModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  constructor(@Inject(WORKER) private readonly worker: HookstreamWorker) {}

  static register(worker: HookstreamWorker): DynamicModule {
    return {
      module: WorkerModule,
      providers: [{ provide: WORKER, useValue: worker }],
    };
  }

  onApplicationBootstrap(): Promise<void> {
    return this.worker.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.worker.stop();
  }

  /** Rejects when the worker fails for good. */
  stopped(): Promise<void> {
    return this.worker.stopped();
  }
}
