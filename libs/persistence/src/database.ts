import 'reflect-metadata';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { ENTITIES } from './entities/index.js';
import { MIGRATIONS } from './migrations/index.js';
import { isAnswerTimeout } from './postgres-errors.js';

/** Connections that ordinary CRUD may hold in one process, beside the hot path's pool. */
const CRUD_POOL_SIZE = 5;

/**
 * A connection stays when nothing uses it, but not for ever: a new one has all statements to plan, some 50 ms on the way of an event; an old one
 * has plans made for tables that may have been empty.
 */
const MAX_LIFETIME_SECONDS = 3_600;

/**
 * Plans a statement once per connection instead of at every execution, which with a partition a day costs more than running it
 * (Postgres prefers to plan anew because only then does it see which partition is meant). Such a plan may be made while
 * tables are empty and kept when they are full, so it must not read whole tables then: indexes and nested loops only, nothing read once to
 * be gone through for every row. And plain index scans note which entries are dead, so that the next one passes them over; a bitmap scan
 * comes upon all that went since the last vacuum.
 *
 * What statements have to see to in return:
 * - What may be many is looked up as `= ANY (ARRAY(…))`, once: as `IN (…)`, or joined in `FROM` or `USING`, the plan may begin with the
 *   table and go through the many for each of its rows.
 * - A statement that changes rows of a partitioned table by a join names their ids in the join alone. Where a parameter bounds the ids as
 *   well, partitions are left out once at the start and then at each look-up, and Postgres (18.4) then takes a row that another
 *   transaction has just changed for one that does not match: the change is lost without an error.
 */
export const LOOK_UPS_ONLY = [
  '-c plan_cache_mode=force_generic_plan',
  '-c enable_seqscan=off',
  '-c enable_bitmapscan=off',
  '-c enable_hashjoin=off',
  '-c enable_mergejoin=off',
  '-c enable_material=off',
].join(' ');

export interface DatabaseOptions {
  /** `postgres://…` */
  url: string;
  /** Most connections of the hot path. */
  poolSize: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  /** The hot path of this process looks rows up by their keys and nothing else: see {@link LOOK_UPS_ONLY}. */
  lookUpsOnly?: boolean;
  /**
   * How long one statement may go without an answer before it fails as "not now", in milliseconds. For processes that answer people: a
   * Postgres that stands still keeps its connections open and says nothing. What was sent may still be carried out. Default: no end.
   */
  answerTimeoutMs?: number;
  /** A pooled connection broke while idle. Nothing to do but tell: the pool replaces it. */
  onIdleError?: (error: Error) => void;
}

/**
 * For either pool. Between a pool's letting go of a connection and the next turn of whoever gets it nobody listens to its errors, and an
 * `error` that nobody listens to ends the process: Postgres that shuts down says so in the packet that ends the query before. Work on a
 * connection that has broken fails by itself.
 */
const NEVER_UNHEARD = {
  onConnect: (client: pg.ClientBase): void => void client.on('error', () => undefined),
};

/**
 * One process' access to Postgres: `pool` for the hand-written SQL of accept, dispatch and record, `dataSource`
 * (TypeORM) for entities and ordinary CRUD. Both recover by themselves when Postgres comes back.
 */
export interface Database {
  readonly pool: pg.Pool;
  readonly dataSource: DataSource;
  /** For LISTEN, which needs a connection of its own. */
  readonly url: string;
  close(): Promise<void>;
}

/** Opens both pools and connects once. @throws when Postgres cannot be reached; call again. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const answerTimeout =
    options.answerTimeoutMs === undefined ? {} : { query_timeout: options.answerTimeoutMs };
  const pool = new pg.Pool({
    ...NEVER_UNHEARD,
    ...answerTimeout,
    connectionString: options.url,
    max: options.poolSize,
    application_name: options.applicationName,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    idleTimeoutMillis: 0,
    maxLifetimeSeconds: MAX_LIFETIME_SECONDS,
    ...(options.lookUpsOnly ? { options: LOOK_UPS_ONLY } : {}),
  });
  pool.on('error', (error) => options.onIdleError?.(error));
  const dataSource = new DataSource({
    type: 'postgres',
    url: options.url,
    entities: ENTITIES,
    migrations: MIGRATIONS,
    migrationsTableName: 'migrations',
    synchronize: false,
    poolSize: CRUD_POOL_SIZE,
    applicationName: options.applicationName,
    connectTimeoutMS: 5_000,
    extra: { ...NEVER_UNHEARD, ...answerTimeout },
    poolErrorHandler: (error: Error) => options.onIdleError?.(error),
    logging: false,
  });
  try {
    await pool.query('SELECT 1');
    await dataSource.initialize();
  } catch (error) {
    await pool.end();
    throw error;
  }
  return {
    pool,
    dataSource,
    url: options.url,
    close: async () => {
      await Promise.all([pool.end(), dataSource.isInitialized ? dataSource.destroy() : undefined]);
    },
  };
}

/**
 * Runs what is given on one connection of the pool. A connection that breaks fails the query under way and is not used again, whatever
 * comes of the work on it.
 */
export async function withClient<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient, discard: (error: Error) => void) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const discard = (error: Error): void => {
    broken = error;
  };
  client.on('error', discard);
  try {
    return await work(client, discard);
  } finally {
    client.off('error', discard);
    client.release(broken);
  }
}

/** Runs what is given in one transaction on one connection; rolls back on any error and throws it on. */
export function inTransaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return withClient(pool, async (client, discard) => {
    try {
      await client.query('BEGIN');
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      // A connection that gave no answer would give none to ROLLBACK either; without it, Postgres rolls back.
      if (isAnswerTimeout(error)) discard(error);
      else await client.query('ROLLBACK').catch(discard);
      throw error;
    }
  });
}
