// Real: Postgres. What the reconciler puts back in the outbox, and what it leaves alone.
import { idToUuid } from '@hookstream/domain';
import { OutboxRepository, type EndpointRecord } from '@hookstream/persistence';
import { StoredDeliveries } from './stored-deliveries.js';

const OLDER_THAN_MS = 60_000;

describe('reconciling the outbox', () => {
  let store: StoredDeliveries;
  let endpoint: EndpointRecord;

  beforeAll(async () => {
    store = await StoredDeliveries.create();
  });
  beforeEach(async () => {
    await store.database.pool.query('DELETE FROM outbox');
    await store.database.pool.query('DELETE FROM deliveries');
    endpoint = await store.endpoint();
  });
  afterAll(() => store.drop());

  /** As a worker that has just started. */
  const reconcile = (limit = 100) =>
    new OutboxRepository(store.database.pool).reconcile({ olderThanMs: OLDER_THAN_MS, limit });

  /** A delivery that its worker took out of the outbox and then left in that state. */
  async function leftBehind(status: string, touched: string, nextAttempt = 'NULL'): Promise<string> {
    const { deliveryId } = await store.acceptOne(endpoint);
    await store.database.pool.query('DELETE FROM outbox WHERE delivery_id = $1', [
      idToUuid('delivery', deliveryId),
    ]);
    await store.database.pool.query(
      `UPDATE deliveries SET status = $2, updated_at = now() - $3::interval, next_attempt_at = ${nextAttempt} WHERE id = $1`,
      [idToUuid('delivery', deliveryId), status, touched],
    );
    return deliveryId;
  }

  it('puts back what nothing has moved for longer than the bound', async () => {
    const stuck = [
      await leftBehind('pending', '61 s'),
      await leftBehind('in_progress', '61 s'),
      await leftBehind('retrying', '1 hour', `now() - interval '61 s'`),
    ];
    expect(await reconcile()).toBe(3);
    expect(new Set(await store.claim())).toEqual(new Set(stuck));
    expect(await reconcile()).toBe(0);
  });

  it('leaves alone what moves, waits for its time, is final or stands in the outbox', async () => {
    await leftBehind('pending', '50 s');
    await leftBehind('in_progress', '50 s');
    await leftBehind('retrying', '1 hour', `now() - interval '50 s'`);
    await leftBehind('retrying', '1 hour', `now() + interval '1 hour'`);
    await leftBehind('succeeded', '1 hour');
    await leftBehind('dead_letter', '1 hour');
    await leftBehind('cancelled', '1 hour');
    const waiting = await store.acceptOne(endpoint);
    await store.database.pool.query(
      `UPDATE deliveries SET updated_at = now() - interval '1 hour', next_attempt_at = NULL WHERE id = $1`,
      [idToUuid('delivery', waiting.deliveryId)],
    );
    expect(await reconcile()).toBe(0);
    expect(await store.claim()).toEqual([waiting.deliveryId]);
  });

  it('takes no more than its limit, the longest forgotten first', async () => {
    await leftBehind('pending', '2 hours');
    const older = await leftBehind('pending', '3 hours');
    expect(await reconcile(1)).toBe(1);
    expect(await store.claim()).toEqual([older]);
  });

  it('looks at no more than its limit at a time, goes on behind it and begins again after the last', async () => {
    const waiting = await store.accept(endpoint, 6);
    await store.database.pool.query(
      `UPDATE deliveries SET updated_at = now() - interval '1 hour', next_attempt_at = NULL WHERE id = ANY($1)`,
      [waiting.map(({ deliveryId }) => idToUuid('delivery', deliveryId))],
    );
    const worker = new OutboxRepository(store.database.pool);
    const look = () => worker.reconcile({ olderThanMs: OLDER_THAN_MS, limit: 2 });
    await leftBehind('pending', '61 s');
    expect([await look(), await look(), await look(), await look()]).toEqual([0, 0, 0, 1]);
    await leftBehind('pending', '2 hours');
    expect([await look(), await look()]).toEqual([1, 0]);
  });

  it('frees held rows of enabled endpoints, however many rows of others are held', async () => {
    const paused = await store.endpoint();
    const disabled = await store.endpoint();
    await store.accept(paused, 20);
    await store.accept(disabled, 20);
    await store.setStatus(paused, 'paused');
    await store.setStatus(disabled, 'disabled');
    const forgotten = await store.accept(endpoint, 3);
    await store.database.pool.query(`UPDATE outbox SET claimable_at = 'infinity' WHERE endpoint_id = $1`, [
      idToUuid('endpoint', endpoint.id),
    ]);
    expect(await reconcile(2)).toBe(2);
    expect(await reconcile(2)).toBe(1);
    expect(new Set(await store.claim())).toEqual(new Set(forgotten.map(({ deliveryId }) => deliveryId)));
    expect(await store.held(paused)).toBe(20);
    expect(await store.held(disabled)).toBe(20);
  });

  it('runs in several workers at once without two rows for a delivery', async () => {
    for (let i = 0; i < 5; i++) await leftBehind('pending', '2 hours');
    await Promise.all(Array.from({ length: 8 }, () => reconcile()));
    expect(await store.claim()).toHaveLength(5);
  });
});
