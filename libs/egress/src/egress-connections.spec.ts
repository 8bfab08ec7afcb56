// Real: TCP and TLS sockets on loopback, and an HTTP proxy made here.
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import { createEgressClient, type EgressClient, EgressFaultError, type EgressOptions } from './index.js';
import { TEST_CA, TEST_KEY, VALID_CERT } from './test-certificates.js';

const cleanUps: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function client(options: EgressOptions = {}): EgressClient {
  const made = createEgressClient({ allowCidrs: ['127.0.0.0/8'], schemes: ['https', 'http'], ...options });
  cleanUps.push(() => made.close());
  return made;
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const post = (url: string, more: { owner?: string; timeoutMs?: number; signal?: AbortSignal } = {}) => ({
  url,
  owner: 'an endpoint',
  headers: {},
  body: '{}',
  timeoutMs: 5_000,
  ...more,
});

/** A promise that something outside resolves. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** A receiver that answers when told to. */
async function heldReceiver() {
  const pending: ServerResponse[] = [];
  let arrived = deferred();
  const server = createHttpServer((_req, res) => {
    pending.push(res);
    arrived.resolve();
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    pending,
    async waiting(count: number) {
      while (pending.length < count) {
        await arrived.promise;
        arrived = deferred();
      }
    },
    answer: () => pending.shift()?.end('ok'),
  };
}

describe('bounds', () => {
  it('keeps to the connections per origin, and does not charge the wait to the endpoint', async () => {
    const receiver = await heldReceiver();
    const egress = client({ maxConnectionsPerOrigin: 1 });
    const first = egress.send(post(receiver.url));
    await receiver.waiting(1);
    const second = egress.send(post(receiver.url, { timeoutMs: 500 }));
    // another origin's time-out lets more time go by than the second request has
    const silent = await listen(createTcpServer());
    expect(await egress.send(post(`http://127.0.0.1:${silent}`, { timeoutMs: 700 }))).toMatchObject({
      kind: 'timeout',
    });
    expect(receiver.pending).toHaveLength(1);
    receiver.answer();
    expect(await first).toMatchObject({ kind: 'succeeded' });
    await receiver.waiting(1);
    receiver.answer();
    const outcome = await second;
    expect(outcome.kind).toBe('succeeded');
    expect(outcome.durationMs).toBeLessThan(500);
  });

  it('leaves connections to an origin for other owners, and gives the one that waits its turn', async () => {
    const receiver = await heldReceiver();
    const egress = client({ maxConnectionsPerOrigin: 6 });
    const greedy = Array.from({ length: 8 }, () =>
      egress.send(post(`${receiver.url}/greedy`, { owner: 'greedy' })),
    );
    // four of six: five would be more than twice the one that would be left
    await receiver.waiting(4);
    const modest = egress.send(post(`${receiver.url}/modest`, { owner: 'modest' }));
    await receiver.waiting(5);
    expect(receiver.pending.map(({ req }) => req.url)).toContain('/modest');
    for (let answered = 0; answered < 9; answered++) {
      await receiver.waiting(1);
      receiver.answer();
    }
    expect((await Promise.all([...greedy, modest])).map((outcome) => outcome.kind)).toEqual(
      Array.from({ length: 9 }, () => 'succeeded'),
    );
  });

  it('keeps to the total, makes room by closing what is idle, and lets no origin’s queue hold up another', async () => {
    const [slow, other] = [await heldReceiver(), await heldReceiver()];
    const egress = client({ maxConnections: 1 });
    const slowOnes = [egress.send(post(slow.url)), egress.send(post(slow.url)), egress.send(post(slow.url))];
    await slow.waiting(1);
    const otherOne = egress.send(post(other.url));
    slow.answer();
    await slowOnes[0];
    // the line: slow (twice), other. Origins take turns, so other comes before slow's last
    await slow.waiting(1);
    slow.answer();
    await other.waiting(1);
    expect(slow.pending).toHaveLength(0);
    other.answer();
    expect(await otherOne).toMatchObject({ kind: 'succeeded' });
    await slow.waiting(1);
    slow.answer();
    expect((await Promise.all(slowOnes)).map((outcome) => outcome.kind)).toEqual([
      'succeeded',
      'succeeded',
      'succeeded',
    ]);
  });

  it('closes idle connections after a while', async () => {
    const server = createHttpServer((_req, res) => res.end('ok'));
    const closed = deferred();
    server.on('connection', (socket) => socket.on('close', () => closed.resolve()));
    const port = await listen(server);
    await client({ idleTimeoutMs: 1_100 }).send(post(`http://127.0.0.1:${port}`));
    await closed.promise;
  });
});

describe('a connection that went stale', () => {
  const answerOnce = (socket: Socket, onSecond: () => void) => {
    let requests = 0;
    socket.on('data', () => {
      if (requests++ === 0) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      else onSecond();
    });
  };

  it('is replaced by a new one, once', async () => {
    let connections = 0;
    const port = await listen(
      createTcpServer((socket) => {
        connections++;
        answerOnce(socket, () => socket.resetAndDestroy());
      }),
    );
    const egress = client();
    for (let i = 0; i < 3; i++) {
      expect(await egress.send(post(`http://127.0.0.1:${port}`))).toMatchObject({ kind: 'succeeded' });
    }
    expect(connections).toBe(3);
  });

  it('is replaced under TLS too', async () => {
    let connections = 0;
    const server = createHttpsServer({ key: TEST_KEY, cert: VALID_CERT });
    server.removeAllListeners('secureConnection');
    server.on('secureConnection', (socket) => {
      connections++;
      answerOnce(socket, () => socket.end());
    });
    const port = await listen(server);
    const egress = client({ ca: [TEST_CA] });
    for (let i = 0; i < 2; i++) {
      expect(await egress.send(post(`https://localhost:${port}`))).toMatchObject({ kind: 'succeeded' });
    }
    expect(connections).toBe(2);
  });

  it('is not tried again once any part of an answer came', async () => {
    let connections = 0;
    const port = await listen(
      createTcpServer((socket) => {
        connections++;
        answerOnce(socket, () => socket.end('HTTP/1.1 2'));
      }),
    );
    const egress = client();
    await egress.send(post(`http://127.0.0.1:${port}`));
    expect(await egress.send(post(`http://127.0.0.1:${port}`))).toMatchObject({ kind: 'connection_error' });
    expect(connections).toBe(1);
  });
});

describe('abort and close', () => {
  it('throws the reason instead of an outcome and drops the connection', async () => {
    const receiver = await heldReceiver();
    const controller = new AbortController();
    const sending = client().send(post(receiver.url, { signal: controller.signal }));
    await receiver.waiting(1);
    const dropped = once(receiver.pending[0]!, 'close');
    controller.abort(new Error('shutting down'));
    await expect(sending).rejects.toThrow('shutting down');
    await dropped;
  });

  it('throws at once when aborted before, and while waiting for a connection', async () => {
    const receiver = await heldReceiver();
    const egress = client({ maxConnectionsPerOrigin: 1 });
    await expect(
      egress.send(post(receiver.url, { signal: AbortSignal.abort(new Error('early')) })),
    ).rejects.toThrow('early');
    const first = egress.send(post(receiver.url));
    await receiver.waiting(1);
    const controller = new AbortController();
    const second = egress.send(post(receiver.url, { signal: controller.signal }));
    controller.abort(new Error('while waiting'));
    await expect(second).rejects.toThrow('while waiting');
    receiver.answer();
    expect(await first).toMatchObject({ kind: 'succeeded' });
  });

  it('close lets what is under way end and takes nothing new', async () => {
    const receiver = await heldReceiver();
    const egress = client();
    const first = egress.send(post(receiver.url));
    await receiver.waiting(1);
    const closing = egress.close();
    await expect(egress.send(post(receiver.url))).rejects.toThrow('closed');
    receiver.answer();
    expect(await first).toMatchObject({ kind: 'succeeded' });
    await closing;
  });
});

describe('through a proxy', () => {
  type Answer = (req: IncomingMessage, socket: Socket) => void;

  async function proxy(answer: Answer) {
    const server = createHttpServer();
    const seen: { authority: string; authorization: string | undefined }[] = [];
    server.on('connect', (req: IncomingMessage, socket: Socket) => {
      seen.push({ authority: req.url ?? '', authorization: req.headers['proxy-authorization'] });
      answer(req, socket);
    });
    return { port: await listen(server), seen };
  }
  const refuse =
    (status: string): Answer =>
    (_req, socket) =>
      socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`);

  /** Resolves every name to loopback, as only the proxy can. */
  const tunnel: Answer = (req, socket) => {
    const upstream = connect(Number(req.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  };

  it('delivers http and https by CONNECT, with the credentials of the URL, and lets the proxy resolve names', async () => {
    const plain = await listen(createHttpServer((_req, res) => res.end('plain')));
    const secured = await listen(
      createHttpsServer({ key: TEST_KEY, cert: VALID_CERT }, (_req, res) => res.end('secured')),
    );
    const { port, seen } = await proxy(tunnel);
    const egress = client({ proxyUrl: `http://us%40er:pass@127.0.0.1:${port}`, ca: [TEST_CA] });
    const outcomes = [
      await egress.send(post(`http://receiver.example:${plain}`)),
      await egress.send(post(`https://localhost:${secured}`)),
      await egress.send(post(`https://wrong.example:${secured}`)),
    ];
    expect(outcomes.map((outcome) => outcome.response?.body)).toEqual(['plain', 'secured', undefined]);
    expect(outcomes[2]).toMatchObject({ kind: 'tls_error' });
    const authorization = `Basic ${Buffer.from('us@er:pass').toString('base64')}`;
    expect(seen[0]).toEqual({ authority: `receiver.example:${plain}`, authorization });
  });

  it.each(['502 Bad Gateway', '503 Service Unavailable', '504 Gateway Timeout'])(
    '%s is the endpoint’s failure',
    async (status) => {
      const { port } = await proxy(refuse(status));
      expect(
        await client({ proxyUrl: `http://127.0.0.1:${port}` }).send(post('https://down.example')),
      ).toMatchObject({
        kind: 'connection_error',
        error: `down.example:443 cannot be reached through the proxy (it answered ${status.slice(0, 3)})`,
      });
    },
  );

  it.each([
    ['407', refuse('407 Proxy Authentication Required'), 'wants other credentials (407)'],
    ['403', refuse('403 Forbidden'), 'refused to connect to up.example:443 (403)'],
    ['500', refuse('500 Oops'), 'refused to connect'],
    ['a close', (_req: IncomingMessage, socket: Socket) => socket.destroy(), 'broke off'],
  ])('%s is our fault, told without credentials', async (_name, answer, message) => {
    const { port } = await proxy(answer);
    const sending = client({ proxyUrl: `http://user:hunter2@127.0.0.1:${port}` }).send(
      post('https://up.example'),
    );
    const error = await sending.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(EgressFaultError);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain('hunter2');
  });

  it('a proxy that is down is our fault', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const sending = client({ proxyUrl: `http://127.0.0.1:${port}` }).send(post('https://up.example'));
    await expect(sending).rejects.toThrow(EgressFaultError);
    await expect(sending).rejects.toThrow('cannot be reached: ECONNREFUSED');
  });

  it('a target that the proxy keeps trying is a timeout', async () => {
    const { port } = await proxy(() => undefined);
    const egress = client({ proxyUrl: `http://127.0.0.1:${port}`, connectTimeoutMs: 100 });
    expect(await egress.send(post('https://hang.example'))).toMatchObject({ kind: 'timeout' });
  });

  it.each([
    'http://10.0.0.1',
    'http://2130706434',
    'http://[::1]',
    'http://localhost',
    'http://a.localhost.',
    'http://metadata.google.internal',
  ])('still refuses %s', async (url) => {
    const { port, seen } = await proxy(tunnel);
    const egress = client({ allowCidrs: [], proxyUrl: `http://127.0.0.1:${port}` });
    expect(await egress.send(post(url))).toMatchObject({ kind: 'blocked_address' });
    expect(seen).toEqual([]);
  });
});
