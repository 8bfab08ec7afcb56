import { SpanKind, type Attributes } from '@opentelemetry/api';
import { isOperationalEventType, type Lane } from '@hookstream/domain';
import type { SpanFacts } from './finished-span.js';
import { spanIdOf, traceIdOf } from './trace-context.js';
import type { TracedAttempt, TracedDelivery } from './tracing.js';

/** From when a delivery was due until its first attempt began: its wait in the outbox and, in the durable lane, the start of its workflow. */
export function dispatchSpan(delivery: TracedDelivery, attempt: TracedAttempt, lane: Lane): SpanFacts {
  const startedAt = attempt.startedAt.getTime();
  // clocks of two machines may differ by more than it took
  const dueAt = Math.min(delivery.dueAt.getTime(), startedAt);
  return {
    traceId: traceIdOf(delivery),
    spanId: spanIdOf('delivery', delivery.deliveryId),
    parentSpanId: wasPosted(delivery, attempt) ? spanIdOf('event', delivery.eventId) : undefined,
    name: 'dispatch',
    kind: SpanKind.INTERNAL,
    startedAt: dueAt,
    durationMs: startedAt - dueAt,
    attributes: ofDelivery(delivery, lane),
  };
}

export function attemptSpan(delivery: TracedDelivery, attempt: TracedAttempt, lane: Lane): SpanFacts {
  const { outcome, decision } = attempt;
  const failed = outcome.kind !== 'succeeded';
  return {
    traceId: traceIdOf(delivery),
    spanId: spanIdOf('attempt', attempt.attemptId),
    parentSpanId: spanIdOf('delivery', delivery.deliveryId),
    name: 'attempt',
    kind: SpanKind.CLIENT,
    startedAt: attempt.startedAt.getTime(),
    durationMs: outcome.durationMs,
    ...(failed ? { failure: outcome.error ?? outcome.kind } : {}),
    attributes: {
      ...ofDelivery(delivery, lane),
      'hookstream.attempt.id': attempt.attemptId,
      'hookstream.attempt.number': attempt.number,
      'hookstream.attempt.trigger': attempt.trigger,
      'hookstream.attempt.outcome': outcome.kind,
      'hookstream.attempt.next': decision.next,
      ...(attempt.nextAttemptAt === null
        ? {}
        : { 'hookstream.attempt.next_at': attempt.nextAttemptAt.toISOString() }),
      ...(failed ? { 'error.type': outcome.kind } : {}),
      ...(outcome.statusCode === undefined ? {} : { 'http.response.status_code': outcome.statusCode }),
      'http.request.method': 'POST',
      ...serverOf(attempt.requestUrl),
    },
  };
}

/** Tests, verifications and operational events are nobody's request to accept: no span of one stands above them. */
function wasPosted(delivery: TracedDelivery, attempt: TracedAttempt): boolean {
  return attempt.trigger !== 'test' && !isOperationalEventType(delivery.eventType);
}

function ofDelivery(delivery: TracedDelivery, lane: Lane): Attributes {
  return {
    'hookstream.tenant.id': delivery.tenantId,
    'hookstream.endpoint.id': delivery.endpointId,
    'hookstream.event.id': delivery.eventId,
    'hookstream.event.type': delivery.eventType,
    'hookstream.delivery.id': delivery.deliveryId,
    'hookstream.lane': lane,
  };
}

/** No more of the URL than where it leads: paths and queries of webhooks hold secrets as often as not. */
function serverOf(url: string): Attributes {
  if (!URL.canParse(url)) return {};
  const { protocol, hostname, port } = new URL(url);
  const scheme = protocol.slice(0, -1);
  return {
    'url.scheme': scheme,
    'server.address': hostname,
    'server.port': port === '' ? (scheme === 'https' ? 443 : 80) : Number(port),
  };
}
