import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentKey, TenantId, type KeyActor } from '../auth/actor.js';
import type { Listed } from '../http/fields.dto.js';
import { Operation } from '../http/operation.decorator.js';
import { DeliveriesService } from './deliveries.service.js';
import {
  DeliveryDetailSchema,
  DeliveryPageSchema,
  DeliverySchema,
  DeliveryStateSchema,
  ListDeliveriesSchema,
  type DeliveryAnswer,
  type DeliveryDetailAnswer,
  type DeliveryStateAnswer,
  type ListDeliveries,
} from './dto/delivery.dto.js';

@ApiTags('deliveries')
@Controller('deliveries')
export class DeliveriesController {
  constructor(private readonly deliveries: DeliveriesService) {}

  @Get()
  @Operation({
    summary: 'List deliveries',
    access: 'deliveries:read',
    status: 200,
    answer: DeliveryPageSchema,
    failures: [422],
  })
  listDeliveries(
    @TenantId() tenantId: string,
    @Query({ schema: ListDeliveriesSchema }) query: ListDeliveries,
  ): Promise<Listed<DeliveryAnswer>> {
    return this.deliveries.list(tenantId, query);
  }

  @Get(':id')
  @Operation({
    summary: 'Get a delivery with its attempts',
    access: 'deliveries:read',
    status: 200,
    answer: DeliveryDetailSchema,
    failures: [404],
  })
  getDelivery(@TenantId() tenantId: string, @Param('id') id: string): Promise<DeliveryDetailAnswer> {
    return this.deliveries.get(tenantId, id);
  }

  @Get(':id/state')
  @Operation({
    summary: "Get a delivery's live state",
    description: 'Asks its workflow.',
    access: 'deliveries:read',
    status: 200,
    answer: DeliveryStateSchema,
    failures: [404, 503],
  })
  getDeliveryState(@TenantId() tenantId: string, @Param('id') id: string): Promise<DeliveryStateAnswer> {
    return this.deliveries.state(tenantId, id);
  }

  @Post(':id/replay')
  @Operation({
    summary: 'Deliver again with a fresh schedule',
    description: 'Replaces a wait that is pending; wakes a dead letter. The attempts go on counting.',
    access: 'deliveries:write',
    status: 202,
    answer: DeliverySchema,
    failures: [404, 409, 503],
  })
  replayDelivery(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<DeliveryAnswer> {
    return this.deliveries.replay(actor, id);
  }

  @Post(':id/retry-now')
  @Operation({
    summary: 'Make the next attempt now',
    description: 'Ends the wait; the schedule goes on from there.',
    access: 'deliveries:write',
    status: 202,
    answer: DeliverySchema,
    failures: [404, 409, 503],
  })
  retryDeliveryNow(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<DeliveryAnswer> {
    return this.deliveries.retryNow(actor, id);
  }

  @Post(':id/cancel')
  @Operation({
    summary: 'Cancel a delivery',
    description: 'An attempt that is under way is finished first.',
    access: 'deliveries:write',
    status: 202,
    answer: DeliverySchema,
    failures: [404, 409, 503],
  })
  cancelDelivery(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<DeliveryAnswer> {
    return this.deliveries.cancel(actor, id);
  }
}
