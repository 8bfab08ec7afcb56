import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The catalogue of event types, and what their schemas find. Locks `tenants` and `events` exclusively for as long as it takes to note
 * a column in the catalogue: both have no default that would have to be computed, so no row is read or written.
 */
export class EventTypes1763900200001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE tenants ADD COLUMN event_types_version bigint NOT NULL DEFAULT 0;
      COMMENT ON COLUMN tenants.event_types_version IS
        'raised by every change of the catalogue, so that whoever keeps a copy sees with one small row that it is old';

      CREATE TABLE event_types (
        tenant_id    uuid NOT NULL REFERENCES tenants (id),
        name         text NOT NULL,
        description  text NOT NULL DEFAULT '',
        schema       json,
        validation   text NOT NULL CHECK (validation IN ('off', 'warn', 'reject')),
        version      bigint NOT NULL,
        created_at   timestamptz NOT NULL DEFAULT now(),
        updated_at   timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, name)
      );
      COMMENT ON COLUMN event_types.version IS 'tenants.event_types_version when it was last changed: never the same twice';

      ALTER TABLE events ADD COLUMN schema_errors jsonb;
      COMMENT ON COLUMN events.schema_errors IS 'what its type''s schema found, where it was accepted all the same';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE events DROP COLUMN schema_errors;
      DROP TABLE event_types;
      ALTER TABLE tenants DROP COLUMN event_types_version;
    `);
  }
}
