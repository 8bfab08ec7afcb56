import { Body, Controller, Param, Post } from '@nestjs/common';
import { ApiBody, ApiTags } from '@nestjs/swagger';
import { CurrentKey, type KeyActor } from '../auth/actor.js';
import { Operation } from '../http/operation.decorator.js';
import {
  RecoverEndpointSchema,
  ReplayDeadLettersSchema,
  ReplayDeliveriesSchema,
  ReplaySchema,
  type RecoverEndpoint,
  type ReplayAnswer,
  type ReplayDeadLetters,
  type ReplayDeliveries,
} from './dto/replay.dto.js';
import { ReplaysService } from './replays.service.js';

/** The ways to ask for a replay of many: each below what it is about. */
@ApiTags('replays')
@Controller()
export class ReplayRequestsController {
  constructor(private readonly replays: ReplaysService) {}

  @Post('deliveries/replay')
  @Operation({
    summary: 'Deliver again all that a filter matches',
    description:
      'With a fresh schedule each, oldest first, as fast as the endpoints take them. The events keep their `webhook-id`. What is accepted later is not part of it.',
    access: 'deliveries:write',
    status: 202,
    answer: ReplaySchema,
    failures: [400, 409, 413, 415, 422],
  })
  replayDeliveries(
    @CurrentKey() actor: KeyActor,
    @Body({ schema: ReplayDeliveriesSchema }) body: ReplayDeliveries,
  ): Promise<ReplayAnswer> {
    return this.replays.replayDeliveries(actor, body);
  }

  @Post('endpoints/:id/recover')
  @Operation({
    summary: 'Deliver again what failed at an endpoint',
    description:
      'Its dead letters since a moment, or its deliveries of another `status`. An endpoint that is paused or disabled holds them until it is resumed.',
    access: 'deliveries:write',
    status: 202,
    answer: ReplaySchema,
    failures: [400, 404, 409, 413, 415, 422],
  })
  recoverEndpoint(
    @CurrentKey() actor: KeyActor,
    @Param('id') id: string,
    @Body({ schema: RecoverEndpointSchema }) body: RecoverEndpoint,
  ): Promise<ReplayAnswer> {
    return this.replays.recoverEndpoint(actor, id, body);
  }

  @Post('dead-letter/replay')
  @Operation({
    summary: 'Deliver dead letters again',
    description: 'All of them, or those that a filter matches.',
    access: 'deliveries:write',
    status: 202,
    answer: ReplaySchema,
    failures: [400, 409, 413, 415, 422],
  })
  @ApiBody({ required: false, schema: { $ref: '#/components/schemas/ReplayDeadLettersRequest' } })
  replayDeadLetters(
    @CurrentKey() actor: KeyActor,
    @Body({ schema: ReplayDeadLettersSchema.prefault({}) }) body: ReplayDeadLetters,
  ): Promise<ReplayAnswer> {
    return this.replays.replayDeadLetters(actor, body);
  }
}
