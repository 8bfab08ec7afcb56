import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { ApiConfig } from '@hookstream/config';
import {
  DomainError,
  jsonArrayElements,
  jsonObjectMembers,
  jsonText,
  type JsonSpan,
} from '@hookstream/domain';
import {
  AcceptMetrics,
  receivedTrace,
  traceIdOf,
  type Logger,
  type ReceivedTrace,
  type Tracing,
} from '@hookstream/observability';
import {
  DeliveriesRepository,
  EventsRepository,
  type AcceptedEvent,
  type AcceptItem,
  type AcceptResult,
  type Receivers,
} from '@hookstream/persistence';
import { LRUCache } from 'lru-cache';
import { EventSchemas } from '../event-types/event-schemas.js';
import { listed, type Listed } from '../http/fields.dto.js';
import { problem, statusOf } from '../http/problem.js';
import { validate } from '../http/schema-validation.pipe.js';
import { API_CONFIG, LOGGER, TRACING } from '../platform/tokens.js';
import type { RateLimitState } from '../http/rate-limit-headers.js';
import { AcceptLimits, type Admission } from './accept-limits.js';
import { AcceptQueue } from './accept-queue.js';
import {
  BatchSchema,
  CreateEventSchema,
  isPostedEventType,
  type AcceptedEventsAnswer,
  type CreateEvent,
  type EventAnswer,
  type ListEvents,
} from './dto/event.dto.js';
import { presentAccepted, presentEvent, presentEventDetail } from './events.presenter.js';
import { idempotencyClaim, idempotencyKey } from './idempotency.js';

const QUEUE_BYTES = 128 * 1024 * 1024;
/** More of them make smaller groups, which cost Postgres more; with two, the slowest of 64 callers at once wait a fifth longer. */
const QUEUE_CONCURRENCY = 3;
/** Over all tenants; some 0.5 KB each, more where filters are long. */
const REMEMBERED_ENDPOINTS = 50_000;

/** What a request to accept carries beside its parsed body. */
export interface AcceptRequest {
  id: string;
  bodyText: string;
  headers: Record<string, string | string[] | undefined>;
  /** Told to the caller with the answer. */
  rateLimit: RateLimitState | null;
}

@Injectable()
export class EventsService implements OnApplicationShutdown {
  private readonly queue: AcceptQueue;

  constructor(
    private readonly events: EventsRepository,
    private readonly deliveries: DeliveriesRepository,
    private readonly schemas: EventSchemas,
    private readonly limits: AcceptLimits,
    private readonly metrics: AcceptMetrics,
    @Inject(API_CONFIG) private readonly config: ApiConfig,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(TRACING) private readonly tracing: Tracing | null,
  ) {
    const receivers = new LRUCache<string, Receivers>({
      maxSize: REMEMBERED_ENDPOINTS,
      sizeCalculation: ({ endpoints }) => endpoints.size + 1,
    });
    this.queue = new AcceptQueue({
      store: (items) => this.events.acceptEvents(items, receivers),
      batchSize: config.accept.batchSize,
      limit: config.accept.queueLimit,
      byteLimit: QUEUE_BYTES,
      concurrency: QUEUE_CONCURRENCY,
    });
  }

  /** @returns JSON text of an {@link AcceptedEventAnswer} */
  async accept(tenantId: string, body: unknown, request: AcceptRequest): Promise<string> {
    const received = this.received(request);
    const event = readEvent(body);
    const key = idempotencyKey(request.headers['idempotency-key']);
    const { refusal: limit } = await this.admit(tenantId, 1, request);
    if (limit !== undefined) throw limit;
    const item = await this.item(tenantId, event, request.bodyText);
    item.idempotency = idempotencyClaim(key, request.bodyText, this.config.accept.idempotencyTtlMs);
    return JSON.stringify(presentAccepted(await this.store(item, request, received), event.endpoint_ids));
  }

  /** Each event is accepted or refused by itself. */
  async acceptBatch(tenantId: string, body: unknown, request: AcceptRequest): Promise<AcceptedEventsAnswer> {
    const received = this.received(request);
    const items = validate(BatchSchema, body);
    const key = idempotencyKey(request.headers['idempotency-key']);
    const { admitted, refusal: limit } = await this.admit(tenantId, items.length, request);
    const spans = jsonArrayElements(request.bodyText);
    const data = await Promise.all(
      items.map(async (item, index) => {
        try {
          if (index >= admitted && limit !== undefined) throw limit;
          const span = spans[index];
          if (span === undefined) throw new Error('The text of a batch has fewer elements than its value');
          const event = readEvent(item);
          const accept = await this.item(tenantId, event, request.bodyText, span);
          const text = jsonText(request.bodyText, span);
          accept.idempotency = idempotencyClaim(key, text, this.config.accept.idempotencyTtlMs, index);
          const accepted = presentAccepted(await this.store(accept, request, received), event.endpoint_ids);
          return { status: 202 as const, ...accepted };
        } catch (error) {
          return refusal(error, request.id);
        }
      }),
    );
    return { data };
  }

