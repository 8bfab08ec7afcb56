import { Module } from '@nestjs/common';
import { ReplayRequestsController } from './replay-requests.controller.js';
import { ReplaysController } from './replays.controller.js';
import { ReplaysService } from './replays.service.js';

@Module({ controllers: [ReplaysController, ReplayRequestsController], providers: [ReplaysService] })
export class ReplaysModule {}
