// A process that claims and "delivers" until it is killed: what it sends is a row in `sent`, written before the attempt is recorded.
import { idToUuid, newId, type AttemptDecision } from '@hookstream/domain';
import {
  AttemptsRepository,
  failedFirst,
  FairClaim,
  openDatabase,
  toStart,
  type ClaimedDelivery,
} from '@hookstream/persistence';

const [url = '', workerId = ''] = process.argv.slice(2);
/** Longer than a test: the rows of a killed process are given back when it is surely gone. */
const LEASE_MS = 600_000;
/** One attempt in so many fails and is claimed for another. */
const FAILS_ONE_IN = 4;

const database = await openDatabase({ url, poolSize: 4, applicationName: workerId });
const claims = [
  new FairClaim(database.pool, toStart('durable')),
  new FairClaim(database.pool, failedFirst()),
];
const attempts = new AttemptsRepository(database.pool);

async function deliver(claimed: ClaimedDelivery): Promise<void> {
  const { deliveryId, attemptCount } = claimed;
  const number = attemptCount + 1;
  const loaded = await attempts.begin({ deliveryId, number, trigger: 'schedule', lane: 'durable' });
  if (loaded?.begun !== true) {
    if (loaded?.refusal !== undefined) await attempts.handBack(loaded, claimed.scheduleStep);
    return;
  }
  await database.pool.query('INSERT INTO sent (delivery_id, worker) VALUES ($1, $2)', [
    idToUuid('delivery', deliveryId),
    workerId,
  ]);
  const failed = Math.random() * FAILS_ONE_IN < 1;
  const decision: AttemptDecision = failed ? { next: 'retry', delayMs: 1 } : { next: 'succeeded' };
  await attempts.record(
    { ...loaded, inOutbox: true },
    {
      attemptId: newId('attempt'),
      number,
      trigger: 'schedule',
      outcome: { kind: failed ? 'timeout' : 'succeeded', durationMs: 1 },
      decision,
      startedAt: new Date(),
      nextAttemptAt: failed ? new Date() : null,
      requestUrl: 'https://receiver.test/',
      requestHeaders: {},
    },
    number,
  );
}

process.stdout.write('ready\n');
for (;;) {
  for (const lane of claims) {
    const { deliveries } = await lane.claim({
      workerId,
      leaseMs: LEASE_MS,
      use: { room: 5, capacity: 1_000, total: 0, tenants: new Map(), endpoints: new Map() },
    });
    await Promise.all(deliveries.map(deliver));
  }
}
