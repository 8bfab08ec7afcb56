import { isOperationalEventType } from '@hookstream/domain';
import type { Logger } from '@hookstream/observability';
import type { AnsweredProbe, ProbesRepository } from '@hookstream/persistence';
import type { EndpointWorkflows } from '@hookstream/temporal-client';
import { hostOf } from './host-of.js';
import { RegularLook } from '../regular-look.js';

export interface ProbeKeeperDeps {
  probes: Pick<ProbesRepository, 'answered' | 'releaseLost'>;
  workflows: Pick<EndpointWorkflows, 'failed' | 'succeeded'>;
  logger: Logger;
}

const EVERY_MS = 10_000;
/** Who records a probe tells of it at once. */
const UNTOLD_AFTER_MS = 10_000;
const LIMIT = 100;

/**
 * Ends the probes of workers that died: tells the breaker of one that was answered, and lets the next go where one was not. Without, nothing is
 * sent to the endpoint until the time of such a probe is over. Telling twice changes nothing: only the first word about a turn's probe decides.
 */
export class ProbeKeeper {
  private readonly looks = new RegularLook(() => this.look(), EVERY_MS);

  constructor(private readonly deps: ProbeKeeperDeps) {}

  start(): void {
    this.looks.start();
  }

  stop(): Promise<void> {
    return this.looks.stop();
  }

  private async look(): Promise<void> {
    const { probes, logger } = this.deps;
    try {
      const lost = await probes.releaseLost();
      if (lost > 0) logger.warn({ probes: lost }, 'probes of a worker that is gone were let go of');
      for (const probe of await probes.answered(UNTOLD_AFTER_MS, LIMIT)) await this.tell(probe);
    } catch (error) {
      logger.warn({ err: error }, 'cannot look after the probes of half-open circuits');
    }
  }

  private async tell(probe: AnsweredProbe): Promise<void> {
    const { workflows, logger } = this.deps;
    const { tenantId, endpointId, turn: probeOfTurn } = probe;
    const target = { tenantId, endpointId, endpointHost: hostOf(probe.url) };
    const at = probe.at.toISOString();
    if (probe.succeeded) await workflows.succeeded(target, { at, probeOfTurn });
    else {
      const operational = isOperationalEventType(probe.eventType) ? 1 : 0;
      await workflows.failed(target, { count: 1, since: at, last: at, operational, probeOfTurn });
    }
    logger.warn({ endpoint_id: endpointId }, 'a breaker was told of a probe whose worker had not');
  }
}
