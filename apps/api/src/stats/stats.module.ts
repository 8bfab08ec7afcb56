import { Module } from '@nestjs/common';
import { EndpointsModule } from '../endpoints/endpoints.module.js';
import { StatsController } from './stats.controller.js';
import { StatsService } from './stats.service.js';

@Module({ imports: [EndpointsModule], controllers: [StatsController], providers: [StatsService] })
export class StatsModule {}
