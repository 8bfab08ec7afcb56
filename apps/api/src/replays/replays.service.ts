import { Inject, Injectable } from '@nestjs/common';
import { DomainError, isReplayWishMet, MAX_UNFINISHED_REPLAYS, type ReplayWish } from '@hookstream/domain';
import type { Logger } from '@hookstream/observability';
import {
  EndpointsRepository,
  EventsRepository,
  ReplaysRepository,
  type ReplayFilter,
  type ReplayRecord,
} from '@hookstream/persistence';
import { ReplayStarter, type ReplayStart } from '@hookstream/temporal-client';
import type { KeyActor } from '../auth/actor.js';
import { listed, type Listed } from '../http/fields.dto.js';
import { LOGGER } from '../platform/tokens.js';
import type {
  ListReplays,
  RecoverEndpoint,
  ReplayAnswer,
  ReplayDeadLetters,
  ReplayDeliveries,
} from './dto/replay.dto.js';
import { presentReplay } from './replays.presenter.js';

@Injectable()
export class ReplaysService {
  constructor(
    private readonly replays: ReplaysRepository,
    private readonly endpoints: EndpointsRepository,
    private readonly events: EventsRepository,
    private readonly starter: ReplayStarter,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async replayDeliveries(actor: KeyActor, body: ReplayDeliveries): Promise<ReplayAnswer> {
    return this.begin(actor, { ...filterOf(body), status: body.status });
  }

  async replayDeadLetters(actor: KeyActor, body: ReplayDeadLetters): Promise<ReplayAnswer> {
    return this.begin(actor, { ...filterOf(body), status: 'dead_letter' });
  }

  async recoverEndpoint(actor: KeyActor, endpointId: string, body: RecoverEndpoint): Promise<ReplayAnswer> {
    if ((await this.endpoints.find(actor.tenantId, endpointId)) === null)
      throw new DomainError('not_found', 'There is no such endpoint.');
    return this.begin(actor, { ...body, endpointId });
  }

  async list(tenantId: string, query: ListReplays): Promise<Listed<ReplayAnswer>> {
    return listed(await this.replays.list(tenantId, query), presentReplay);
  }

  async get(tenantId: string, id: string): Promise<ReplayAnswer> {
    return presentReplay(found(await this.replays.find(tenantId, id)));
  }

  /** Repeating what is so already is no fault. @throws DomainError `conflict` when it has ended otherwise */
  async change(actor: KeyActor, id: string, wish: ReplayWish): Promise<ReplayAnswer> {
    const replay = found(await this.replays.change(actor.tenantId, id, wish, actor));
    if (!isReplayWishMet(wish, replay.status))
      throw new DomainError('conflict', `The replay has already ended: ${replay.status}.`);
    // What is stored counts; the signal saves the workflow from looking.
    await this.starter.signal(startOf(replay), wish);
    return presentReplay(replay);
  }

  private async begin(actor: KeyActor, filter: ReplayFilter): Promise<ReplayAnswer> {
    const { tenantId } = actor;
    await this.checkNamed(tenantId, filter);
    const replay = await this.replays.create(tenantId, filter, actor);
    if (replay === null)
      throw new DomainError(
        'conflict',
        `${MAX_UNFINISHED_REPLAYS} replays are unfinished: wait for one to complete, or cancel one.`,
      );
    await this.starter.start(startOf(replay)).catch((error: unknown) => {
      // It is stored: a worker starts it as soon as Temporal is back.
      this.logger.warn({ err: error, replay_id: replay.id }, 'a replay is stored and will be started later');
    });
    return presentReplay(replay);
  }

  private async checkNamed(tenantId: string, { endpointId, eventId }: ReplayFilter): Promise<void> {
    const [endpoint, event] = await Promise.all([
      endpointId === undefined || this.endpoints.find(tenantId, endpointId),
      eventId === undefined || this.events.find(tenantId, eventId),
    ]);
    const errors = [
      ...(endpoint === null ? [{ field: 'endpoint_id', message: 'is no endpoint' }] : []),
      ...(event === null ? [{ field: 'event_id', message: 'is no event' }] : []),
    ];
    if (errors.length > 0)
      throw new DomainError('validation_failed', 'The filter names what is not there.', errors);
  }
}

function filterOf(body: ReplayDeadLetters): ReplayFilter {
  return {
    endpointId: body.endpoint_id,
    eventId: body.event_id,
    eventType: body.event_type,
    since: body.since,
    until: body.until,
  };
}

function startOf({ id, tenantId, filter }: ReplayRecord): ReplayStart {
  return { replayId: id, tenantId, endpointId: filter.endpointId };
}

function found(replay: ReplayRecord | null): ReplayRecord {
  if (replay === null) throw new DomainError('not_found', 'There is no such replay.');
  return replay;
}