  async list(tenantId: string, query: ListEvents): Promise<Listed<EventAnswer>> {
    return listed(await this.events.list(tenantId, query, query), presentEvent);
  }

  /** @returns JSON text */
  async get(tenantId: string, id: string): Promise<string> {
    const event = await this.events.find(tenantId, id);
    if (event === null) throw new DomainError('not_found', 'There is no such event.');
    return presentEventDetail(event, await this.deliveries.listOfEvent(tenantId, id));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.queue.drained();
  }

  private async admit(tenantId: string, events: number, request: AcceptRequest): Promise<Admission> {
    const admission = await this.limits.admit(tenantId, events);
    request.rateLimit = admission.rate ?? null;
    return admission;
  }

  /** Undefined: nobody traces, and what the application says of its trace is not looked at. */
  private received(request: AcceptRequest): ReceivedTrace | undefined {
    return this.tracing === null ? undefined : receivedTrace(request.headers['traceparent']);
  }

  private async store(
    item: AcceptItem,
    request: AcceptRequest,
    received: ReceivedTrace | undefined,
  ): Promise<AcceptResult> {
    if (received !== undefined) item.traceparent = received.traceparent;
    const result = await this.queue.accept(item);
    if (received !== undefined) this.trace(received, item.tenantId, result, request.id);
    if (result.kind === 'accepted') {
      this.limits.note(item.tenantId, result.event.deliveries);
      this.metrics.onAccepted(item.tenantId, item.type);
      if (this.logger.isLevelEnabled('debug')) this.logAccepted(item, result.event, request.id);
    }
    return result;
  }

  private trace(received: ReceivedTrace, tenantId: string, result: AcceptResult, requestId: string): void {
    if (result.kind !== 'accepted' && result.kind !== 'replayed') return;
    const { id, type, deliveries } = result.event;
    this.tracing?.onAccepted(received, {
      ...{ eventId: id, tenantId, eventType: type, deliveries, requestId },
      repeated: result.kind === 'replayed',
    });
  }

  private logAccepted(
    { tenantId, traceparent = null }: AcceptItem,
    { id, type, deliveries }: AcceptedEvent,
    requestId: string,
  ): void {
    this.logger.debug(
      {
        request_id: requestId,
        tenant_id: tenantId,
        event_id: id,
        event_type: type,
        deliveries,
        trace_id: traceIdOf({ eventId: id, traceparent }),
      },
      'event accepted',
    );
  }

  private async item(
    tenantId: string,
    body: CreateEvent,
    text: string,
    span?: JsonSpan,
  ): Promise<AcceptItem> {
    const data = jsonObjectMembers(text, span).get('data');
    if (data === undefined) throw new Error('The text of an event lacks the data that its value has');
    this.checkDeliverAt(body.deliver_at);
    const dataText = jsonText(text, data);
    const found = await this.schemas.check(tenantId, body.type, body.data, dataText.length);
    return {
      tenantId,
      type: body.type,
      dataText,
      data: body.data,
      endpointIds: body.endpoint_ids,
      deliverAt: body.deliver_at,
      lane: body.lane,
      schema: found === null ? undefined : { errors: found.errors, reject: found.validation === 'reject' },
    };
  }

  private checkDeliverAt(deliverAt: Date | undefined): void {
    const { maxDeliverAheadMs } = this.config.accept;
    if (deliverAt === undefined || deliverAt.getTime() <= Date.now() + maxDeliverAheadMs) return;
    throw new DomainError('validation_failed', 'One field is not valid.', [
      { field: 'deliver_at', message: `must be at most ${maxDeliverAheadMs / 86_400_000} days ahead` },
    ]);
  }
}

/** Most events are a type and data and nothing else: those need no schema to be read, only the rule of their type. */
function readEvent(body: unknown): CreateEvent {
  return isPlainEvent(body) ? body : validate(CreateEventSchema, body);
}

function isPlainEvent(body: unknown): body is CreateEvent {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
  const { type, data } = body as { type?: unknown; data?: unknown };
  return Object.keys(body).length === 2 && data !== undefined && isPostedEventType(type);
}

/** An item's own failure. What concerns the whole request (the database is away) is thrown on. */
function refusal(error: unknown, requestId: string): AcceptedEventsAnswer['data'][number] {
  if (!(error instanceof DomainError)) throw error;
  const status = statusOf(error.code);
  return { status, error: problem(status, error.code, requestId, error.message, error.errors) };
}
