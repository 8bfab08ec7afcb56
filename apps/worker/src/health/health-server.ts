import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { METRICS_CONTENT_TYPE } from '@hookstream/observability';

/** Why the worker takes no deliveries now; undefined while it does. */
export type NotReadyBecause = () => string | undefined;

/** What `/metrics` answers, and to whom. */
export interface ServedMetrics {
  /** By the `Authorization` header. */
  allowed: (authorization: string | undefined) => boolean;
  page: () => Promise<string>;
}

/**
 * Answers orchestrators: `/health/live` while the process turns at all, `/health/ready` while it takes deliveries. A database that is away
 * makes a worker not ready, never dead: starting it again would not help.
 */
export class HealthServer {
  private readonly server: Server;

  constructor(notReadyBecause: NotReadyBecause, metrics?: ServedMetrics) {
    this.server = createServer((request, response) => {
      const answer = (status: number, body: object): void => {
        response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
        response.end(JSON.stringify(body));
      };
      if (request.method !== 'GET' && request.method !== 'HEAD') return answer(405, { status: 'error' });
      const path = request.url?.split('?')[0];
      if (path === '/metrics' && metrics) return void answerMetrics(metrics, request, response);
      if (path === '/health/live') return answer(200, { status: 'ok' });
      if (path !== '/health/ready') return answer(404, { status: 'error' });
      const detail = notReadyBecause();
      answer(
        detail === undefined ? 200 : 503,
        detail === undefined ? { status: 'ok' } : { status: 'error', detail },
      );
    });
  }

  /** @returns the port listened on. @throws when the address cannot be used */
  async listen(port: number, host: string): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(port, host, resolve);
    });
    // It does not keep a process going that has nothing else to do.
    this.server.unref();
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }
}

async function answerMetrics(
  { allowed, page }: ServedMetrics,
  { headers }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!allowed(headers.authorization)) {
    response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    return;
  }
  const text = await page();
  response.writeHead(200, { 'content-type': METRICS_CONTENT_TYPE, 'cache-control': 'no-store' }).end(text);
}
