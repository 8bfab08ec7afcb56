import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Tells whoever keeps a copy of a tenant's endpoints that it is old. Locks `tenants` and `endpoints` exclusively for as long as it takes
 * to note a column and triggers in the catalogue: no row is read or written. From then on a change of an endpoint takes its tenant's
 * row after its own.
 */
export class EndpointsVersion1763900500000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE tenants ADD COLUMN endpoints_version bigint NOT NULL DEFAULT 0;
      COMMENT ON COLUMN tenants.endpoints_version IS
        'raised by every change of an endpoint that decides which events it gets; accepting checks it against its copy';

      CREATE FUNCTION raise_endpoints_version() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        UPDATE tenants SET endpoints_version = endpoints_version + 1 WHERE id = NEW.tenant_id;
        RETURN NULL;
      END $$;

      CREATE TRIGGER endpoints_version_insert AFTER INSERT ON endpoints
        FOR EACH ROW EXECUTE FUNCTION raise_endpoints_version();
      CREATE TRIGGER endpoints_version_update
        AFTER UPDATE OF event_types, filter, status, ordered, order_key, deleted_at ON endpoints
        FOR EACH ROW WHEN (
          (OLD.event_types, OLD.filter::text, OLD.status, OLD.ordered, OLD.order_key, OLD.deleted_at)
            IS DISTINCT FROM
          (NEW.event_types, NEW.filter::text, NEW.status, NEW.ordered, NEW.order_key, NEW.deleted_at)
        ) EXECUTE FUNCTION raise_endpoints_version();
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TRIGGER endpoints_version_update ON endpoints;
      DROP TRIGGER endpoints_version_insert ON endpoints;
      DROP FUNCTION raise_endpoints_version();
      ALTER TABLE tenants DROP COLUMN endpoints_version;
    `);
  }
}
