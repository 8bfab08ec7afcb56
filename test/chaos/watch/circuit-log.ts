import { idToUuid } from '@hookstream/domain';
import type { Database } from '@hookstream/persistence';

export interface CircuitChange {
  state: 'closed' | 'open' | 'half_open';
  /** Unix ms, by the clock of this machine: Postgres runs on it, too. */
  at: number;
}

/** Notes every change of a circuit's projection in the instance's own database, by a trigger: looking now and then would miss some. */
export class CircuitLog {
  private constructor(private readonly database: Database) {}

  static async install(database: Database): Promise<CircuitLog> {
    await database.pool.query(`
      CREATE TABLE chaos_circuit_changes (
        id bigserial PRIMARY KEY, endpoint_id uuid NOT NULL, state text NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp()
      );
      CREATE FUNCTION chaos_note_circuit() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO chaos_circuit_changes (endpoint_id, state) VALUES (NEW.id, NEW.circuit_state);
        RETURN NULL;
      END $$;
      CREATE TRIGGER chaos_circuit AFTER UPDATE OF circuit_state ON endpoints
        FOR EACH ROW WHEN (OLD.circuit_state IS DISTINCT FROM NEW.circuit_state) EXECUTE FUNCTION chaos_note_circuit();
    `);
    return new CircuitLog(database);
  }

  /** In order. */
  async changesOf(endpointId: string): Promise<CircuitChange[]> {
    const { rows } = await this.database.pool.query<{ state: CircuitChange['state']; at: Date }>(
      'SELECT state, at FROM chaos_circuit_changes WHERE endpoint_id = $1 ORDER BY id',
      [idToUuid('endpoint', endpointId)],
    );
    return rows.map(({ state, at }) => ({ state, at: at.getTime() }));
  }
}
