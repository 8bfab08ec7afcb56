import type { WaitingFor } from '@hookstream/persistence';
import type { Logger } from '@hookstream/observability';
import { AutoLane } from './auto-lane.js';
import type { Claims } from './claim-loop.js';
import type { DispatchWindow } from './dispatch-window.js';
import type { EndpointPace } from './endpoint-pace.js';

export type DispatchLane = 'durable' | 'express';

export interface AutoDispatchDeps {
  pace: Pick<EndpointPace, 'isSlow' | 'knowsSlow'>;
  /** The room of the durable lane. */
  window: Pick<DispatchWindow, 'use'>;
  /** For how long deliveries of `auto` have waited. */
  look: () => Promise<WaitingFor[]>;
  /** Another lane is to take what waits. */
  onChange: () => void;
  logger: Logger;
}

/**
 * Where the deliveries of `auto` go. Endpoints whose answers take long always go the express way: a workflow task that is open for all that time
 * costs the worker and Temporal dearly, and everybody else would feel it. The others take the lane of the hour.
 */
export class AutoDispatch {
  private readonly lane: AutoLane;
  private timer: NodeJS.Timeout | undefined;
  private looking = false;

  /** @param options `maxLagMs`: as {@link AutoLane} has it */
  constructor(
    private readonly deps: AutoDispatchDeps,
    private readonly options: { maxLagMs: number },
  ) {
    const { onChange } = deps;
    this.lane = new AutoLane({ maxLagMs: options.maxLagMs, now: () => performance.now(), onChange });
  }

  start(): void {
    this.timer = setInterval(() => void this.lookUnlessSeen(), this.options.maxLagMs / 2);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Temporal takes no deliveries. */
  temporalAway(): void {
    this.lane.temporalAway();
  }

  /** Whether some of them go that way now; which ones, {@link laneOf} tells. */
  takes(lane: DispatchLane): boolean {
    return this.lane.current() === lane || (lane === 'express' && this.deps.pace.knowsSlow);
  }

  laneOf(endpointId: string): DispatchLane {
    return this.deps.pace.isSlow(endpointId) ? 'express' : this.lane.current();
  }

  /** Those claims that are for one lane. Each tells how long `auto` has waited. */
  claimsFor<Claimed extends { endpointId: string }>(
    lane: DispatchLane,
    claims: Claims<Claimed>,
  ): Claims<Claimed> {
    return {
      lane: 'auto',
      claim: async (options) => {
        const isFor = (id: string) => this.laneOf(id) === lane;
        const claim = await claims.claim({ ...options, isFor });
        this.count(lane, claim.deliveries);
        this.lane.observe(claim.waiting);
        return claim;
      },
      claimNamed: async (lease, queues) => {
        const claimed = await claims.claimNamed(lease, queues);
        this.count(lane, claimed);
        return claimed;
      },
    };
  }

  /** What goes the express way whatever the hour says nothing of it. */
  private count(lane: DispatchLane, claimed: readonly { endpointId: string }[]): void {
    const { pace } = this.deps;
    const either = pace.knowsSlow ? claimed.filter(({ endpointId }) => !pace.isSlow(endpointId)) : claimed;
    this.lane.took(lane, either.length);
  }

  /** For when nobody claims from `auto`, for want of room: it waits all the same. */
  private async lookUnlessSeen(): Promise<void> {
    const { window, look, logger } = this.deps;
    const { lane } = this;
    const unseen = lane.current() === 'express' || window.use(1).room === 0;
    if (!unseen || this.looking) return;
    this.looking = true;
    await look()
      .then((waiting) => lane.observe(waiting))
      .catch((error: unknown) => logger.debug({ err: error }, 'cannot look at the outbox; trying again'));
    this.looking = false;
  }
}
