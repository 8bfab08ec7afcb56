// Real: Postgres. Simulated: its clock. What a rate limit lets go over time, whoever claims.
import { idToUuid, SYSTEM_ACTOR, uuidToId, type RateLimitPolicy } from '@hookstream/domain';
import {
  AttemptsRepository,
  FairClaim,
  toAttempt,
  toStart,
  type Claim,
  type ClaimOptions,
  type EndpointRecord,
} from '@hookstream/persistence';
import { SimulatedClock } from './simulated-clock.js';
import { StoredDeliveries } from './stored-deliveries.js';

/** What both lanes claim. */
interface Claimed {
  deliveryId: string;
}
interface Claimer {
  claim(options: ClaimOptions): Promise<Claim<Claimed>>;
}

const LANES: Record<'durable' | 'express', (clock: SimulatedClock) => Claimer> = {
  durable: (clock) => new FairClaim(clock.pool, toStart('durable')),
  express: (clock) => new FairClaim(clock.pool, toAttempt('express')),
};

describe.each(['durable', 'express'] as const)('the rate limit of an endpoint in the %s lane', (lane) => {
  let store: StoredDeliveries;
  let clock: SimulatedClock;
  let claimers: Claimer[];

  beforeAll(async () => {
    store = await StoredDeliveries.create();
    store.lane = lane;
    clock = await SimulatedClock.create(store.testDatabase.url, 6);
  });
  beforeEach(async () => {
    await store.database.pool.query('TRUNCATE outbox, slots');
    claimers = [1, 2, 3].map(() => LANES[lane](clock));
  });
  afterAll(async () => {
    await clock.stop();
    await store.drop();
  });

  const claimOnce = (claimer: Claimer, workerId: string): Promise<Claim<Claimed>> =>
    claimer.claim({
      workerId,
      leaseMs: 3_600_000,
      use: { room: 200, capacity: 1_000_000, total: 0, tenants: new Map(), endpoints: new Map() },
    });

  /** What three workers get between them at this moment, and when the next may go. */
  async function claimNow(): Promise<{ count: number; nextInMs: number | null }> {
    let count = 0;
    for (;;) {
      const round = await Promise.all(claimers.map((claimer, i) => claimOnce(claimer, `worker-${i}`)));
      const got = round.reduce((sum, { deliveries }) => sum + deliveries.length, 0);
      count += got;
      if (got > 0 || round.some(({ contended }) => contended)) continue;
      return { count, nextInMs: round[0]?.nextInMs ?? null };
    }
  }

  /** So many wait since long before the clock's present. */
  async function waiting(rateLimit: RateLimitPolicy, count: number): Promise<EndpointRecord> {
    const endpoint = await store.endpoint(undefined, { rateLimit });
    await store.accept(endpoint, count);
    await clock.pool.query(
      `UPDATE outbox SET claimable_at = now() - interval '1 hour' WHERE endpoint_id = $1`,
      [idToUuid('endpoint', endpoint.id)],
    );
    return endpoint;
  }

  it.each([
    { per_second: 50, burst: 1, seconds: 3 },
    { per_second: 50, burst: 10, seconds: 3 },
    { per_second: 50, seconds: 3 },
    { per_second: 7.3, burst: 1, seconds: 10 },
    { per_second: 0.5, burst: 2, seconds: 60 },
    { per_second: 0.01, burst: 1, seconds: 1_500 },
  ])('is kept within 5 % by three workers that are up to 15 ms late: %j', async ({ seconds, ...rate }) => {
    const burst = rate.burst ?? rate.per_second;
    await waiting(rate, Math.ceil(rate.per_second * seconds * 1.2 + burst + 10));
    const first = await claimNow();
    // the machinery is taken to be as late with the first as with all others
    expect(first.count).toBeGreaterThanOrEqual(burst);
    expect(first.count).toBeLessThanOrEqual(burst + rate.per_second / 10);
    let [claimed, passed, { nextInMs }] = [0, 0, first];
    for (let late = 1; passed < seconds * 1_000; late = (late * 7) % 16) {
      const step = (nextInMs ?? 1_000) + late;
      await clock.advance(step);
      passed += step;
      const now = await claimNow();
      claimed += now.count;
      ({ nextInMs } = now);
    }
    const expected = (rate.per_second * passed) / 1_000;
    expect(Math.abs(claimed - expected)).toBeLessThanOrEqual(Math.max(1, expected * 0.05));
  });

  it('gives an endpoint that was idle its burst and nothing for the time it had nothing to send', async () => {
    const endpoint = await waiting({ per_second: 50, burst: 3 }, 1);
    expect((await claimNow()).count).toBe(1);
    await clock.advance(60_000);
    await store.accept(endpoint, 20);
    await clock.pool.query(`UPDATE outbox SET claimable_at = now() WHERE claimable_at < now()`);
    await clock.advance(5);
    expect((await claimNow()).count).toBe(3);
  });

  it('counts attempts that the dispatcher has not let go, and refuses them when no token is left', async () => {
    const endpoint = await waiting({ per_second: 1, burst: 2 }, 4);
    const { rows } = await clock.pool.query<{ delivery_id: string }>(
      `DELETE FROM outbox WHERE delivery_id IN (SELECT delivery_id FROM outbox ORDER BY 1 LIMIT 2) RETURNING delivery_id`,
    );
    const attempts = new AttemptsRepository(clock.pool);
    const begin = (uuid = '') =>
      attempts.begin({
        deliveryId: uuidToId('delivery', uuid),
        number: 1,
        trigger: 'schedule',
        lane: 'durable',
      });
    expect((await begin(rows[0]?.delivery_id))?.begun).toBe(true);
    expect((await claimNow()).count).toBe(1);
    expect(await begin(rows[1]?.delivery_id)).toMatchObject({ begun: false, refusal: 'rate_limit' });
    await clock.advance(1_000);
    expect((await begin(rows[1]?.delivery_id))?.begun).toBe(true);
    expect((await claimNow()).count).toBe(0);
    expect(endpoint.rateLimit).toEqual({ per_second: 1, burst: 2 });
  });

  it('forgets the debt of a slower rate when the rate is raised', async () => {
    const endpoint = await waiting({ per_second: 0.001, burst: 1 }, 20);
    expect((await claimNow()).count).toBe(1);
    await store.endpoints.update(
      store.tenantId,
      endpoint.id,
      { rateLimit: { per_second: 10, burst: 1 } },
      SYSTEM_ACTOR,
    );
    await clock.advance(200);
    expect((await claimNow()).count).toBeGreaterThanOrEqual(1);
  });
});
