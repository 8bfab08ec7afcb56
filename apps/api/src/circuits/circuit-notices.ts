import { Inject, Injectable } from '@nestjs/common';
import type { Logger } from '@hookstream/observability';
import { EndpointWorkflows } from '@hookstream/temporal-client';
import { LOGGER } from '../platform/tokens.js';

/**
 * Tells an endpoint's running breaker what was changed through the API. The change itself is stored and stands: with Temporal away, the
 * breaker comes to know of it when it next reads the endpoint.
 */
@Injectable()
export class CircuitNotices {
  constructor(
    private readonly workflows: EndpointWorkflows,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  changed(endpointId: string): Promise<void> {
    return this.tell(endpointId, () => this.workflows.changed(endpointId));
  }

  enabledAgain(endpointId: string): Promise<void> {
    return this.tell(endpointId, () => this.workflows.enabledAgain(endpointId));
  }

  private async tell(endpointId: string, send: () => Promise<boolean>): Promise<void> {
    try {
      await send();
    } catch (error) {
      this.logger.warn({ err: error, endpoint_id: endpointId }, 'a circuit breaker was not told of a change');
    }
  }
}
