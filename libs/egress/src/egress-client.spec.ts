// Real: TCP and TLS sockets on loopback. Injected, where a test is about names: what a name resolves to.
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createEgressClient, type EgressClient, type EgressOptions } from './index.js';
import {
  EXPIRED_CERT,
  OTHER_NAME_CERT,
  SELF_SIGNED_CERT,
  TEST_CA,
  TEST_KEY,
  VALID_CERT,
} from './test-certificates.js';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];
const cleanUps: (() => Promise<unknown> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function client(options: EgressOptions = {}): EgressClient {
  const made = createEgressClient({ allowCidrs: LOOPBACK, schemes: ['https', 'http'], ...options });
  cleanUps.push(() => made.close());
  return made;
}

async function listen<S extends Server | HttpServer>(server: S): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
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

const http = (listener: RequestListener) => listen(createHttpServer(listener));
const tcp = (listener: (socket: Socket) => void) => listen(createTcpServer(listener));
const https = (cert: string, listener: RequestListener = (_req, res) => res.end('ok')) =>
  listen(createHttpsServer({ key: TEST_KEY, cert }, listener));

/** Answers each request on a raw socket with the text. */
const rawAnswer = (text: string) => tcp((socket) => socket.once('data', () => socket.end(text)));

/** A promise that something outside resolves. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

const post = (
  url: string,
  more: { timeoutMs?: number; signal?: AbortSignal; headers?: Record<string, string> } = {},
) => ({
  url,
  owner: 'an endpoint',
  headers: { 'content-type': 'application/json', ...more.headers },
  body: '{"a":1}',
  timeoutMs: more.timeoutMs ?? 5_000,
  ...(more.signal ? { signal: more.signal } : {}),
});

describe('sending', () => {
  it('posts the exact bytes and headers and keeps the answer', async () => {
    const seen: unknown[] = [];
    const port = await http((req, res) => {
      req.on('data', (chunk: Buffer) =>
        seen.push(req.method, req.url, req.headers['x-team'], chunk.toString()),
      );
      req.on('end', () =>
        res.writeHead(201, { 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] }).end('thanks'),
      );
    });
    const outcome = await client().send(
      post(`http://127.0.0.1:${port}/hooks?x=1#no`, { headers: { 'x-team': 'pay', host: 'evil' } }),
    );
    expect(seen).toEqual(['POST', '/hooks?x=1', 'pay', '{"a":1}']);
    expect(outcome).toMatchObject({
      kind: 'succeeded',
      statusCode: 201,
      response: {
        body: 'thanks',
        truncated: false,
        headers: { 'x-answer': 'yes', 'set-cookie': '[redacted]' },
      },
    });
    expect(outcome.error).toBeUndefined();
    expect(Number.isInteger(outcome.durationMs)).toBe(true);
  });

  it.each([
    [204, 'succeeded', undefined],
    [302, 'http_error', 'the receiver answered 302; redirects are not followed'],
    [404, 'http_error', 'the receiver answered 404'],
    [500, 'http_error', 'the receiver answered 500'],
  ])('status %i is %s', async (status, kind, error) => {
    const port = await http((_req, res) => res.writeHead(status, { location: 'http://127.0.0.1:1/' }).end());
    const outcome = await client().send(post(`http://127.0.0.1:${port}`));
    expect(outcome).toMatchObject({ kind, statusCode: status });
    expect(outcome.error).toBe(error);
  });

  it('reads Retry-After', async () => {
    const port = await http((_req, res) => res.writeHead(503, { 'retry-after': '120' }).end());
    expect(await client().send(post(`http://127.0.0.1:${port}`))).toMatchObject({
      kind: 'http_error',
      retryAfterMs: 120_000,
    });
  });

  it('does not decompress, and keeps no NUL that Postgres could not store', async () => {
    const body = Buffer.from([0x1f, 0x8b, 0x00, 0x61]);
    const port = await http((_req, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(body));
    const { response } = await client().send(post(`http://127.0.0.1:${port}`));
    expect(response?.body).toBe('\u001f\ufffd\ufffda');
  });

  it('reuses a connection, and opens a new one when the receiver closes it', async () => {
    let connections = 0;
    const server = createHttpServer((req, res) => {
      if (req.url === '/close') res.setHeader('connection', 'close');
      res.end('ok');
    });
    server.on('connection', () => connections++);
    const port = await listen(server);
    const egress = client();
    for (const path of ['', '', '/close', '']) {
      expect(await egress.send(post(`http://127.0.0.1:${port}${path}`))).toMatchObject({ kind: 'succeeded' });
    }
    expect(connections).toBe(2);
  });
});

describe('limits of an answer', () => {
  it('stops at the cap, drops the socket and still counts the status', async () => {
    let written = 0;
    const closed = deferred();
    const port = await http((_req, res) => {
      res.on('close', closed.resolve);
      const chunk = Buffer.alloc(64 * 1_024, 'x');
      const more = () => {
        while (!res.destroyed && res.write(chunk)) written += chunk.length;
      };
      res.on('drain', more);
      more();
    });
    const outcome = await client().send(post(`http://127.0.0.1:${port}`));
    await closed.promise;
    expect(outcome).toMatchObject({ kind: 'succeeded', statusCode: 200, response: { truncated: true } });
    expect(outcome.response?.body).toBe('x'.repeat(16_384));
    // what the kernel's buffers took, not an endless stream
    expect(written).toBeLessThan(32 * 1_024 * 1_024);
  });

  it.each([
    [16_384, false],
    [16_385, true],
  ])('a body of %i bytes: truncated %s', async (size, truncated) => {
    const port = await http((_req, res) => res.end('x'.repeat(size)));
    const { response } = await client().send(post(`http://127.0.0.1:${port}`));
    expect(response).toMatchObject({ truncated });
    expect(response?.body.length).toBe(16_384);
  });

  it('leaves out a character that the cap cuts in two', async () => {
    const port = await http((_req, res) => res.end('ä'.repeat(10)));
    const { response } = await client({ responseLimitBytes: 5 }).send(post(`http://127.0.0.1:${port}`));
    expect(response).toMatchObject({ body: 'ää', truncated: true });
  });

  it('refuses headers without end', async () => {
    const port = await rawAnswer(`HTTP/1.1 200 OK\r\nx-a: ${'a'.repeat(20_000)}\r\n\r\n`);
    expect(await client().send(post(`http://127.0.0.1:${port}`))).toMatchObject({
      kind: 'response_too_large',
    });
  });

  it.each([
    ['no answer', () => undefined, undefined, 'no answer within 200 ms'],
    [
      'an answer byte by byte',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n');
        const drip = setInterval(() => socket.write('.'), 20);
        socket.on('close', () => clearInterval(drip));
      },
      200,
      'the answer (status 200) did not end within 200 ms',
    ],
    [
      'headers byte by byte',
      (socket: Socket) => {
        socket.write('HTTP/1.1 200 OK\r\nx: ');
        const drip = setInterval(() => socket.write('.'), 20);
        socket.on('close', () => clearInterval(drip));
      },
      undefined,
      'no answer within 200 ms',
    ],
  ])('times out on %s and drops the socket', async (_name, behave, statusCode, error) => {
    const closed = deferred();
    const port = await tcp((socket) => {
      socket.on('close', () => closed.resolve()).once('data', () => behave(socket));
    });
    const outcome = await client().send(post(`http://127.0.0.1:${port}`, { timeoutMs: 200 }));
    expect(outcome).toMatchObject({ kind: 'timeout', error });
    expect(outcome.statusCode).toBe(statusCode);
    expect(outcome.durationMs).toBeGreaterThanOrEqual(190);
    await closed.promise;
  });

  it('bounds the wait for headers by itself, where set', async () => {
    const port = await tcp(() => undefined);
    const outcome = await client({ headersTimeoutMs: 100 }).send(post(`http://127.0.0.1:${port}`));
    expect(outcome).toMatchObject({ kind: 'timeout', error: 'no answer within 100 ms' });
  });
});

describe('failures on the way', () => {
  it('connection refused', async () => {
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await client().send(post(`http://127.0.0.1:${port}`))).toMatchObject({
      kind: 'connection_error',
      error: `127.0.0.1:${port} refused the connection; nothing listens there (ECONNREFUSED)`,
    });
  });

  it.each([
    [
      'a reset instead of an answer',
      (socket: Socket) => socket.resetAndDestroy(),
      undefined,
      'closed the connection',
    ],
    ['a close instead of an answer', (socket: Socket) => socket.end(), undefined, 'closed the connection'],
    [
      'an answer cut off',
      (s: Socket) => s.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab'),
      200,
      'closed the connection',
    ],
    [
      'an answer that is not HTTP',
      (s: Socket) => s.end('SSH-2.0-OpenSSH_9.6\r\n'),
      undefined,
      'not valid HTTP',
    ],
  ])('%s', async (_name, behave, statusCode, error) => {
    const port = await tcp((socket) => socket.once('data', () => behave(socket)));
    const outcome = await client().send(post(`http://127.0.0.1:${port}`));
    expect(outcome).toMatchObject({
      kind: 'connection_error',
      error: expect.stringContaining(error) as string,
    });
    expect(outcome.statusCode).toBe(statusCode);
  });

  it('a header that cannot be sent is told by name, not value', async () => {
    const port = await http((_req, res) => res.end());
    const outcome = await client().send(
      post(`http://127.0.0.1:${port}`, { headers: { 'x-bad': 's3cret\r\nx: y' } }),
    );
    expect(outcome).toMatchObject({
      kind: 'connection_error',
      error: expect.stringContaining('x-bad') as string,
    });
    expect(JSON.stringify(outcome)).not.toContain('s3cret');
  });

  it.each([
    ['ENOTFOUND', 'the name hooks.example does not exist or has no address (ENOTFOUND)'],
    ['EAI_AGAIN', 'the name hooks.example could not be looked up (EAI_AGAIN)'],
  ])('DNS: %s', async (code, error) => {
    const lookup = () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code }));
    expect(await client({ lookup }).send(post('https://hooks.example/'))).toMatchObject({
      kind: 'dns_error',
      error,
    });
  });

  it('a name without addresses', async () => {
    const egress = client({ lookup: () => Promise.resolve([]) });
    expect(await egress.send(post('https://hooks.example/'))).toMatchObject({ kind: 'dns_error' });
  });

  it('a look-up that never ends is bounded by the connect timeout', async () => {
    const egress = client({ lookup: () => new Promise(() => undefined), connectTimeoutMs: 100 });
    expect(await egress.send(post('https://hooks.example/'))).toMatchObject({
      kind: 'timeout',
      error: 'no connection to hooks.example within 100 ms',
    });
    expect(await egress.send(post('https://hooks.example/', { timeoutMs: 50 }))).toMatchObject({
      kind: 'timeout',
      error: 'no connection to hooks.example within 50 ms',
    });
  });

  it('tries the further addresses of a name', async () => {
    const port = await http((_req, res) => res.end('ok'));
    const lookup = () =>
      Promise.resolve([
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ]);
    expect(await client({ lookup }).send(post(`http://hooks.example:${port}`))).toMatchObject({
      kind: 'succeeded',
    });
  });
});

describe('TLS', () => {
  it('succeeds with a certificate for the name, sends SNI and reuses the connection', async () => {
    const names: unknown[] = [];
    let handshakes = 0;
    const server = createHttpsServer({ key: TEST_KEY, cert: VALID_CERT }, (req, res) => {
      names.push((req.socket as unknown as { servername: string }).servername);
      res.end('ok');
    });
    server.on('secureConnection', () => handshakes++);
    const port = await listen(server);
    const egress = client({ ca: [TEST_CA] });
    for (const host of ['localhost', 'localhost', '127.0.0.1']) {
      expect(await egress.send(post(`https://${host}:${port}`))).toMatchObject({ kind: 'succeeded' });
    }
    expect(names).toEqual(['localhost', 'localhost', false]);
    expect(handshakes).toBe(2);
  });

  it.each([
    ['an unknown authority', VALID_CERT, [], 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ['a self-signed certificate', SELF_SIGNED_CERT, [TEST_CA], 'the certificate is self-signed'],
    ['an expired certificate', EXPIRED_CERT, [TEST_CA], 'the certificate has expired'],
    ['a certificate for another name', OTHER_NAME_CERT, [TEST_CA], 'the certificate is for another name'],
  ])('refuses %s', async (_name, cert, ca, error) => {
    let requests = 0;
    const port = await https(cert, (_req, res) => {
      requests++;
      res.end();
    });
    const outcome = await client({ ca }).send(post(`https://localhost:${port}`));
    expect(outcome).toMatchObject({ kind: 'tls_error', error: expect.stringContaining(error) as string });
    expect(requests).toBe(0);
  });

  it('says so when the server speaks no TLS', async () => {
    const port = await http((_req, res) => res.end());
    expect(await client().send(post(`https://localhost:${port}`))).toMatchObject({ kind: 'tls_error' });
  });

  it('is bounded while shaking hands', async () => {
    const port = await tcp(() => undefined);
    expect(await client({ connectTimeoutMs: 100 }).send(post(`https://localhost:${port}`))).toMatchObject({
      kind: 'timeout',
    });
  });
});

describe('address guard', () => {
  const strict = (options: EgressOptions = {}) => client({ allowCidrs: [], ...options });
  const setting = 'is not allowed; see HOOKSTREAM_EGRESS_ALLOW_CIDRS';

  it.each([
    ['http://127.0.0.1', '127.0.0.1 (loopback)'],
    ['http://127.0.0.1.', '127.0.0.1 (loopback)'],
    ['http://127.1', '127.0.0.1 (loopback)'],
    ['http://2130706433', '127.0.0.1 (loopback)'],
    ['http://0x7f000001', '127.0.0.1 (loopback)'],
    ['http://0x7f.1', '127.0.0.1 (loopback)'],
    ['http://0177.0.0.1', '127.0.0.1 (loopback)'],
    ['http://017700000001', '127.0.0.1 (loopback)'],
    ['http://%31%32%37.0.0.1', '127.0.0.1 (loopback)'],
    ['http://１２７.0.0.1', '127.0.0.1 (loopback)'],
    ['http://0', '0.0.0.0 (unspecified)'],
    ['http://[::1]', '::1 (loopback)'],
    ['http://[::]', ':: (unspecified)'],
    ['http://[0:0:0:0:0:0:0:1]', '::1 (loopback)'],
    ['http://[::ffff:127.0.0.1]', '::ffff:7f00:1 (loopback)'],
    ['http://[::ffff:a9fe:a9fe]', '::ffff:a9fe:a9fe (metadata service)'],
    ['http://[64:ff9b::7f00:1]', '64:ff9b::7f00:1 (NAT64)'],
    ['http://[2002:7f00:1::]', '2002:7f00:1:: (6to4)'],
    ['http://[fd00::1]', 'fd00::1 (unique local)'],
    ['http://169.254.169.254/latest/meta-data', '169.254.169.254 (metadata service)'],
    ['http://10.0.0.1', '10.0.0.1 (private)'],
  ])('refuses the literal host of %s', async (url, what) => {
    const lookup = () => Promise.reject(new Error('a literal is not looked up'));
    expect(await strict({ lookup }).send(post(url))).toMatchObject({
      kind: 'blocked_address',
      error: `address ${what} ${setting}`,
    });
  });

  it('refuses localhost by what it resolves to', async () => {
    const port = await http((_req, res) => res.end());
    const outcome = await strict().send(post(`http://localhost:${port}`));
    expect(outcome).toMatchObject({
      kind: 'blocked_address',
      error: expect.stringContaining(setting) as string,
    });
  });

  it('refuses a name when any of its addresses is blocked', async () => {
    const lookup = () =>
      Promise.resolve([
        { address: '8.8.8.8', family: 4 },
        { address: '10.0.0.1', family: 4 },
      ]);
    expect(await strict({ lookup }).send(post('https://mixed.example'))).toMatchObject({
      kind: 'blocked_address',
      error: `mixed.example: address 10.0.0.1 (private) ${setting}`,
    });
  });

  it('vets every connection anew: a name that was fine and then turns to loopback', async () => {
    // 127.0.0.2 stands for the public address: it is the one that is allowed
    let connections = 0;
    const server = createHttpServer((_req, res) => res.setHeader('connection', 'close').end('ok'));
    server.on('connection', () => connections++);
    server.listen(0, '0.0.0.0');
    await once(server, 'listening');
    cleanUps.push(() => void server.close());
    const answers = ['127.0.0.2', '127.0.0.1', '127.0.0.2'];
    const lookup = () => Promise.resolve([{ address: answers.shift()!, family: 4 }]);
    const egress = strict({ allowCidrs: ['127.0.0.2/32'], lookup });
    const url = `http://rebind.example:${(server.address() as AddressInfo).port}`;
    const kinds = [];
    for (let i = 0; i < 3; i++) kinds.push((await egress.send(post(url))).kind);
    expect(kinds).toEqual(['succeeded', 'blocked_address', 'succeeded']);
    // the blocked one was not even connected to
    expect(connections).toBe(2);
  });

  it('connects to what was vetted, not to a second answer of the resolver', async () => {
    const port = await http((_req, res) => res.end('ok'));
    let asked = 0;
    const lookup = () => Promise.resolve([{ address: asked++ === 0 ? '127.0.0.1' : '10.0.0.1', family: 4 }]);
    expect(await client({ lookup }).send(post(`http://once.example:${port}`))).toMatchObject({
      kind: 'succeeded',
    });
    expect(asked).toBe(1);
  });

  it.each([
    ['http://example.com', { schemes: ['https'] }, 'must begin with https://'],
    ['https://user:hunter2@example.com', {}, 'must not contain a user name'],
    ['https://example.com:22', { ports: [443] }, 'must use one of the allowed ports'],
  ])('refuses %s by today’s rules', async (url, options, error) => {
    const outcome = await strict(options).send(post(url));
    expect(outcome).toMatchObject({
      kind: 'blocked_address',
      error: expect.stringContaining(error) as string,
    });
    expect(outcome.error).not.toContain('hunter2');
  });
});
