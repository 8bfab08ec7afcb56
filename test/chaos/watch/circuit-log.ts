import { idToUuid, uuidToId } from '@hookstream/domain';
import type { Database } from '@hookstream/persistence';

export interface CircuitChange {
  state: 'closed' | 'open' | 'half_open';
  /** Unix ms, by the clock of this machine: Postgres runs on it, too. */
  at: number;
}

/** An attempt that the engine let go. */
export interface LetGo {
  eventId: string;
  /** Unix ms, by the same clock. */
  at: number;
}

/**
 * Notes every change of a circuit's projection, and every attempt that is let go, in the instance's own database, by triggers: looking now
 * and then would miss some.
 */
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
      CREATE TABLE chaos_let_go (delivery_id uuid NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
      CREATE FUNCTION chaos_note_slot() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO chaos_let_go (delivery_id) VALUES (NEW.delivery_id);
        RETURN NULL;
      END $$;
      CREATE TRIGGER chaos_slot AFTER INSERT OR UPDATE ON slots FOR EACH ROW EXECUTE FUNCTION chaos_note_slot();
      CREATE FUNCTION chaos_note_begun() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO chaos_let_go (delivery_id) VALUES (NEW.id);
        RETURN NULL;
      END $$;
      CREATE TRIGGER chaos_begun AFTER UPDATE OF status ON deliveries
        FOR EACH ROW WHEN (NEW.status = 'in_progress' AND NEW.lane = 'durable') EXECUTE FUNCTION chaos_note_begun();
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

  /** When attempts of the endpoint were let go: as a workflow began one, or as the dispatcher took it. */
  async letGoOf(endpointId: string): Promise<LetGo[]> {
    const { rows } = await this.database.pool.query<{ event_id: string; at: Date }>(
      `SELECT d.event_id, l.at FROM chaos_let_go l JOIN deliveries d ON d.id = l.delivery_id WHERE d.endpoint_id = $1 ORDER BY l.at`,
      [idToUuid('endpoint', endpointId)],
    );
    return rows.map(({ event_id, at }) => ({ eventId: uuidToId('event', event_id), at: at.getTime() }));
  }
}
