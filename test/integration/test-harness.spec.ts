// Real: Postgres and the Temporal dev server of the test run.
import { connectTestTemporal, createTestDatabase } from '@hookstream/testing';

describe('test harness', () => {
  it('gives each file a migrated database of its own', async () => {
    const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    try {
      const database = await one.open();
      await database.pool.query('CREATE TABLE only_here (id int)');
      const { rows } = await database.pool.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM information_schema.tables WHERE table_name IN ('events', 'deliveries', 'attempts', 'outbox')`,
      );
      expect(rows[0]?.n).toBe(4);
      const neighbour = await other.open();
      await expect(neighbour.pool.query('SELECT * FROM only_here')).rejects.toThrow('does not exist');
    } finally {
      await Promise.all([one.drop(), other.drop()]);
    }
  });

  it('has a Temporal server that knows our search attributes', async () => {
    const temporal = await connectTestTemporal();
    try {
      const answer = await temporal.operatorService.listSearchAttributes({ namespace: temporal.namespace });
      expect(Object.keys(answer.customAttributes ?? {})).toEqual(
        expect.arrayContaining([
          'HookstreamTenantId',
          'HookstreamEndpointId',
          'HookstreamEventId',
          'HookstreamEventType',
          'HookstreamStatus',
        ]),
      );
    } finally {
      await temporal.close();
    }
  });
});
