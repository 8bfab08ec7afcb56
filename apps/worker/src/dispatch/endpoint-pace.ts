import {
  averageWith,
  keptBack,
  lagWith,
  nextStartDueAt,
  paceOf,
  startSpacingMs,
  type AnswerTimes,
  type Pace,
  type PaceRules,
  type StartLag,
} from '@hookstream/domain';

export interface EndpointPaceOptions extends PaceRules {
  /** How many endpoints are kept in mind; the longest unused is forgotten first, and then untimed again. */
  maxEndpoints?: number;
  /** Milliseconds on a clock that never goes back. */
  now: () => number;
}

interface Endpoint {
  averageMs: number | undefined;
  attempts: number;
  /** Since when, with attempts under way, none was answered. */
  unansweredSince: number;
  spacingMs: number;
  dueAt: number;
}

const MAX_ENDPOINTS = 10_000;

/**
 * How fast this worker starts deliveries of each endpoint, by how long its answers take. Each worker paces for itself as if it
 * had all of an endpoint's slots: how many are under way in all is the slots' to limit, the pace only spreads them.
 */
export class EndpointPace {
  private readonly endpoints = new Map<string, Endpoint>();
  private readonly slow = new Set<string>();
  private lag: StartLag | undefined;

  constructor(private readonly options: EndpointPaceOptions) {}

  /**
   * @param limit the most that may ever be under way to it
   * @param inFlight started or under way in this worker
   * @param givesWay whether its starts cost so much that they are spread further while all starts take long
   */
  of(endpointId: string, limit: number, inFlight: number, givesWay = true): Pace {
    const endpoint = this.touch(endpointId);
    const times = this.timesOf(endpoint);
    endpoint.spacingMs = startSpacingMs(times, limit, this.options) * (givesWay ? keptBack(this.lag) : 1);
    return paceOf({ ...endpoint, times, limit, inFlight }, this.options.now(), this.options);
  }

  /** Whether nothing has to be spread, whatever its limits. */
  isUnpaced(endpointId: string): boolean {
    return startSpacingMs(this.timesOf(this.touch(endpointId)), 1, this.options) === 0;
  }

  /** Whether its answers take long. */
  isSlow(endpointId: string): boolean {
    return this.slow.has(endpointId);
  }

  /** Whether those of any endpoint do. */
  get knowsSlow(): boolean {
    return this.slow.size > 0;
  }

  starting(endpointId: string): void {
    const endpoint = this.touch(endpointId);
    endpoint.dueAt = nextStartDueAt(endpoint.dueAt, endpoint.spacingMs, this.options.now());
  }

  /** An attempt has begun here that was started here, this many milliseconds before. */
  startTook(ms: number): void {
    this.lag = lagWith(this.lag, ms, this.options.now());
  }

  /** @returns to be called when the attempt has ended, with how long the endpoint took if it was asked. */
  attemptBegan(endpointId: string): (answerMs?: number) => void {
    const endpoint = this.touch(endpointId);
    if (endpoint.attempts === 0) endpoint.unansweredSince = this.options.now();
    endpoint.attempts += 1;
    return (answerMs) => {
      endpoint.attempts -= 1;
      if (answerMs === undefined) return;
      endpoint.unansweredSince = this.options.now();
      endpoint.averageMs = averageWith(endpoint.averageMs, answerMs);
      if (endpoint.averageMs < this.options.slowMs) this.slow.delete(endpointId);
      else if (this.endpoints.get(endpointId) === endpoint) this.slow.add(endpointId);
    };
  }

  private timesOf({ averageMs, attempts, unansweredSince }: Endpoint): AnswerTimes {
    return { averageMs, unansweredMs: attempts > 0 ? this.options.now() - unansweredSince : 0 };
  }

  /** The most recently used come last. */
  private touch(endpointId: string): Endpoint {
    const endpoint = this.endpoints.get(endpointId) ?? {
      averageMs: undefined,
      attempts: 0,
      unansweredSince: 0,
      spacingMs: 0,
      dueAt: -Infinity,
    };
    this.endpoints.delete(endpointId);
    this.endpoints.set(endpointId, endpoint);
    if (this.endpoints.size > (this.options.maxEndpoints ?? MAX_ENDPOINTS)) this.forgetOldest();
    return endpoint;
  }

  private forgetOldest(): void {
    for (const oldest of this.endpoints.keys()) {
      this.endpoints.delete(oldest);
      this.slow.delete(oldest);
      return;
    }
  }
}
