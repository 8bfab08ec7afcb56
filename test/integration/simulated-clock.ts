import pg from 'pg';

/** Before pg_catalog, so that an unqualified `now()` is ours. */
const SCHEMA = 'simulated';

/** A pool whose `now()` stands still until a test moves it, so that what limits do over minutes is seen in an instant. */
export class SimulatedClock {
  private constructor(readonly pool: pg.Pool) {}

  /** Begins at the database's real time. */
  static async create(url: string, poolSize: number): Promise<SimulatedClock> {
    const pool = new pg.Pool({
      connectionString: url,
      max: poolSize,
      options: `-c search_path=${SCHEMA},pg_catalog,public`,
    });
    await pool.query(`
      CREATE SCHEMA IF NOT EXISTS ${SCHEMA};
      CREATE TABLE ${SCHEMA}.clock AS SELECT pg_catalog.now() AS at;
      CREATE FUNCTION ${SCHEMA}.now() RETURNS timestamptz STABLE LANGUAGE sql AS 'SELECT at FROM ${SCHEMA}.clock'`);
    return new SimulatedClock(pool);
  }

  async advance(ms: number): Promise<void> {
    await this.pool.query(`UPDATE ${SCHEMA}.clock SET at = at + $1 * interval '1 ms'`, [ms]);
  }

  async stop(): Promise<void> {
    await this.pool.end();
  }
}
