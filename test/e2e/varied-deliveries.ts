import { randomUUID } from 'node:crypto';
import { idToUuid } from '@hookstream/domain';
import { eventually, type TestReceiver } from '@hookstream/testing';
import pg from 'pg';
import type { TenantClient } from './api-client.js';
import { createEndpoint, type CreatedEndpointObject, type Page } from './api-objects.js';
import type { Installation } from './installation.js';

const SET_WITHIN_MS = 60_000;
const LATER_MS = 20_000;
export const TOKEN = 'token of the receiver';
const NO_CIRCUIT = { circuit: { failure_threshold: 0 } };
const PATIENT = { retry: { strategy: 'fixed', base_ms: 2_000, max_attempts: 51, jitter: 0 } };

const ENDPOINTS = {
  good: { headers: { 'x-receiver-token': TOKEN } },
  retrying: { ...NO_CIRCUIT, ...PATIENT },
  down: { ...PATIENT, circuit: { failure_threshold: 2, cooldown_ms: 300_000 } },
  paused: {},
  ordered: { ...NO_CIRCUIT, ...PATIENT, ordered: true, order_key: 'data.key' },
  later: {},
  dead: { ...NO_CIRCUIT, retry: { delays_ms: [] } },
  replayed: {},
} satisfies Record<string, Record<string, unknown>>;
export type EndpointName = keyof typeof ENDPOINTS;
/** Those whose receivers answer 503 until the site is restored. */
const SICK: EndpointName[] = ['retrying', 'down', 'ordered', 'dead'];

/** Something of everything that a delivery can be in the middle of, at an installation that may be replaced by another. */
export class VariedDeliveries {
  readonly endpoints = new Map<EndpointName, CreatedEndpointObject>();
  readonly events = new Map<EndpointName, string[]>();
  /** A request that was posted under a key, and the event it became. */
  readonly idempotent = { key: randomUUID(), id: '' };
  replayId = '';
  revokedKey = '';
  deliverAt = 0;
  site!: Installation;
  tenant!: TenantClient;
  /** Until then receivers of those that are sick answer 503. */
  healed = false;

  constructor(readonly receiver: TestReceiver) {
    for (const name of SICK) receiver.on(`/${name}`, () => ({ status: this.healed ? 200 : 503 }));
  }

  endpoint(name: EndpointName): CreatedEndpointObject {
    const endpoint = this.endpoints.get(name);
    if (!endpoint) throw new Error(`there is no ${name} endpoint`);
    return endpoint;
  }

