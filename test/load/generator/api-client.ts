import { Pool } from 'undici';

const REQUEST_TIMEOUT_MS = 30_000;
const BATCH = 500;

export interface BenchEndpoint {
  id: string;
  secret: string;
}

export interface EndpointSettings {
  url: string;
  event_types: string[];
  [policy: string]: unknown;
}

/** Speaks to the API as a customer's backend would. What is measured is posted by the load generator instead. */
export class ApiClient {
  private readonly pool: Pool;
  private readonly headers: Record<'authorization' | 'content-type', string>;

  /** @param apiKey of the tenant that it speaks for */
  constructor(
    readonly apiUrl: string,
    readonly apiKey: string,
    connections: number,
  ) {
    this.pool = new Pool(apiUrl, {
      connections,
      pipelining: 1,
      headersTimeout: REQUEST_TIMEOUT_MS,
      bodyTimeout: REQUEST_TIMEOUT_MS,
    });
    this.headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  }

  createEndpoint(endpoint: EndpointSettings): Promise<BenchEndpoint> {
    return this.post<BenchEndpoint>('/api/v1/endpoints', JSON.stringify(endpoint), 201);
  }

  /** Posts many events, up to 500 in a request, one request at a time. */
  async sendEvents(bodies: readonly string[]): Promise<void> {
    for (let from = 0; from < bodies.length; from += BATCH) {
      const batch = bodies.slice(from, from + BATCH);
      const path = '/api/v1/events/batch';
      const { data } = await this.post<{ data: { status: number }[] }>(path, `[${batch.join(',')}]`, 202);
      const refused = data.filter(({ status }) => status !== 202).length;
      if (refused > 0) throw new Error(`${refused} of ${batch.length} events of a batch were refused`);
    }
  }

  /** With the operator's token as key: a new tenant, answered with its first API key. */
  async createTenant(name: string): Promise<string> {
    const { api_key } = await this.post<{ api_key: string }>(
      '/api/v1/tenants',
      JSON.stringify({ name }),
      201,
    );
    return api_key;
  }

  /** Holds an endpoint's deliveries back, or lets them go. */
  async hold(endpointId: string, held: boolean): Promise<void> {
    await this.post(`/api/v1/endpoints/${endpointId}/${held ? 'pause' : 'resume'}`, '{}', 200);
  }

  /** `closed`, `half_open` or `open`. */
  async circuitState(endpointId: string): Promise<string> {
    const path = `/api/v1/endpoints/${endpointId}`;
    const { authorization } = this.headers;
    const answer = await this.pool.request({ method: 'GET', path, headers: { authorization } });
    if (answer.statusCode !== 200) throw new Error(`GET ${path} answered ${answer.statusCode}`);
    return ((await answer.body.json()) as { circuit_state: string }).circuit_state;
  }

  async resetCircuit(endpointId: string): Promise<void> {
    await this.post(`/api/v1/endpoints/${endpointId}/circuit/reset`, '{}', 200);
  }

  /** Cancels what waits for the endpoint. */
  async deleteEndpoint(endpointId: string): Promise<void> {
    const path = `/api/v1/endpoints/${endpointId}`;
    const { authorization } = this.headers;
    const answer = await this.pool.request({ method: 'DELETE', path, headers: { authorization } });
    await answer.body.dump();
    if (answer.statusCode !== 204) throw new Error(`DELETE ${path} answered ${answer.statusCode}`);
  }

  close(): Promise<void> {
    return this.pool.destroy();
  }

  private async post<T>(path: string, body: string, expected: number): Promise<T> {
    const answer = await this.pool.request({ method: 'POST', path, headers: this.headers, body });
    const text = await answer.body.text();
    if (answer.statusCode !== expected)
      throw new Error(`POST ${path} answered ${answer.statusCode}: ${text.slice(0, 300)}`);
    return JSON.parse(text) as T;
  }
}
