import { AttemptRecorder, type AttemptDeps } from '@hookstream/activities';
import type { WorkerConfig } from '@hookstream/config';
import {
  AttemptsRepository,
  failedFirst,
  FairClaim,
  OutboxRepository,
  toAttempt,
  toStart,
  type ClaimedAttempt,
  type Database,
  type NamedQueue,
  type OutboxNews,
} from '@hookstream/persistence';
import type { DeliveryStarter } from '@hookstream/temporal-client';
import type { AttemptWatch } from './attempt-watch.js';
import { AutoDispatch, type DispatchLane } from './auto-dispatch.js';
import { ClaimLoop } from './claim-loop.js';
import { DispatchWindow } from './dispatch-window.js';
import { Dispatcher } from './dispatcher.js';
import { EndpointPace } from './endpoint-pace.js';
import { ExpressAttempts } from './express-attempts.js';
import { FirstAttempts } from './first-attempts.js';
import { OutboxListener } from './outbox-listener.js';
import { Reconciler } from './reconciler.js';
import { WakeUp } from './wake-up.js';

export interface DispatchingOptions {
  workerId: string;
  config: WorkerConfig;
  database: Database;
  starter: Pick<DeliveryStarter, 'start' | 'replay'>;
  attempt: AttemptDeps;
}

/** Under load a claim finds what came in for about this long, in milliseconds; where it took few, for less. */
const REST_MS = 25;
const REST_MS_EACH = 5;
/** The durable lane ends fewer in a second: several of them take longer to end. */
const REST_FOR_ENDS_MS = { durable: 100, express: 10 };
/** Until it is recorded an attempt takes its place at its endpoint, of which the express lane has more use in a second. */
const RECORD_WITHIN_MS = { durable: 25, express: 6 };

const restMs = (took: number): number => Math.min(REST_MS, took * REST_MS_EACH);

/**
 * All that takes deliveries from the outbox in one worker: a dispatcher that starts workflows, one that makes the first attempts of the
 * express lane itself, one that hands what failed there to workflows, and what decides where `auto` goes.
 */
export class Dispatching {
  /** What the attempts of workflows have to tell. */
  readonly watch: AttemptWatch;
  /** How the attempts of workflows begin. */
  readonly firstAttempts: FirstAttempts;
  private readonly wakeUps = {
    durable: new WakeUp<NamedQueue>(),
    express: new WakeUp<NamedQueue>(),
    workflow: new WakeUp<NamedQueue>(),
  };
  private readonly pace: EndpointPace;
  private readonly auto: AutoDispatch;
  private readonly outbox: OutboxRepository;
  private readonly attemptsRepository: AttemptsRepository;
  private readonly durable: Dispatcher;
  private readonly handOver: Dispatcher;
  private readonly attempts: ExpressAttempts;
  private readonly express: ClaimLoop<ClaimedAttempt>;
  private readonly listener: OutboxListener;
  private readonly reconciler: Reconciler;

  constructor(private readonly options: DispatchingOptions) {
    const { config, database, attempt } = options;
    this.pace = new EndpointPace({ ...config.dispatch.pace, now: () => performance.now() });
    this.watch = { pace: this.pace, window: this.startsWindow(this.wakeUps.durable) };
    this.auto = this.createAuto();
    this.outbox = new OutboxRepository(database.pool);
    this.attemptsRepository = new AttemptsRepository(database.pool);
    this.firstAttempts = new FirstAttempts({
      attempts: this.attemptsRepository,
      logger: attempt.logger,
      now: () => performance.now(),
    });
    this.durable = this.createDurable();
    this.handOver = this.createHandOver();
    const expressWindow = new DispatchWindow({
      maxStarted: Infinity,
      maxAttempts: config.express.maxAttempts,
      forgetAfterMs: config.dispatch.leaseMs,
      now: () => performance.now(),
      onRoom: () => this.wakeUps.express.wakeForRoom(),
    });
    this.attempts = this.createAttempts(expressWindow);
    this.express = this.createExpress(expressWindow);
    this.reconciler = new Reconciler(
      { outbox: this.outbox, logger: attempt.logger },
      { afterMs: config.dispatch.reconcileAfterMs },
    );
    this.listener = new OutboxListener({
      databaseUrl: config.database.url,
      applicationName: 'hookstream-worker-listen',
      onNotify: (news) => this.wake(news),
      logger: attempt.logger,
    });
  }

  get lastDispatchAt(): Date | null {
    const times = [this.durable, this.handOver, this.attempts].map(({ lastDispatchAt }) => lastDispatchAt);
    return times.reduce(
      (latest, at) => ((at?.getTime() ?? 0) > (latest?.getTime() ?? 0) ? at : latest),
      null,
    );
  }

  /** How the attempts of workflows are recorded, until `signal` ends the tries of a database that is away. */
  recorder(signal: AbortSignal): Pick<AttemptRecorder, 'record'> {
    return this.firstAttempts.recorder(
      this.createRecorder(RECORD_WITHIN_MS.durable, this.watch.window, signal),
    );
  }

  start(): void {
    this.listener.start();
    this.durable.start();
    this.handOver.start();
    this.express.start();
    this.reconciler.start();
    this.firstAttempts.start();
    this.auto.start();
  }

  /** Claims nothing more. */
  async stopClaiming(): Promise<void> {
    this.auto.stop();
    await Promise.all(
      [this.listener, this.durable, this.handOver, this.express, this.reconciler].map((part) => part.stop()),
    );
  }

