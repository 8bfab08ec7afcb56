import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { ApiConfig } from '@hookstream/config';
import { DomainError, PROBE_EVENT_TYPE } from '@hookstream/domain';
import {
  AuditRepository,
  DeliveriesRepository,
  EndpointsRepository,
  type EndpointRecord,
  type StoredAttempt,
} from '@hookstream/persistence';
import { DeliveryStarter } from '@hookstream/temporal-client';
import type { KeyActor } from '../auth/actor.js';
import { presentAttempt } from '../deliveries/deliveries.presenter.js';
import { deliveryInput } from '../deliveries/delivery-input.js';
import type { AttemptAnswer } from '../deliveries/dto/delivery.dto.js';
import { API_CONFIG } from '../platform/tokens.js';
import type { VerificationAnswer } from './dto/endpoint-probe.dto.js';
import { EndpointsService } from './endpoints.service.js';

/** What a probe may take beyond the endpoint's own timeout: its start and its record. Milliseconds. */
const MARGIN_MS = 10_000;

/** Deliveries that a person waits for. They go to a paused or disabled endpoint too, once, without retries. */
@Injectable()
export class EndpointProbesService {
  constructor(
    private readonly endpoints: EndpointsService,
    private readonly endpointsRepository: EndpointsRepository,
    private readonly deliveries: DeliveriesRepository,
    private readonly audit: AuditRepository,
    private readonly starter: DeliveryStarter,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  async test(actor: KeyActor, id: string): Promise<AttemptAnswer> {
    const endpoint = await this.endpoints.find(actor.tenantId, id);
    const attempt = await this.probe(endpoint, PROBE_EVENT_TYPE.test, (createdAt) =>
      JSON.stringify({ type: PROBE_EVENT_TYPE.test, timestamp: createdAt, data: { endpoint_id: id } }),
    );
    await this.audit.record({
      ...{ tenantId: actor.tenantId, actor, action: 'endpoint.tested' },
      ...{ objectKind: 'endpoint', objectId: id },
    });
    return presentAttempt(attempt);
  }

  async verify(actor: KeyActor, id: string): Promise<VerificationAnswer> {
    const { tenantId } = actor;
    const endpoint = await this.endpoints.find(tenantId, id);
    const challenge = randomBytes(24).toString('base64url');
    const attempt = await this.probe(endpoint, PROBE_EVENT_TYPE.verification, (createdAt) =>
      JSON.stringify({ type: PROBE_EVENT_TYPE.verification, timestamp: createdAt, challenge }),
    );
    const verified = attempt.outcome === 'succeeded' && echoes(attempt.responseBody ?? '', challenge);
    const verifiedAt = verified ? new Date() : endpoint.verifiedAt;
    if (verified)
      await this.endpointsRepository.update(tenantId, id, { verifiedAt }, actor, 'endpoint.verified');
    return { verified, verified_at: verifiedAt?.toISOString() ?? null, attempt: presentAttempt(attempt) };
  }

  private async probe(
    endpoint: EndpointRecord,
    type: string,
    payloadOf: (createdAt: string) => string,
  ): Promise<StoredAttempt> {
    const { id, tenantId, url, timeoutMs } = endpoint;
    const created = await this.deliveries.createUndispatched(tenantId, id, type, payloadOf);
    const input = deliveryInput(
      {
        ...created,
        tenantId,
        endpointId: id,
        eventType: type,
        endpointUrl: url,
        lane: 'durable',
        attemptsMade: 0,
        endedInOrder: false,
      },
      'test',
      this.config.retentionMs,
    );
    try {
      await this.starter.runTest(input, timeoutMs + MARGIN_MS);
      const attempt = (await this.deliveries.listAttempts(tenantId, created.deliveryId)).at(-1);
      if (attempt !== undefined) return attempt;
      throw new DomainError('temporal_unavailable', 'No worker made the attempt in time.');
    } catch (error) {
      // nobody waits for it any more; should a worker still take it up, it finds it cancelled
      await this.deliveries.cancelUnfinished(tenantId, created.deliveryId);
      throw error;
    }
  }
}

/** Whether a receiver's answer holds the challenge: alone, or as `challenge` in a JSON object. */
function echoes(body: string, challenge: string): boolean {
  if (body.trim() === challenge) return true;
  try {
    const parsed: unknown = JSON.parse(body);
    return (parsed as { challenge?: unknown } | null)?.challenge === challenge;
  } catch {
    return false;
  }
}
