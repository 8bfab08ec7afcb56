// The receiver of the benches, a process of its own: what it costs is not measured with the generator.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { answerCalls } from '../children/child-calls.js';
import { monotonicMs } from '../generator/clock.js';
import type { Collected, SinkHandlers } from './sink-protocol.js';

const KEEP_ALIVE_MS = 120_000;

class Round implements Collected {
  readonly arrivals: Collected['arrivals'] = [];
  readonly ids = new Set<string>();
  signaturesVerified = 0;
  signaturesWrong = 0;
  webhook: Webhook | undefined;
  every = 0;
  status = 200;
  afterMs = 0;

  wantsVerification(): boolean {
    return this.webhook !== undefined && this.arrivals.length % this.every === 0;
  }

  verify(body: string, headers: IncomingMessage['headers']): void {
    try {
      this.webhook?.verify(body, headers as Record<string, string>);
      this.signaturesVerified += 1;
    } catch {
      this.signaturesWrong += 1;
    }
  }
}

const rounds = new Map<string, Round>();

function roundOf(path: string): Round {
  let round = rounds.get(path);
  if (!round) rounds.set(path, (round = new Round()));
  return round;
}

function receive(request: IncomingMessage, response: ServerResponse): void {
  const at = monotonicMs();
  const round = roundOf(request.url ?? '/');
  const id = String(request.headers['webhook-id'] ?? '');
  round.ids.add(id);
  round.arrivals.push({ id, attempt: Number(request.headers['hookstream-attempt'] ?? 1), at });
  if (round.wantsVerification()) {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => round.verify(Buffer.concat(chunks).toString('utf8'), request.headers));
  } else {
    request.resume();
  }
  request.on('end', () => answer(round, response));
}

function answer({ status, afterMs }: Round, response: ServerResponse): void {
  response.statusCode = status;
  if (afterMs === 0) response.end();
  else setTimeout(() => response.end(), afterMs);
}

const server = createServer(receive);
server.keepAliveTimeout = KEEP_ALIVE_MS;
await new Promise<void>((resolve, reject) => {
  server.once('error', reject);
  server.listen(0, '127.0.0.1', 1_024, resolve);
});

const handlers: SinkHandlers = {
  port: () => (server.address() as AddressInfo).port,
  verify({ path, secret, every }) {
    const round = roundOf(path);
    round.webhook = new Webhook(secret);
    round.every = every;
  },
  answer({ path, status, afterMs }) {
    Object.assign(roundOf(path), { status, afterMs });
  },
  count: ({ path }) => roundOf(path).ids.size,
  collect({ path }) {
    const { arrivals, signaturesVerified, signaturesWrong } = roundOf(path);
    rounds.delete(path);
    return { arrivals, signaturesVerified, signaturesWrong };
  },
};

answerCalls(handlers, () => Promise.resolve(server.closeAllConnections()));
