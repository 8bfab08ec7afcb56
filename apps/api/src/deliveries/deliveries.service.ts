import { Inject, Injectable } from '@nestjs/common';
import type { ApiConfig } from '@hookstream/config';
import { DomainError, type DeliveryStatus } from '@hookstream/domain';
import {
  DeliveriesRepository,
  type DeliveryChange,
  type DeliveryFilter,
  type DeliveryRecord,
} from '@hookstream/persistence';
import { DeliveryStarter, temporalUrl } from '@hookstream/temporal-client';
import type { KeyActor } from '../auth/actor.js';
import { listed, type Listed } from '../http/fields.dto.js';
import { API_CONFIG } from '../platform/tokens.js';
import {
  presentAttempt,
  presentDelivery,
  presentLiveState,
  presentStoredState,
} from './deliveries.presenter.js';
import { deliveryInput } from './delivery-input.js';
import type {
  DeliveryAnswer,
  DeliveryDetailAnswer,
  DeliveryStateAnswer,
  ListDeliveries,
} from './dto/delivery.dto.js';

const BLOCKED =
  'Its endpoint delivers in order and others go before it: it goes out when each of them has succeeded, is a dead letter or is cancelled.';
const HELD = 'The endpoint holds its deliveries: resume it, and this one goes out.';

@Injectable()
export class DeliveriesService {
  constructor(
    private readonly deliveries: DeliveriesRepository,
    private readonly starter: DeliveryStarter,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
  ) {}

  async list(tenantId: string, query: ListDeliveries): Promise<Listed<DeliveryAnswer>> {
    return listed(await this.deliveries.list(tenantId, filterOf(query), query), presentDelivery);
  }

  async get(tenantId: string, id: string): Promise<DeliveryDetailAnswer> {
    const delivery = await this.find(tenantId, id);
    const attempts = await this.deliveries.listAttempts(tenantId, id);
    const { uiUrl, namespace } = this.config.temporal;
    return {
      ...presentDelivery(delivery),
      attempts: attempts.map(presentAttempt),
      temporal_url: temporalUrl(uiUrl, namespace, delivery.id),
    };
  }

  async state(tenantId: string, id: string): Promise<DeliveryStateAnswer> {
    const delivery = await this.find(tenantId, id);
    const answer = await this.starter.state(delivery.id);
    if (answer.kind === 'state') return presentLiveState(answer.state);
    const attempts = await this.deliveries.listAttempts(tenantId, id);
    return presentStoredState(delivery, attempts.at(-1));
  }

  /** Delivers again with a fresh schedule, whatever came of it so far. */
  async replay(actor: KeyActor, id: string): Promise<DeliveryAnswer> {
    const { tenantId } = actor;
    const by = { actor, action: 'delivery.replayed' } as const;
    await this.find(tenantId, id);
    const pulled = await this.deliveries.pullForward(tenantId, id, 'replay', by);
    refuseWaiting(pulled);
    if (pulled === 'absent') {
      const start = await this.deliveries.findStart(tenantId, id);
      if (start === null) throw new DomainError('conflict', 'Its endpoint has been deleted.');
      if (start.endedInOrder) await this.deliveries.replayInOrder(start);
      else await this.starter.signalReplay(deliveryInput(start, 'replay', this.config.retentionMs));
      await this.deliveries.recordChange(tenantId, id, by);
    }
    return presentDelivery(await this.find(tenantId, id));
  }

  /** Makes the next attempt now; the schedule goes on from there. */
  async retryNow(actor: KeyActor, id: string): Promise<DeliveryAnswer> {
    const { tenantId } = actor;
    const by = { actor, action: 'delivery.retried_now' } as const;
    const delivery = await this.find(tenantId, id);
    const pulled = await this.deliveries.pullForward(tenantId, id, 'retry_now', by);
    refuseWaiting(pulled);
    if (pulled === 'absent') {
      if (delivery.status !== 'retrying') throw new DomainError('conflict', whyNotNow(delivery.status));
      if (!(await this.starter.retryNow(delivery.id)))
        throw new DomainError('conflict', whyNotNow('in_progress'));
      await this.deliveries.recordChange(tenantId, id, by);
    }
    return presentDelivery(await this.find(tenantId, id));
  }

  async cancel(
    actor: KeyActor,
    id: string,
    action: 'delivery.cancelled' | 'dead_letter.discarded' = 'delivery.cancelled',
  ): Promise<DeliveryAnswer> {
    const { tenantId } = actor;
    const by = { actor, action };
    const delivery = await this.find(tenantId, id);
    const cancelled =
      (await this.deliveries.cancelWaiting(tenantId, id, by)) ||
      (await this.cancelRunning(tenantId, delivery.id, by)) ||
      // no workflow and not in the outbox: nothing else would ever end it
      (await this.deliveries.cancelUnfinished(tenantId, id, by));
    if (!cancelled) throw new DomainError('conflict', `The delivery has already ended: ${delivery.status}.`);
    return presentDelivery(await this.find(tenantId, id));
  }

  private async cancelRunning(tenantId: string, id: string, by: DeliveryChange): Promise<boolean> {
    const cancelled = await this.starter.cancel(id, 'cancelled through the API');
    if (cancelled) await this.deliveries.recordChange(tenantId, id, by);
    return cancelled;
  }

  /** @throws DomainError `not_found` */
  async find(tenantId: string, id: string): Promise<DeliveryRecord> {
    const delivery = await this.deliveries.find(tenantId, id);
    if (delivery === null) throw new DomainError('not_found', 'There is no such delivery.');
    return delivery;
  }
}

function refuseWaiting(pulled: 'pulled' | 'held' | 'blocked' | 'absent'): void {
  if (pulled === 'held') throw new DomainError('conflict', HELD);
  if (pulled === 'blocked') throw new DomainError('conflict', BLOCKED);
}

function filterOf(query: ListDeliveries): DeliveryFilter {
  return {
    status: query.status,
    endpointId: query.endpoint_id,
    eventId: query.event_id,
    eventType: query.event_type,
    since: query.since,
    until: query.until,
  };
}

function whyNotNow(status: DeliveryStatus): string {
  if (status === 'pending' || status === 'in_progress') return 'An attempt is already under way.';
  return `The delivery has ended (${status}): replay it to deliver it again.`;
}
