import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the breaker of an endpoint remembers and what the hot path reads of it. Adds nullable columns and columns with constant
 * defaults: `endpoints` is locked (ACCESS EXCLUSIVE) for the moment it takes to note them, nothing is rewritten. The index is built on a
 * small table under the same lock; at its making it is empty, since no circuit is open yet.
 */
export class Circuits1763900100000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE endpoints
        ADD COLUMN circuit_seq integer NOT NULL DEFAULT 0,
        ADD COLUMN circuit_turn integer NOT NULL DEFAULT 0,
        ADD COLUMN circuit_memory jsonb,
        ADD COLUMN circuit_changed_at timestamptz,
        ADD COLUMN circuit_opened_at timestamptz,
        ADD COLUMN circuit_probe_at timestamptz,
        ADD COLUMN failing_since timestamptz,
        ADD COLUMN recovering boolean NOT NULL DEFAULT false;
      COMMENT ON COLUMN endpoints.circuit_seq IS 'orders what is stored of the breaker: a lower number comes too late';
      COMMENT ON COLUMN endpoints.circuit_turn IS 'counts changes of circuit_state; tells a half-open circuit''s probe from older attempts';
      COMMENT ON COLUMN endpoints.circuit_memory IS 'all that the breaker remembered when it was last stored; null: nothing';
      COMMENT ON COLUMN endpoints.circuit_opened_at IS 'when it first opened since it was last closed';
      COMMENT ON COLUMN endpoints.circuit_probe_at IS 'when the open circuit is to let a probe go';
      COMMENT ON COLUMN endpoints.failing_since IS 'the first failed attempt since the last success';
      COMMENT ON COLUMN endpoints.recovering IS 'its circuit was open or it was disabled, and no success has been seen since';
      CREATE INDEX endpoints_circuit_probe ON endpoints (circuit_probe_at) WHERE circuit_state = 'open' AND deleted_at IS NULL;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX endpoints_circuit_probe;
      ALTER TABLE endpoints
        DROP COLUMN circuit_seq, DROP COLUMN circuit_turn, DROP COLUMN circuit_memory, DROP COLUMN circuit_changed_at,
        DROP COLUMN circuit_opened_at, DROP COLUMN circuit_probe_at, DROP COLUMN failing_since, DROP COLUMN recovering;
    `);
  }
}
