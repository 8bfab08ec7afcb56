import { Injectable } from '@nestjs/common';
import { DomainError } from '@hookstream/domain';
import type { KeyActor } from '../auth/actor.js';
import { DeliveriesService } from '../deliveries/deliveries.service.js';
import type { DeliveryAnswer } from '../deliveries/dto/delivery.dto.js';
import type { Listed } from '../http/fields.dto.js';
import type { ListDeadLetters } from './dto/dead-letter.dto.js';

@Injectable()
export class DeadLettersService {
  constructor(private readonly deliveries: DeliveriesService) {}

  list(tenantId: string, query: ListDeadLetters): Promise<Listed<DeliveryAnswer>> {
    return this.deliveries.list(tenantId, { ...query, status: 'dead_letter' });
  }

  /** Gives a dead letter up: it ends as cancelled. */
  async discard(actor: KeyActor, id: string): Promise<void> {
    const delivery = await this.deliveries.find(actor.tenantId, id);
    if (delivery.status !== 'dead_letter')
      throw new DomainError('not_found', 'There is no such dead letter.');
    await this.deliveries.cancel(actor, id, 'dead_letter.discarded');
  }
}
