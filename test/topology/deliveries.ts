import pg from 'pg';
import { idToUuid } from '@hookstream/domain';
import { eventually, type TestReceiver } from '@hookstream/testing';
import { callApi } from '../e2e/api-client.js';

const BATCH = 100;

/** A tenant of a running stack. */
export class Customer {
  constructor(
    private readonly apiUrl: string,
    private readonly apiKey: string,
  ) {}

  /** @returns the endpoint's id */
  async endpoint(url: string, lane: string): Promise<string> {
    const endpoint = await call(this.apiUrl, this.apiKey, 'POST', '/endpoints', {
      url,
      lane,
      max_in_flight: 500,
      retry: { strategy: 'fixed', base_ms: 1_000, max_attempts: 10, jitter: 0 },
    });
    return String(endpoint['id']);
  }

  /** @returns the ids of the events accepted */
  async post(endpointId: string, count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let from = 0; from < count; from += BATCH) {
      const events = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => ({
        type: 'order.paid',
        data: { number: from + i, text: 'x'.repeat(900) },
        endpoint_ids: [endpointId],
      }));
      const { data } = await call(this.apiUrl, this.apiKey, 'POST', '/events/batch', events);
      for (const item of data as { id?: string; event?: { id: string } }[]) {
        const id = item.id ?? item.event?.id;
        if (id === undefined) throw new Error(`an event was not accepted: ${JSON.stringify(item)}`);
        ids.push(id);
      }
    }
    return ids;
  }

  async ready(): Promise<Record<string, unknown>> {
    return call(this.apiUrl, this.apiKey, 'GET', '/health/ready');
  }
}

/** Waits until each of the events has arrived and its delivery is recorded as succeeded. @throws Error telling what is missing */
export async function untilDelivered(
  receiver: TestReceiver,
  path: string,
  events: readonly string[],
  databaseUrl: string,
  timeoutMs: number,
): Promise<void> {
  await eventually(
    () => {
      const arrived = receiver.webhookIds(path);
      const missing = events.filter((id) => !arrived.has(id)).length;
      if (missing > 0) throw new Error(`${missing} of ${events.length} events did not arrive at ${path}`);
      return true;
    },
    { timeoutMs, intervalMs: 50 },
  );
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await eventually(
      async () => {
        const { rows } = await client.query<{ status: string; count: string }>(
          'SELECT status, count(*) FROM deliveries WHERE event_id = ANY($1) GROUP BY status',
          [events.map((id) => idToUuid('event', id))],
        );
        const counts = Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)]));
        if (counts['succeeded'] === events.length) return true;
        throw new Error(`deliveries to ${path} by status: ${JSON.stringify(counts)}`);
      },
      { timeoutMs, intervalMs: 100 },
    );
  } finally {
    await client.end();
  }
}

/** How the deliveries of these events ran, by their own account. */
export async function lanesOf(events: readonly string[], databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ lane: string }>(
      'SELECT DISTINCT lane FROM deliveries WHERE event_id = ANY($1) ORDER BY lane',
      [events.map((id) => idToUuid('event', id))],
    );
    return rows.map(({ lane }) => lane);
  } finally {
    await client.end();
  }
}

async function call(
  apiUrl: string,
  token: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Record<string, unknown>> {
  const answer = await callApi<Record<string, unknown>>(
    { api_url: apiUrl, api_key: token },
    method,
    path,
    body,
  );
  if (answer.status < 200 || answer.status > 299)
    throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}
