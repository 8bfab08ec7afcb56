import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { isIPv6, type AddressInfo } from 'node:net';

/** One request as it came. */
export interface ReceivedDelivery {
  method: string;
  path: string;
  headers: Record<string, string | undefined>;
  /** The very bytes. */
  body: Buffer;
  answered: number;
  at: Date;
}

/** More than the largest body an installation can be set to accept. */
const MAX_BODY_BYTES = 65 * 1024 * 1024;

/** A receiver that takes every request, answers it at once and hands it on in the order of arrival. */
export class DeliveryListener {
  private readonly waiting: ReceivedDelivery[] = [];
  private onArrival: () => void = () => undefined;

  private constructor(
    private readonly server: Server,
    private readonly host: string,
    private readonly status: number,
  ) {
    server.on('request', (request, response) => {
      // a request that breaks off is the sender's to repeat
      this.receive(request, response).catch(() => response.destroy());
    });
  }

  /** @throws what listening throws: the port is taken, or not ours to take */
  static async start(options: { host: string; port: number; status: number }): Promise<DeliveryListener> {
    const server = createServer();
    const listener = new DeliveryListener(server, options.host, options.status);
    server.listen(options.port, options.host);
    await once(server, 'listening');
    return listener;
  }

  get url(): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://${isIPv6(this.host) ? `[${this.host}]` : this.host}:${port}/`;
  }

  /** What arrives, until `stopping` aborts. */
  async *deliveries(stopping: AbortSignal): AsyncGenerator<ReceivedDelivery> {
    const stop = (): void => this.onArrival();
    stopping.addEventListener('abort', stop, { once: true });
    try {
      while (!stopping.aborted) {
        const next = this.waiting.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (this.onArrival = resolve));
      }
    } finally {
      stopping.removeEventListener('abort', stop);
    }
  }

  async close(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    if (this.server.listening) await once(this.server, 'close');
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bodyOf(request);
    const status = body === undefined ? 413 : this.status;
    await new Promise<void>((resolve) => response.writeHead(status).end(resolve));
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]),
    );
    this.waiting.push({
      ...{ method: request.method ?? '', path: request.url ?? '', headers },
      ...{ body: body ?? Buffer.alloc(0), answered: status, at: new Date() },
    });
    this.onArrival();
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
