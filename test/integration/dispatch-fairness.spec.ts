// Real: Postgres. Whose deliveries a worker claims while the backlog of another tenant waits.
import { idToUuid } from '@hookstream/domain';
import { FairClaim, toStart, type EndpointRecord } from '@hookstream/persistence';
import { StoredDeliveries } from './stored-deliveries.js';

const BACKLOG = 20_000;
const CAPACITY = 64;

describe('beside a backlog of 20,000 at one endpoint of another tenant', () => {
  let store: StoredDeliveries;
  let busy: EndpointRecord;
  let quiet: { tenantId: string; endpoint: EndpointRecord };

  beforeAll(async () => {
    store = await StoredDeliveries.create();
    busy = await store.endpoint();
    const tenantId = await store.addTenant();
    quiet = { tenantId, endpoint: await store.endpoint(undefined, { tenantId }) };
  });
  beforeEach(async () => {
    await store.database.pool.query('TRUNCATE outbox, slots');
    await fill();
  });
  afterAll(() => store.drop());

  /** As accepting them one by one would leave them, due for a minute. */
  async function fill(): Promise<void> {
    const { deliveryId } = await store.acceptOne(busy);
    await store.database.pool.query(
      `WITH copied AS (
         INSERT INTO deliveries (id, tenant_id, event_id, endpoint_id, event_type, status, lane, created_at, updated_at)
         SELECT (left(d.id::text, 24) || lpad(to_hex(n), 12, '0'))::uuid, tenant_id, event_id, endpoint_id, event_type, status, lane,
                created_at, updated_at
           FROM deliveries d, generate_series(2, $2::int) n WHERE d.id = $1
         RETURNING id, tenant_id, endpoint_id)
       INSERT INTO outbox (delivery_id, tenant_id, endpoint_id, due_at, claimable_at)
       SELECT id, tenant_id, endpoint_id, now() - interval '1 minute', now() - interval '1 minute' FROM copied`,
      [idToUuid('delivery', deliveryId), BACKLOG],
    );
    expect(await store.count('SELECT count(*)::int AS n FROM outbox WHERE claimable_at <= now()')).toBe(
      BACKLOG,
    );
  }

  const post = () => store.acceptOne(quiet.endpoint, { tenantId: quiet.tenantId });

  /** A worker that claims with all the room it has and starts everything; nothing of it ends. */
  function worker(capacity: number) {
    const claim = new FairClaim(store.database.pool, toStart('durable'));
    const underWay: string[] = [];
    const tenants = new Map<string, number>();
    const endpoints = new Map<string, number>();
    return async (room = capacity - underWay.length) => {
      const use = { room, capacity, total: underWay.length, tenants, endpoints };
      const { deliveries } = await claim.claim({ workerId: 'a', leaseMs: 60_000, use });
      for (const { deliveryId, tenantId, endpointId } of deliveries) {
        underWay.push(deliveryId);
        tenants.set(tenantId, (tenants.get(tenantId) ?? 0) + 1);
        endpoints.set(endpointId, (endpoints.get(endpointId) ?? 0) + 1);
      }
      return deliveries.map(({ deliveryId }) => deliveryId);
    };
  }

  it('is in the very next claim what a tenant posts, and the backlog goes on after it', async () => {
    const claim = worker(10_000);
    expect(await claim(10)).toHaveLength(10);
    const { deliveryId } = await post();
    expect(await claim(10)).toContain(deliveryId);
    expect(await claim(10)).toHaveLength(10);
  });

  it('finds room in a worker that has taken all of the backlog it may', async () => {
    const claim = worker(CAPACITY);
    for (let taken = -1; taken !== 0;) taken = (await claim()).length;
    const { deliveryId } = await post();
    expect(await claim()).toEqual([deliveryId]);
  });
});
