import type { ReplayRecord } from '@hookstream/persistence';
import type { ReplayAnswer } from './dto/replay.dto.js';

export function presentReplay(replay: ReplayRecord): ReplayAnswer {
  const { status, endpointId, eventId, eventType, since, until } = replay.filter;
  return {
    id: replay.id,
    status: replay.status,
    total: replay.total,
    done: replay.done,
    failed: replay.failed,
    failures: {
      endpoint_deleted: replay.failures.endpoint_deleted ?? 0,
      payload_expired: replay.failures.payload_expired ?? 0,
    },
    filter: {
      ...(status && { status }),
      ...(endpointId && { endpoint_id: endpointId }),
      ...(eventId && { event_id: eventId }),
      ...(eventType && { event_type: eventType }),
      ...(since && { since: since.toISOString() }),
      ...(until && { until: until.toISOString() }),
    },
    created_at: replay.createdAt.toISOString(),
    completed_at: replay.completedAt?.toISOString() ?? null,
  };
}
