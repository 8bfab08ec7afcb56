import { Pool } from 'undici';

const REQUEST_TIMEOUT_MS = 30_000;
/** Of the JSON around the filling of an event, roughly: the whole body is then `size` bytes. */
const ENVELOPE_BYTES = 80;

export interface BenchEndpoint {
  id: string;
  secret: string;
}

/** Speaks to the API as a customer's backend would: keep-alive connections, one request at a time on each. */
export class ApiClient {
  private readonly pool: Pool;
  private readonly headers: Record<'authorization' | 'content-type', string>;

  constructor(apiUrl: string, apiKey: string, connections: number) {
    this.pool = new Pool(apiUrl, {
      connections,
      pipelining: 1,
      headersTimeout: REQUEST_TIMEOUT_MS,
      bodyTimeout: REQUEST_TIMEOUT_MS,
    });
    this.headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  }

  createEndpoint(endpoint: { url: string; event_types: string[]; lane?: string }): Promise<BenchEndpoint> {
    return this.post<BenchEndpoint>('/api/v1/endpoints', JSON.stringify(endpoint), 201);
  }

  /** Posts one event and answers its id, which its receiver sees as `webhook-id`. */
  async sendEvent(body: string): Promise<string> {
    const { id, deliveries } = await this.post<{ id: string; deliveries: number }>(
      '/api/v1/events',
      body,
      202,
    );
    if (deliveries !== 1) throw new Error(`the event matched ${deliveries} endpoints instead of one`);
    return id;
  }

  /** Holds an endpoint's deliveries back, or lets them go. */
  async hold(endpointId: string, held: boolean): Promise<void> {
    await this.post(`/api/v1/endpoints/${endpointId}/${held ? 'pause' : 'resume'}`, '{}', 200);
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

/** The body of an event, about `size` bytes long. */
export function eventBody(type: string, number: number, size: number): string {
  const filling = 'x'.repeat(Math.max(0, size - ENVELOPE_BYTES - type.length));
  return JSON.stringify({ type, data: { number, note: 'made by the bench', filling } });
}
