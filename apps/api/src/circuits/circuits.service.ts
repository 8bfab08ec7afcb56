import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { DomainError } from '@hookstream/domain';
import {
  AuditRepository,
  CircuitsRepository,
  EndpointsRepository,
  type CircuitRecord,
  type EndpointRecord,
} from '@hookstream/persistence';
import { EndpointWorkflows, type CircuitStateResult } from '@hookstream/temporal-client';
import type { KeyActor } from '../auth/actor.js';
import { presentLiveCircuit, presentStoredCircuit } from './circuits.presenter.js';
import type { CircuitAnswer } from './dto/circuit.dto.js';

/** How long a reset waits for the breaker to have stored it, so that the caller's next look finds it closed. */
const RESET_WITHIN_MS = 3_000;
const LOOK_EVERY_MS = 50;

@Injectable()
export class CircuitsService {
  constructor(
    private readonly endpoints: EndpointsRepository,
    private readonly circuits: CircuitsRepository,
    private readonly workflows: EndpointWorkflows,
    private readonly audit: AuditRepository,
  ) {}

  async get(tenantId: string, endpointId: string): Promise<CircuitAnswer> {
    const stored = await this.stored(tenantId, endpointId);
    const live = await this.live(endpointId);
    if (live.kind === 'state') return presentLiveCircuit(endpointId, live.state, stored.policy);
    return presentStoredCircuit(endpointId, stored);
  }

  /** @throws DomainError `temporal_unavailable` when no breaker can be told */
  async reset(actor: KeyActor, endpointId: string): Promise<CircuitAnswer> {
    const { tenantId } = actor;
    const endpoint = await this.endpoints.find(tenantId, endpointId);
    if (endpoint === null) throw notFound();
    await this.workflows.reset(targetOf(endpoint));
    await this.audit.record({
      ...{ tenantId, actor, action: 'endpoint.circuit_reset' },
      ...{ objectKind: 'endpoint', objectId: endpointId },
    });
    return presentStoredCircuit(endpointId, await this.closed(tenantId, endpointId));
  }

  /** Temporal being away leaves what is stored. */
  private async live(endpointId: string): Promise<CircuitStateResult> {
    try {
      return await this.workflows.state(endpointId);
    } catch (error) {
      if (error instanceof DomainError && error.code === 'temporal_unavailable') return { kind: 'no_answer' };
      throw error;
    }
  }

  private async stored(tenantId: string, endpointId: string): Promise<CircuitRecord> {
    const stored = await this.circuits.load({ tenantId, endpointId });
    if (stored === null) throw notFound();
    return stored;
  }

  private async closed(tenantId: string, endpointId: string): Promise<CircuitRecord> {
    const deadline = Date.now() + RESET_WITHIN_MS;
    for (;;) {
      const stored = await this.stored(tenantId, endpointId);
      if (stored.memory.failures === 0 && stored.memory.state === 'closed') return stored;
      if (Date.now() >= deadline) return stored;
      await delay(LOOK_EVERY_MS);
    }
  }
}

function targetOf({ tenantId, id, url }: EndpointRecord) {
  return { tenantId, endpointId: id, endpointHost: new URL(url).host };
}

function notFound(): DomainError {
  return new DomainError('not_found', 'There is no such endpoint.');
}
