import { TestReceiver, type ReceiverBehaviour } from '@hookstream/testing';
import type { Target } from '../../chaos/traffic/targets.js';
import type { TrafficPlan } from '../../chaos/traffic/traffic.js';
import { refusesSomeFirst } from '../../chaos/traffic/moods.js';
import type { ApiCaller } from '../../e2e/api-client.js';
import { createEndpoint } from '../../e2e/api-objects.js';

const NO_CIRCUIT = { circuit: { failure_threshold: 0 } };
const NAMES = ['good', 'ordered', 'hiccup', 'stubborn', 'sick', 'dead'] as const;
type UpgradeTargetName = (typeof NAMES)[number];

/** Events per second: of each type, and of those whose order matters. */
export const TRAFFIC: TrafficPlan = {
  perSecond: { 'upgrade.good': 6, 'upgrade.hiccup': 2, 'upgrade.stubborn': 1, 'upgrade.sick': 1 },
  inOrder: { type: 'upgrade.ordered', keys: 3, perSecond: 3 },
};
/** So many of the sick endpoint's attempts fail before its circuit opens, and so long it stays open at first. */
const CIRCUIT = { failure_threshold: 3, cooldown_ms: 4_000 };

/** A receiver that answers 503 until it is made well. */
class Patient {
  well = false;
  readonly answer = (): ReceiverBehaviour => ({ status: this.well ? 200 : 503 });
}

/** The receivers of a run, in this process, and their endpoints. */
export class UpgradeTargets {
  /** Its deliveries are open in retries while it is not well. */
  readonly stubborn = new Patient();
  /** Its circuit is open while it is not well. */
  readonly sick = new Patient();
  /** All of its deliveries end as dead letters while it is not well. */
  readonly dead = new Patient();
  readonly secrets = new Map<string, string>();
  private readonly all = new Map<UpgradeTargetName, Target>();

  private constructor(
    readonly receiver: TestReceiver,
    private readonly seconds: number,
  ) {
    receiver.on('/ordered', refusesSomeFirst()).on('/hiccup', refusesEachFirst());
    receiver
      .on('/stubborn', this.stubborn.answer)
      .on('/sick', this.sick.answer)
      .on('/dead', this.dead.answer);
  }

  /** @param seconds how long there will be load */
  static async start(seconds: number): Promise<UpgradeTargets> {
    return new UpgradeTargets(await TestReceiver.start(), seconds);
  }

  async createEndpoints(api: ApiCaller): Promise<void> {
    for (const name of NAMES) {
      const eventTypes = [`upgrade.${name}`];
      const url = this.receiver.url(`/${name}`);
      const { id, secret } = await createEndpoint(api, url, {
        event_types: eventTypes,
        ...this.settingsOf(name),
      });
      this.secrets.set(name, secret);
      this.all.set(name, {
        ...{ name, endpointId: id, eventTypes, attempts: 1 },
        mustArrive: true,
        neverFails: name === 'good',
      });
    }
  }

  target(name: UpgradeTargetName): Target {
    const target = this.all.get(name);
    if (!target) throw new Error(`there is no ${name} endpoint`);
    return target;
  }

  get list(): Target[] {
    return [...this.all.values()];
  }

  private settingsOf(name: UpgradeTargetName): Record<string, unknown> {
    // Enough attempts for twice the time that there is load, so that none is exhausted before its receiver is well.
    const patient = { strategy: 'fixed', base_ms: this.seconds * 40, max_attempts: 51, jitter: 0 };
    switch (name) {
      case 'good':
        return { retry: { delays_ms: [500, 1_000] } };
      case 'ordered':
        return { ...NO_CIRCUIT, retry: { delays_ms: [300, 600] }, ordered: true, order_key: 'data.key' };
      case 'hiccup':
        // A worker of one version makes the first attempt and may leave the rest to one of the other.
        return { ...NO_CIRCUIT, retry: { delays_ms: [2_000, 2_000] }, lane: 'express' };
      case 'stubborn':
        return { ...NO_CIRCUIT, retry: patient, lane: 'durable' };
      case 'sick':
        return { circuit: CIRCUIT, retry: patient };
      case 'dead':
        return { ...NO_CIRCUIT, retry: { delays_ms: [] } };
    }
  }
}

/** Every event is refused when it first comes, so that at any moment some wait for their second attempt. */
function refusesEachFirst(): (request: { headers: Record<string, string> }) => ReceiverBehaviour {
  const seen = new Set<string>();
  return ({ headers }) => {
    const id = headers['webhook-id'] ?? '';
    const isFirst = !seen.has(id);
    seen.add(id);
    return { status: isFirst ? 503 : 200 };
  };
}
