// The receiver of the benches, a process of its own: what it costs is not measured with the generator.
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { answerCalls } from '../children/child-calls.js';
import { monotonicMs } from '../generator/clock.js';
import { createRawHttpServer, type RawRequest } from './raw-http-server.js';
import type { Collected, SinkHandlers } from './sink-protocol.js';

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

  verify(body: string, headers: RawRequest['headers']): void {
    try {
      this.webhook?.verify(body, headers);
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

function begin({ path, headers }: RawRequest): boolean {
  const at = monotonicMs();
  const round = roundOf(path);
  const id = headers['webhook-id'] ?? '';
  round.ids.add(id);
  round.arrivals.push({ id, attempt: Number(headers['hookstream-attempt'] ?? 1), at });
  return round.wantsVerification();
}

function end({ path, headers }: RawRequest, body: Buffer, answer: (status: number) => void): void {
  const round = roundOf(path);
  if (body.length > 0) round.verify(body.toString('utf8'), headers);
  const { status, afterMs } = round;
  if (afterMs === 0) answer(status);
  else setTimeout(() => answer(status), afterMs);
}

const { server, closeConnections } = createRawHttpServer({ begin, end });
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

answerCalls(handlers, () => Promise.resolve(closeConnections()));
