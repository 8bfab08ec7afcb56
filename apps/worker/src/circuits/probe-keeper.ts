import { isOperationalEventType } from '@hookstream/domain';
import type { Logger } from '@hookstream/observability';
import type { AnsweredProbe, ProbesRepository } from '@hookstream/persistence';
import type { EndpointWorkflows } from '@hookstream/temporal-client';
import { hostOf } from './host-of.js';
import { RegularLook } from '../regular-look.js';

export interface ProbeKeeperDeps {
  probes: Pick<ProbesRepository, 'answered'>;
  workflows: Pick<EndpointWorkflows, 'failed' | 'succeeded'>;
  logger: Logger;
}

const EVERY_MS = 10_000;
/** Who records a probe tells of it at once. */
const UNTOLD_AFTER_MS = 10_000;
const LIMIT = 100;

/**
 * Tells breakers of the probes of workers that died between recording and telling. One that was not recorded is over with its lease, and the next
 * goes. Telling twice changes nothing: only the first word about a turn's probe decides.
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
