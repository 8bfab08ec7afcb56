import { Controller, Delete, Get, Param, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentKey, TenantId, type KeyActor } from '../auth/actor.js';
import { DeliveryPageSchema, type DeliveryAnswer } from '../deliveries/dto/delivery.dto.js';
import type { Listed } from '../http/fields.dto.js';
import { Operation } from '../http/operation.decorator.js';
import { DeadLettersService } from './dead-letters.service.js';
import { ListDeadLettersSchema, type ListDeadLetters } from './dto/dead-letter.dto.js';

@ApiTags('dead-letter')
@Controller('dead-letter')
export class DeadLettersController {
  constructor(private readonly deadLetters: DeadLettersService) {}

  @Get()
  @Operation({
    summary: 'List dead letters',
    description: 'Deliveries whose schedule is exhausted. Replay one with `POST /deliveries/{id}/replay`.',
    access: 'deliveries:read',
    status: 200,
    answer: DeliveryPageSchema,
    failures: [422],
  })
  listDeadLetters(
    @TenantId() tenantId: string,
    @Query({ schema: ListDeadLettersSchema }) query: ListDeadLetters,
  ): Promise<Listed<DeliveryAnswer>> {
    return this.deadLetters.list(tenantId, query);
  }

  @Delete(':id')
  @Operation({
    summary: 'Discard a dead letter',
    description: 'The delivery ends as cancelled.',
    access: 'deliveries:write',
    status: 204,
    failures: [404, 503],
  })
  discardDeadLetter(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<void> {
    return this.deadLetters.discard(actor, id);
  }
}
