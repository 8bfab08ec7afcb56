import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The audit log. Locks nothing that exists. Not partitioned, unlike events: a change through the API is rare, so expired entries
 * are deleted by range of id. `object_id` is a public id or a name, since objects of many kinds share the column.
 */
export class AuditLog1763900400000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE audit_log (
        id            uuid PRIMARY KEY,
        tenant_id     uuid NOT NULL,
        actor_kind    text NOT NULL CHECK (actor_kind IN ('key', 'operator', 'system')),
        actor_id      uuid,
        actor_name    text,
        actor_prefix  text,
        action        text NOT NULL,
        object_kind   text NOT NULL,
        object_id     text NOT NULL,
        reason        text,
        changes       jsonb,
        created_at    timestamptz NOT NULL,
        CHECK ((actor_kind = 'key') = (actor_id IS NOT NULL))
      );
      COMMENT ON COLUMN audit_log.actor_name IS 'of the API key when it made the change, as actor_prefix is';
      CREATE INDEX audit_log_tenant ON audit_log (tenant_id, id);
      CREATE INDEX audit_log_object ON audit_log (tenant_id, object_id, id);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE audit_log`);
  }
}
