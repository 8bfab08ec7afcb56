import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Replays of many deliveries. `replays` is new. The index on `outbox` is empty at first: building it reads the outbox once under a
 * SHARE lock, which accepting and dispatching wait for, about a second for a million waiting deliveries.
 */
export class Replays1763900300000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE replays (
        id            uuid PRIMARY KEY,
        tenant_id     uuid NOT NULL REFERENCES tenants (id),
        filter        jsonb NOT NULL,
        status        text NOT NULL DEFAULT 'counting'
                      CHECK (status IN ('counting', 'running', 'paused', 'completed', 'cancelled')),
        total         integer NOT NULL DEFAULT 0,
        done          integer NOT NULL DEFAULT 0,
        failed        integer NOT NULL DEFAULT 0,
        failures      jsonb NOT NULL DEFAULT '{}',
        after_id      uuid NOT NULL,
        before_id     uuid NOT NULL,
        cursor        uuid NOT NULL,
        created_by    text NOT NULL,
        created_at    timestamptz NOT NULL,
        updated_at    timestamptz NOT NULL DEFAULT now(),
        counted_at    timestamptz,
        completed_at  timestamptz
      );
      COMMENT ON COLUMN replays.cursor IS
        'the last delivery looked at, of those between after_id and before_id: by the count until counted_at, then by the queueing';
      CREATE INDEX replays_tenant ON replays (tenant_id, id);
      CREATE INDEX replays_unfinished ON replays (tenant_id) WHERE status IN ('counting', 'running', 'paused');

      CREATE INDEX outbox_replay ON outbox (tenant_id, endpoint_id) WHERE trigger = 'replay' AND claimable_at < 'infinity';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP INDEX outbox_replay;
      DROP TABLE replays;
    `);
  }
}
