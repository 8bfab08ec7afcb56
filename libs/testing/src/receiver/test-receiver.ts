import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  chooseBehaviour,
  type ReceivedRequest,
  type ReceiverBehaviour,
  type Script,
} from './receiver-behaviour.js';
import { TEST_CERTIFICATE, TEST_CERTIFICATE_KEY } from './test-certificate.js';

export interface TestReceiverOptions {
  /** HTTPS with the self-signed `TEST_CERTIFICATE`. */
  tls?: boolean;
  /** Default 127.0.0.1. */
  host?: string;
  port?: number;
}

interface Waiter {
  predicate: (requests: readonly ReceivedRequest[]) => boolean;
  resolve: () => void;
}

/** A real HTTP server on the loopback address that behaves as scripted and keeps all it received. */
export class TestReceiver {
  readonly requests: ReceivedRequest[] = [];
  private readonly scripts = new Map<string, Script>();
  private readonly counts = new Map<string, number>();
  private readonly waiters = new Set<Waiter>();
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly scheme: string,
  ) {
    server.on('request', (request, response) => void this.handle(request, response));
    server.on(scheme === 'https' ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => this.sockets.delete(socket));
    });
  }

  static async start(options: TestReceiverOptions = {}): Promise<TestReceiver> {
    const server = options.tls
      ? createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_CERTIFICATE_KEY })
      : createServer();
    server.keepAliveTimeout = 60_000;
    const receiver = new TestReceiver(server, options.tls ? 'https' : 'http');
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve);
    });
    return receiver;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** How many connections are open now. */
  get openConnections(): number {
    return this.sockets.size;
  }

  url(path = '/'): string {
    return `${this.scheme}://127.0.0.1:${this.port}${path}`;
  }

  /** Scripts what requests to this path (without query) get from now on, counting its requests anew. */
  on(path: string, script: Script): this {
    this.scripts.set(path, script);
    this.counts.delete(path);
    return this;
  }

  requestsTo(path: string): ReceivedRequest[] {
    return this.requests.filter((request) => withoutQuery(request.path) === path);
  }

  /** The different `webhook-id`s received, on one path or all. */
  webhookIds(path?: string): Set<string> {
    const requests = path === undefined ? this.requests : this.requestsTo(path);
    return new Set(requests.map((request) => request.headers['webhook-id'] ?? '').filter((id) => id !== ''));
  }

  /**
   * Resolves as soon as the predicate holds for what was received so far.
   * @throws Error when it does not within `timeoutMs`, saying how many requests there were.
   */
  async waitFor(
    predicate: (requests: readonly ReceivedRequest[]) => boolean,
    timeoutMs = 10_000,
  ): Promise<ReceivedRequest[]> {
    if (!predicate(this.requests)) await this.waitForChange(predicate, timeoutMs);
    return this.requests;
  }

  /** Waits for that many requests to the path and answers them. */
  async waitForRequests(path: string, count: number, timeoutMs = 10_000): Promise<ReceivedRequest[]> {
    await this.waitFor(() => this.requestsTo(path).length >= count, timeoutMs);
    return this.requestsTo(path);
  }

  /** Stops listening and breaks every connection. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private waitForChange(predicate: Waiter['predicate'], timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        predicate,
        resolve: () => {
          clearTimeout(timer);
          this.waiters.delete(waiter);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.waiters.delete(waiter);
        reject(
          new Error(
            `the receiver did not get what was waited for in ${timeoutMs} ms; it got ${this.requests.length} requests`,
          ),
        );
      }, timeoutMs);
      this.waiters.add(waiter);
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const body = await readBody(request);
    if (body === undefined) return;
    const path = withoutQuery(request.url ?? '/');
    const number = (this.counts.get(path) ?? 0) + 1;
    this.counts.set(path, number);
    const received: ReceivedRequest = {
      method: request.method ?? '',
      path: request.url ?? '/',
      headers: Object.fromEntries(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      ),
      body,
      receivedAt: Date.now(),
      number,
    };
    this.requests.push(received);
    response.once('close', () => {
      received.endedAt = Date.now();
      if (response.writableFinished) received.answered = response.statusCode;
    });
    for (const waiter of [...this.waiters]) if (waiter.predicate(this.requests)) waiter.resolve();
    await behave(await chooseBehaviour(this.scripts.get(path), received), request.socket, response);
  }
}

async function behave(behaviour: ReceiverBehaviour, socket: Socket, response: ServerResponse): Promise<void> {
  switch (behaviour.kind) {
    case 'hang':
      return;
    case 'reset':
      socket.resetAndDestroy();
      return;
    case 'garbage':
      socket.end('\x00\x01 this is not HTTP\r\n\r\n');
      return;
    case 'truncate':
      response.writeHead(behaviour.status ?? 200, { 'content-length': '1000' });
      response.write('half of');
      setTimeout(() => socket.destroy(), 20).unref();
      return;
    case 'endless':
      response.writeHead(behaviour.status ?? 200, { 'content-type': 'text/plain' });
      await writeWithoutEnd(response, socket, behaviour.chunkBytes ?? 1024, behaviour.intervalMs ?? 0);
      return;
    default:
      if (behaviour.delayMs) await sleep(behaviour.delayMs, undefined, { ref: false });
      response.writeHead(behaviour.status ?? 200, behaviour.headers);
      response.end(behaviour.body ?? '');
  }
}

async function writeWithoutEnd(
  response: ServerResponse,
  socket: Socket,
  bytes: number,
  intervalMs: number,
): Promise<void> {
  const chunk = Buffer.alloc(bytes, 'x');
  const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  while (!socket.destroyed) {
    if (!response.write(chunk)) {
      await Promise.race([gone, new Promise((resolve) => response.once('drain', resolve))]);
    }
    await Promise.race([gone, sleep(intervalMs, undefined, { ref: false })]);
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  } catch {
    // The sender broke off: there was no request.
    return undefined;
  }
}

function withoutQuery(url: string): string {
  return url.split('?', 1)[0] ?? '/';
}