  /** Statuses of the endpoint's deliveries, with how many have each. */
  async statuses(name: EndpointName): Promise<Record<string, number>> {
    const rows = await this.query<{ status: string; count: string }>(
      'SELECT status, count(*) FROM deliveries WHERE endpoint_id = $1 GROUP BY status',
      [idToUuid('endpoint', this.endpoint(name).id)],
    );
    return Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)]));
  }

  /** Waits until all of the endpoint's deliveries have succeeded. @throws Error telling how they are instead */
  async untilSucceeded(name: EndpointName, timeoutMs = SET_WITHIN_MS): Promise<void> {
    await eventually(
      async () => {
        const statuses = await this.statuses(name);
        if (Object.keys(statuses).join() === 'succeeded') return true;
        throw new Error(`deliveries of ${name} are ${JSON.stringify(statuses)}`);
      },
      { timeoutMs, intervalMs: 100 },
    );
  }

  async query<T extends pg.QueryResultRow>(sql: string, values: unknown[] = []): Promise<T[]> {
    const client = new pg.Client({ connectionString: this.site.databaseUrl });
    await client.connect();
    try {
      return (await client.query<T>(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  /** Begins something of everything, and waits until it is where a restore has to find it. */
  async fill(): Promise<void> {
    for (const [name, settings] of Object.entries(ENDPOINTS))
      this.endpoints.set(
        name as EndpointName,
        await createEndpoint(this.tenant, this.receiver.url(`/${name}`), settings),
      );
    this.deliverAt = Date.now() + LATER_MS;
    await this.post('later', 2, { deliver_at: new Date(this.deliverAt).toISOString() });
    await this.post('replayed', 5);
    await this.untilSucceeded('replayed');
    await this.tenant.call('POST', `/endpoints/${this.endpoint('paused').id}/pause`);
    // So slow that a replay is not through for a long time.
    await this.limit('replayed', { per_second: 0.01, burst: 1 });
    await this.post('paused', 3);
    for (const name of SICK) await this.post(name, 4);
    this.replayId = await this.create('/deliveries/replay', {
      endpoint_id: this.endpoint('replayed').id,
      status: 'succeeded',
    });
    const other = await this.tenant.call<{ id: string; key: string }>('POST', '/api-keys', { name: 'old' });
    this.revokedKey = other.body.key;
    await this.tenant.call('DELETE', `/api-keys/${other.body.id}`);
    this.idempotent.id = await this.postIdempotent();
    await this.untilSet();
  }

  /** Everything is where a restore has to find it. */
  private async untilSet(): Promise<void> {
    await eventually(
      async () => {
        const now = {
          retrying: (await this.statuses('retrying'))['retrying'],
          ordered: (await this.statuses('ordered'))['retrying'],
          dead: (await this.statuses('dead'))['dead_letter'],
          circuit: await this.circuit(),
          replay: await this.replay(),
        };
        const wanted = { retrying: 4, ordered: 1, dead: 4, circuit: 'open', replay: 'running' };
        if (JSON.stringify(now) === JSON.stringify(wanted)) return true;
        throw new Error(`the stage is not set: ${JSON.stringify(now)}`);
      },
      { timeoutMs: SET_WITHIN_MS, intervalMs: 100 },
    );
  }

  async replay(): Promise<string> {
    const { body } = await this.tenant.call<{ status: string }>('GET', `/replays/${this.replayId}`);
    return body.status;
  }

  async circuit(): Promise<string> {
    const path = `/endpoints/${this.endpoint('down').id}/circuit`;
    return (await this.tenant.call<{ state: string }>('GET', path)).body.state;
  }

  /** The same request every time. @returns the event's id */
  async postIdempotent(): Promise<string> {
    const { api_url, api_key } = this.tenant.file;
    const answer = await fetch(`${api_url}/api/v1/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${api_key}`,
        'content-type': 'application/json',
        'idempotency-key': this.idempotent.key,
      },
      body: JSON.stringify({
        type: 'order.paid',
        data: { once: true },
        endpoint_ids: [this.endpoint('good').id],
      }),
    });
    return ((await answer.json()) as { id: string }).id;
  }

  async deliveriesOf(name: EndpointName): Promise<string[]> {
    const path = `/deliveries?endpoint_id=${this.endpoint(name).id}`;
    return (await this.tenant.call<Page<{ id: string }>>('GET', path)).body.data.map(({ id }) => id);
  }

  /** How fast the endpoint may get requests; null: as fast as it takes them. */
  async limit(name: EndpointName, rate_limit: Record<string, number> | null): Promise<void> {
    const { status } = await this.tenant.call('PATCH', `/endpoints/${this.endpoint(name).id}`, {
      rate_limit,
    });
    if (status !== 200) throw new Error(`PATCH answered ${status}`);
  }

  private async post(name: EndpointName, count: number, more: Record<string, unknown> = {}): Promise<void> {
    const ids = [];
    for (let number = 1; number <= count; number++)
      ids.push(
        await this.create('/events', {
          ...{ type: 'order.paid', data: { key: 'one', number } },
          ...{ endpoint_ids: [this.endpoint(name).id], ...more },
        }),
      );
    this.events.set(name, ids);
  }

  /** @returns the id of what was made */
  private async create(path: string, body: Record<string, unknown>): Promise<string> {
    const answer = await this.tenant.call<{ id: string }>('POST', path, body);
    if (answer.status >= 300) throw new Error(`POST ${path}: ${JSON.stringify(answer)}`);
    return answer.body.id;
  }
}
