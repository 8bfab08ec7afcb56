import { TestReceiver, type Script } from '@hookstream/testing';
import type { ApiCaller } from '../../e2e/api-client.js';
import { createEndpoint } from '../../e2e/api-objects.js';
import { MoodyScript, refusesSomeFirst, SickScript } from './moods.js';
import type { TrafficPlan } from './traffic.js';

const TARGETS = ['good', 'ordered', 'paced', 'moody', 'sick', 'untrusted', 'plain'] as const;
type TargetName = (typeof TARGETS)[number];

/** Tokens per second, and how many may go at once. */
export const PACE = { perSecond: 8, burst: 4, inFlight: 8 };

/** One endpoint and what its receiver is like. */
export interface Target {
  name: string;
  endpointId: string;
  /** Which events are for it. */
  eventTypes: readonly string[];
  /** Whether every event must arrive; otherwise it may also end as a dead letter, by its schedule. */
  mustArrive: boolean;
  /** Whether its receiver answers 200 to all that it gets: no attempt may then be recorded as failed. */
  neverFails: boolean;
  /** How many attempts its schedule has. */
  attempts: number;
  /** Where it never gets as far as a request: what every attempt must come to. */
  alwaysEndsAs?: string;
}

interface TargetSpec extends Omit<Target, 'name' | 'endpointId' | 'attempts'> {
  delaysMs: number[];
  settings?: Record<string, unknown>;
}

const NO_CIRCUIT = { circuit: { failure_threshold: 0 } };
const NEVER_REACHED = { mustArrive: false, neverFails: false, alwaysEndsAs: 'tls_error' };

const SPECS: Record<TargetName, TargetSpec> = {
  good: {
    ...{ mustArrive: true, neverFails: true },
    eventTypes: ['chaos.shared', 'chaos.good'],
    delaysMs: [500, 1_000],
  },
  ordered: {
    ...{ mustArrive: true, neverFails: false },
    eventTypes: ['chaos.shared'],
    delaysMs: [300, 600, 1_200],
    settings: { ...NO_CIRCUIT, ordered: true, order_key: 'data.key' },
  },
  paced: {
    ...{ mustArrive: true, neverFails: true },
    eventTypes: ['chaos.paced'],
    delaysMs: [500, 1_000],
    settings: {
      rate_limit: { per_second: PACE.perSecond, burst: PACE.burst },
      max_in_flight: PACE.inFlight,
    },
  },
  moody: {
    ...{ mustArrive: false, neverFails: false },
    eventTypes: ['chaos.moody'],
    delaysMs: [300, 700, 1_500],
    settings: { ...NO_CIRCUIT, timeout_ms: 1_000 },
  },
  sick: {
    ...{ mustArrive: false, neverFails: false },
    eventTypes: ['chaos.sick'],
    delaysMs: [400, 800, 1_600, 3_200, 6_400],
    settings: { circuit: { failure_threshold: 3, cooldown_ms: 1_000 } },
  },
  untrusted: { ...NEVER_REACHED, eventTypes: ['chaos.untrusted'], delaysMs: [300], settings: NO_CIRCUIT },
  plain: { ...NEVER_REACHED, eventTypes: ['chaos.plain'], delaysMs: [300], settings: NO_CIRCUIT },
};

/** Together with the two deliveries of each shared event, 27 deliveries a second. @param rate share of that */
export function trafficPlan(rate: number): TrafficPlan {
  return {
    perSecond: {
      'chaos.good': 5 * rate,
      'chaos.paced': 3 * rate,
      'chaos.moody': 3 * rate,
      'chaos.sick': 3 * rate,
      'chaos.untrusted': 0.5 * rate,
      'chaos.plain': 0.5 * rate,
    },
    inOrder: { type: 'chaos.shared', keys: 6, perSecond: 6 * rate },
  };
}

/** The receivers of a run, in this process, and their endpoints. */
export class Targets {
  readonly moody: MoodyScript;
  readonly sick = new SickScript();
  private readonly all: Target[] = [];

  private constructor(
    seed: number,
    readonly receiver: TestReceiver,
    private readonly untrusted: TestReceiver,
  ) {
    this.moody = new MoodyScript(seed);
    const scripts: Partial<Record<TargetName, Script>> = {
      ordered: refusesSomeFirst(),
      moody: this.moody.answer,
      sick: this.sick.answer,
    };
    for (const [name, script] of Object.entries(scripts)) receiver.on(`/${name}`, script);
  }

  static async start(seed: number, keep: (stop: () => Promise<unknown>) => void): Promise<Targets> {
    const receiver = await TestReceiver.start();
    keep(() => receiver.close());
    // A certificate that nobody vouches for.
    const untrusted = await TestReceiver.start({ tls: true });
    keep(() => untrusted.close());
    return new Targets(seed, receiver, untrusted);
  }

  async createEndpoints(instance: ApiCaller): Promise<void> {
    for (const name of TARGETS) {
      const { delaysMs, settings, ...expected } = SPECS[name];
      const endpoint = await createEndpoint(instance, this.url(name), {
        event_types: expected.eventTypes,
        retry: { delays_ms: delaysMs },
        ...settings,
      });
      this.all.push({ ...expected, name, endpointId: endpoint.id, attempts: delaysMs.length + 1 });
    }
  }

  get list(): readonly Target[] {
    return this.all;
  }

  target(name: TargetName): Target {
    const target = this.all.find((one) => one.name === name);
    if (!target) throw new Error(`there is no ${name} endpoint`);
    return target;
  }

  /** From now on every receiver that can be reached answers 200. */
  heal(): void {
    this.moody.heal();
    this.sick.heal();
  }

  private url(name: TargetName): string {
    if (name === 'untrusted') return this.untrusted.url('/untrusted');
    // A receiver that speaks no TLS where https is expected.
    if (name === 'plain') return this.receiver.url('/plain').replace('http:', 'https:');
    return this.receiver.url(`/${name}`);
  }
}
