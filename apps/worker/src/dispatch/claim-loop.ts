import { setTimeout as delay } from 'node:timers/promises';
import type { OutboxLane } from '@hookstream/domain';
import type { Claim, ClaimLease, ClaimOptions, NamedQueue } from '@hookstream/persistence';
import type { Logger } from '@hookstream/observability';
import type { DispatchWindow } from './dispatch-window.js';
import type { EndpointPace } from './endpoint-pace.js';
import type { WakeUp } from './wake-up.js';

/** One lane of the outbox that is claimed from. */
export interface Claims<Claimed> {
  lane: OutboxLane;
  claim(options: ClaimOptions): Promise<Claim<Claimed>>;
  claimNamed(lease: ClaimLease, queues: readonly NamedQueue[]): Promise<Claimed[]>;
}

export interface ClaimLoopOptions {
  workerId: string;
  batchSize: number;
  pollMs: number;
  leaseMs: number;
  /**
   * Where more comes in all the time: at least how long after the begin of a claim that took so many the next one begins, in milliseconds. A
   * claim of a few costs about as much as one of many. Default: no time.
   */
  restMs?: (took: number) => number;
  /**
   * The same where only the end of an attempt lets more go, in milliseconds: of many under way, several end meanwhile. At most a millisecond for
   * each of them. Default: no time.
   */
  restForEndsMs?: number;
}

export interface ClaimLoopDeps<Claimed> {
  /** What to claim from now. */
  claims: () => readonly Claims<Claimed>[];
  /** Takes on what was claimed; does not wait for it. */
  launch: (claimed: Claimed) => void;
  window: DispatchWindow;
  pace: Pick<EndpointPace, 'of' | 'isUnpaced'>;
  wakeUp: WakeUp<NamedQueue>;
  logger: Logger;
}

/** What a claim has left to be waited for; times are of the clock of `performance`. */
interface Rest {
  /** Endpoints of which only the end of an attempt lets more go. */
  full: ReadonlySet<string>;
  /** Nothing more is claimed before. */
  restUntil: number;
  /** Before, nobody looks for what ends have let go. */
  endsAt: number;
}

const RETRY_AFTER_ERROR_MS = 1_000;
/** Another worker's claim of the same endpoint takes a few milliseconds. */
const RETRY_CONTENDED_MS = 5;

/** Claims what may go and the window has room for, again and again, and sleeps until something more may. */
export class ClaimLoop<Claimed> {
  private stopped = false;
  private running: Promise<void> | undefined;
  private turn = 0;

  constructor(
    private readonly deps: ClaimLoopDeps<Claimed>,
    private readonly options: ClaimLoopOptions,
  ) {}

  start(): void {
    this.running = this.run();
  }

  /** Resolves when nothing more is claimed. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.deps.wakeUp.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.once();
      } catch (error) {
        this.deps.logger.warn({ err: error }, 'cannot read the outbox; trying again');
        await this.deps.wakeUp.wait(RETRY_AFTER_ERROR_MS);
      }
    }
  }

  private async once(): Promise<void> {
    const { window } = this.deps;
    const beganAt = performance.now();
    const version = window.version;
    let waitMs = this.options.pollMs;
    let wantsRoom = false;
    let took = 0;
    const endpoints = new Set<string>();
    for (const claims of this.inTurn()) {
      const claim = await this.claimFrom(claims);
      if (claim === undefined) {
        wantsRoom = true;
        break;
      }
      if (claim.again) return;
      took += claim.deliveries.length;
      wantsRoom ||= claim.wantsRoom;
      for (const id of claim.fullEndpoints) endpoints.add(id);
      waitMs = Math.min(waitMs, waitAfter(claim, this.options.pollMs));
    }
    window.want({ any: wantsRoom, endpoints }, version);
    await this.untilMore(
      {
        full: endpoints,
        restUntil: beganAt + this.restMs(took),
        endsAt: beganAt + (endpoints.size > 0 ? this.restForEndsMs() : 0),
      },
      waitMs,
    );
  }

  /**
   * Sleeps until something more may go that only a look finds, at most `waitMs`. What is new meanwhile and named is taken without one: that is half
   * the time to its attempt while little comes in. What is new does not wait for ends either: those are of other endpoints.
   */
  private async untilMore({ full, restUntil, endsAt }: Rest, waitMs: number): Promise<void> {
    let lookAt = performance.now() + waitMs;
    for (;;) {
      const news = await this.deps.wakeUp.wait(Math.max(0, lookAt - performance.now()));
      if (this.stopped) return;
      const named = news.named.filter(({ endpointId }) => !full.has(endpointId));
      if (news.unnamed) lookAt = Math.min(lookAt, restUntil);
      if (news.room || named.length < news.named.length)
        lookAt = Math.min(lookAt, Math.max(restUntil, endsAt));
      const now = performance.now();
      if (now >= lookAt) return;
      if (named.length === 0) continue;
      if (now < restUntil) return delay(restUntil - now);
      const took = await this.takeNamed(named);
      if (took === undefined) return;
      restUntil = now + this.restMs(took);
    }
  }

  private restMs(took: number): number {
    return took === 0 ? 0 : (this.options.restMs?.(took) ?? 0);
  }

  private restForEndsMs(): number {
    return Math.min(this.options.restForEndsMs ?? 0, this.deps.window.total);
  }

  /** @returns how many; undefined where a look has to tell what may go. */
  private async takeNamed(named: readonly NamedQueue[]): Promise<number | undefined> {
    const { window, pace, launch } = this.deps;
    const wanted = named.reduce((sum, { count }) => sum + count, 0);
    if (wanted === 0 || window.use(this.options.batchSize).room < wanted) return undefined;
    if (!named.every(({ endpointId }) => pace.isUnpaced(endpointId))) return undefined;
    let took = 0;
    for (const claims of this.deps.claims()) {
      const queues = named.filter(({ lane }) => lane === claims.lane);
      if (queues.length === 0) continue;
      const deliveries = await claims.claimNamed(this.options, queues);
      for (const claimed of deliveries) launch(claimed);
      took += deliveries.length;
    }
    return took < wanted ? undefined : took;
  }

  /** @returns undefined when there is no room */
  private async claimFrom(claims: Claims<Claimed>): Promise<Claim<Claimed> | undefined> {
    const { window, pace, launch } = this.deps;
    const { workerId, leaseMs, batchSize } = this.options;
    const use = window.use(batchSize);
    if (use.room === 0) return undefined;
    const claim = await claims.claim({
      workerId,
      leaseMs,
      use,
      paceOf: (id, limit) => pace.of(id, Math.min(limit, use.capacity), use.endpoints.get(id) ?? 0),
    });
    for (const claimed of claim.deliveries) launch(claimed);
    return claim.deliveries.length >= use.room ? { ...claim, again: true } : claim;
  }

  /** Each is first once, so that none takes all the room every time. */
  private inTurn(): Claims<Claimed>[] {
    const claims = this.deps.claims();
    this.turn += 1;
    return claims.map((_, index) => claims[(index + this.turn) % claims.length] as Claims<Claimed>);
  }
}

/** Until something may go by itself, as far as can be seen; a poll finds the rest. */
function waitAfter(
  { contended, nextInMs }: Pick<Claim<unknown>, 'contended' | 'nextInMs'>,
  pollMs: number,
): number {
  // a timer fires up to a millisecond early
  const next = nextInMs === null ? pollMs : Math.ceil(nextInMs) + 1;
  return Math.min(pollMs, next, contended ? RETRY_CONTENDED_MS : pollMs);
}
