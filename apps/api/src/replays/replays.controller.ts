import { Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentKey, TenantId, type KeyActor } from '../auth/actor.js';
import type { Listed } from '../http/fields.dto.js';
import { Operation } from '../http/operation.decorator.js';
import {
  ListReplaysSchema,
  ReplayPageSchema,
  ReplaySchema,
  type ListReplays,
  type ReplayAnswer,
} from './dto/replay.dto.js';
import { ReplaysService } from './replays.service.js';

@ApiTags('replays')
@Controller('replays')
export class ReplaysController {
  constructor(private readonly replays: ReplaysService) {}

  @Get()
  @Operation({
    summary: 'List replays of many deliveries',
    access: 'deliveries:read',
    status: 200,
    answer: ReplayPageSchema,
    failures: [422],
  })
  listReplays(
    @TenantId() tenantId: string,
    @Query({ schema: ListReplaysSchema }) query: ListReplays,
  ): Promise<Listed<ReplayAnswer>> {
    return this.replays.list(tenantId, query);
  }

  @Get(':id')
  @Operation({
    summary: 'Get a replay and how far it is',
    access: 'deliveries:read',
    status: 200,
    answer: ReplaySchema,
    failures: [404],
  })
  getReplay(@TenantId() tenantId: string, @Param('id') id: string): Promise<ReplayAnswer> {
    return this.replays.get(tenantId, id);
  }

  @Post(':id/pause')
  @Operation({
    summary: 'Queue nothing more until it is resumed',
    description: 'What is queued goes out.',
    access: 'deliveries:write',
    status: 202,
    answer: ReplaySchema,
    failures: [404, 409, 503],
  })
  pauseReplay(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<ReplayAnswer> {
    return this.replays.change(actor, id, 'pause');
  }

  @Post(':id/resume')
  @Operation({
    summary: 'Go on where it was paused',
    access: 'deliveries:write',
    status: 202,
    answer: ReplaySchema,
    failures: [404, 409, 503],
  })
  resumeReplay(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<ReplayAnswer> {
    return this.replays.change(actor, id, 'resume');
  }

  @Post(':id/cancel')
  @Operation({
    summary: 'End a replay',
    description: 'Queues nothing more, for good. What is queued goes out.',
    access: 'deliveries:write',
    status: 202,
    answer: ReplaySchema,
    failures: [404, 409, 503],
  })
  cancelReplay(@CurrentKey() actor: KeyActor, @Param('id') id: string): Promise<ReplayAnswer> {
    return this.replays.change(actor, id, 'cancel');
  }
}
