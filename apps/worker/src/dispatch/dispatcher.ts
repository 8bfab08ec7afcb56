import { setTimeout as delay } from 'node:timers/promises';
import type { ClaimedDelivery, OutboxRepository } from '@hookstream/persistence';
import type { DeliveryStarter } from '@hookstream/temporal-client';
import type { DeliveryWorkflowInput } from '@hookstream/contracts';
import type { EndpointPace } from './endpoint-pace.js';
import type { FirstAttempts } from './first-attempts.js';
import { ClaimLoop, type ClaimLoopDeps, type ClaimLoopOptions } from './claim-loop.js';

export interface DispatcherOptions extends ClaimLoopOptions {
  /** How long payloads live from their acceptance, in milliseconds. */
  retentionMs: number;
}

export interface DispatcherDeps extends Pick<
  ClaimLoopDeps<ClaimedDelivery>,
  'claims' | 'window' | 'wakeUp' | 'logger'
> {
  pace: Pick<EndpointPace, 'of' | 'isUnpaced' | 'starting'>;
  firstAttempts: Pick<FirstAttempts, 'keep' | 'drop'>;
  outbox: Pick<OutboxRepository, 'acknowledge' | 'acknowledgeOpen' | 'release'>;
  starter: Pick<DeliveryStarter, 'start' | 'replay'>;
  /** Temporal did not take a delivery that any lane may have. */
  onTemporalAway?: () => void;
}

/**
 * Of several that are being started, acknowledgements are gathered for so long, in milliseconds: for less than it takes until their attempts are
 * recorded. A row that is still there then would be held by a pause that comes just after, beside the delivery's own wait.
 */
const ACKNOWLEDGE_WITHIN_MS = 10;
const RETRY_AFTER_ERROR_MS = 1_000;
const RETRY_HANDED_BACK_MS = 200;

/**
 * Turns outbox rows into workflows. Claims what may go and the window has room for, starts each, and deletes a row only once its
 * workflow exists. When it dies anywhere in between, the lease ends and the row is claimed again; starting twice
 * is harmless because the workflow id is the delivery's.
 */
export class Dispatcher {
  lastDispatchAt: Date | null = null;
  private readonly loop: ClaimLoop<ClaimedDelivery>;
  /** Starts and acknowledgements that have not ended. */
  private readonly underWay = new Set<Promise<void>>();
  private acknowledging: string[] = [];

  constructor(
    private readonly deps: DispatcherDeps,
    private readonly options: DispatcherOptions,
  ) {
    this.loop = new ClaimLoop({ ...deps, launch: (delivery) => this.launch(delivery) }, options);
  }

  start(): void {
    this.loop.start();
  }

  /** Claims nothing more, waits for the starts under way, and hands back what was claimed and not started. */
  async stop(): Promise<void> {
    await this.loop.stop();
    while (this.underWay.size > 0) await Promise.all(this.underWay);
  }

  private launch(delivery: ClaimedDelivery): void {
    this.deps.window.starting(delivery.deliveryId, delivery);
    this.deps.pace.starting(delivery.endpointId);
    if (delivery.firstAttempt) this.deps.firstAttempts.keep(delivery.firstAttempt);
    this.track(this.startOne(delivery));
  }

  private track(work: Promise<void>): void {
    const tracked = work.finally(() => this.underWay.delete(tracked));
    this.underWay.add(tracked);
  }

  private async startOne(delivery: ClaimedDelivery): Promise<void> {
    const { deliveryId } = delivery;
    try {
      const input = workflowInput(delivery, this.options.retentionMs);
      const { starter } = this.deps;
      const result = await (input.trigger === 'replay' ? starter.replay(input) : starter.start(input));
      this.lastDispatchAt = new Date();
      // one that begins with a wait makes no attempt for now
      if (input.nextAttemptAt !== undefined) this.deps.window.notStarted(deliveryId);
      if (result === 'started') return this.acknowledge(deliveryId);
      this.notStarted(deliveryId);
      if (result === 'signalled') return this.acknowledge(deliveryId);
      await this.acknowledgeOpen(deliveryId);
    } catch (error) {
      this.notStarted(deliveryId);
      await this.giveBack(delivery, error);
    }
  }

  private notStarted(deliveryId: string): void {
    this.deps.window.notStarted(deliveryId);
    this.deps.firstAttempts.drop(deliveryId);
  }

  private async giveBack({ deliveryId, waitedAs }: ClaimedDelivery, error: unknown): Promise<void> {
    const { logger, outbox, onTemporalAway } = this.deps;
    logger.warn(
      { err: error, delivery_id: deliveryId },
      'cannot start a delivery: Temporal did not take it; trying again',
    );
    const anyLane = waitedAs === 'auto';
    if (anyLane) onTemporalAway?.();
    await outbox
      .release(this.options.workerId, [deliveryId], anyLane ? 0 : RETRY_AFTER_ERROR_MS, anyLane)
      .catch((releaseError: unknown) =>
        logger.warn({ err: releaseError }, 'cannot hand back a delivery; its lease will end'),
      );
  }

  /** A run that is just handing the delivery back is still open for a moment: its row stays and is tried again. */
  private async acknowledgeOpen(deliveryId: string): Promise<void> {
    await this.deps.outbox
      .acknowledgeOpen(this.options.workerId, [deliveryId], RETRY_HANDED_BACK_MS)
      .catch((error: unknown) =>
        this.deps.logger.warn({ err: error }, 'cannot acknowledge a delivery; its lease will end'),
      );
  }

  private acknowledge(deliveryId: string): void {
    this.acknowledging.push(deliveryId);
    if (this.acknowledging.length === 1) this.track(this.acknowledgeSoon());
  }

  private async acknowledgeSoon(): Promise<void> {
    if (this.deps.window.total > 1) await delay(ACKNOWLEDGE_WITHIN_MS);
    const ids = this.acknowledging;
    this.acknowledging = [];
    try {
      await this.deps.outbox.acknowledge(this.options.workerId, ids);
    } catch (error) {
      // The lease ends, the rows are claimed again, and their workflows are found to exist.
      this.deps.logger.warn(
        { err: error, deliveries: ids.length },
        'cannot acknowledge started deliveries; trying again after their lease',
      );
    }
  }
}

function workflowInput(delivery: ClaimedDelivery, retentionMs: number): DeliveryWorkflowInput {
  return {
    deliveryId: delivery.deliveryId,
    tenantId: delivery.tenantId,
    endpointId: delivery.endpointId,
    eventId: delivery.eventId,
    eventType: delivery.eventType,
    endpointHost: URL.canParse(delivery.endpointUrl)
      ? new URL(delivery.endpointUrl).host
      : 'deleted endpoint',
    lane: delivery.lane,
    attemptsMade: delivery.attemptCount,
    scheduleStep: delivery.scheduleStep,
    trigger: delivery.trigger,
    expiresAt: delivery.createdAt.getTime() + retentionMs,
    ...(delivery.nextAttemptAt === null ? {} : { nextAttemptAt: delivery.nextAttemptAt.toISOString() }),
  };
}