  /** Waits for the attempts that it makes itself, and hands back what takes longer than `graceMs` milliseconds. */
  finish(graceMs: number): Promise<void> {
    this.firstAttempts.stop();
    return this.attempts.stop(graceMs);
  }

  private wake({ lanes, queues }: OutboxNews = { queues: [] }): void {
    const has = (lane: string) => lanes === undefined || lanes.includes(lane);
    for (const lane of ['durable', 'express'] as const) {
      if (!has(lane) && !(has('auto') && this.auto.takes(lane))) continue;
      const its = queues.filter((queue) => this.goesBy(lane, queue));
      if (its.length > 0 || queues.length === 0) this.wakeUps[lane].wake(its);
    }
    if (has('workflow')) this.wakeUps.workflow.wake();
  }

  private goesBy(lane: DispatchLane, queue: NamedQueue): boolean {
    return queue.lane === lane || (queue.lane === 'auto' && this.auto.laneOf(queue.endpointId) === lane);
  }

  private createAuto(): AutoDispatch {
    const { config, database, attempt } = this.options;
    const waiting = new FairClaim(database.pool, toAttempt('auto'));
    return new AutoDispatch(
      {
        pace: this.pace,
        window: this.watch.window,
        look: () => waiting.look(),
        onChange: () => this.wake(),
        logger: attempt.logger,
      },
      { maxLagMs: config.auto.maxLagMs },
    );
  }

  private startsWindow(wakeUp: WakeUp<NamedQueue>): DispatchWindow {
    const { config } = this.options;
    return new DispatchWindow({
      maxStarted: config.dispatch.concurrency,
      maxAttempts: config.maxConcurrentAttempts,
      forgetAfterMs: config.dispatch.leaseMs,
      now: () => performance.now(),
      onRoom: () => wakeUp.wakeForRoom(),
      onStarted: (tookMs) => this.pace.startTook(tookMs),
    });
  }

  private createDurable(): Dispatcher {
    const { database } = this.options;
    const durable = new FairClaim(database.pool, toStart('durable'));
    const auto = this.auto.claimsFor('durable', new FairClaim(database.pool, toStart('auto')));
    return this.createDispatcher({
      claims: () => (this.auto.takes('durable') ? [durable, auto] : [durable]),
      window: this.watch.window,
      wakeUp: this.wakeUps.durable,
    });
  }

  private createHandOver(): Dispatcher {
    const claims = [new FairClaim(this.options.database.pool, failedFirst())];
    const wakeUp = this.wakeUps.workflow;
    return this.createDispatcher({ claims: () => claims, window: this.startsWindow(wakeUp), wakeUp });
  }

  private createDispatcher(
    own: Pick<ConstructorParameters<typeof Dispatcher>[0], 'claims' | 'window' | 'wakeUp'>,
  ): Dispatcher {
    const { workerId, config, starter, attempt } = this.options;
    return new Dispatcher(
      {
        ...own,
        outbox: this.outbox,
        starter,
        pace: this.pace,
        firstAttempts: this.firstAttempts,
        logger: attempt.logger,
        onTemporalAway: () => this.auto.temporalAway(),
      },
      {
        workerId,
        batchSize: config.dispatch.batchSize,
        pollMs: config.dispatch.pollMs,
        leaseMs: config.dispatch.leaseMs,
        restMs,
        restForEndsMs: REST_FOR_ENDS_MS.durable,
        retentionMs: config.retention.retentionMs,
      },
    );
  }

  private createAttempts(window: DispatchWindow): ExpressAttempts {
    const { workerId, config, attempt } = this.options;
    return new ExpressAttempts(
      {
        attempt,
        attempts: this.attemptsRepository,
        outbox: this.outbox,
        recorder: this.createRecorder(RECORD_WITHIN_MS.express, window),
        window,
        pace: this.pace,
        onFailed: () => this.wakeUps.workflow.wake(),
      },
      { workerId, leaseMs: config.dispatch.leaseMs },
    );
  }

  private createRecorder(withinMs: number, window: DispatchWindow, signal?: AbortSignal): AttemptRecorder {
    const { config, attempt } = this.options;
    return new AttemptRecorder({
      attempts: this.attemptsRepository,
      logger: attempt.logger,
      batchSize: config.dispatch.batchSize,
      withinMs,
      underWay: () => window.total,
      ...(signal ? { signal } : {}),
    });
  }

  private createExpress(window: DispatchWindow): ClaimLoop<ClaimedAttempt> {
    const { workerId, config, database, attempt } = this.options;
    const { batchSize, pollMs, leaseMs } = config.dispatch;
    const express = new FairClaim(database.pool, toAttempt('express'));
    const auto = this.auto.claimsFor('express', new FairClaim(database.pool, toAttempt('auto')));
    return new ClaimLoop(
      {
        claims: () => (this.auto.takes('express') ? [express, auto] : [express]),
        launch: (claimed) => this.attempts.begin(claimed),
        window,
        pace: {
          of: (id, limit, inFlight) => this.pace.of(id, limit, inFlight, false),
          isUnpaced: (id) => this.pace.isUnpaced(id),
        },
        wakeUp: this.wakeUps.express,
        logger: attempt.logger,
      },
      { workerId, batchSize, pollMs, leaseMs, restMs, restForEndsMs: REST_FOR_ENDS_MS.express },
    );
  }
}
