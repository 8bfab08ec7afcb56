import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The lane of what waits in the outbox. Rows that wait at the upgrade are durable, as everything was until then.
 *
 * Locks: `outbox` gets a column with a constant default (ACCESS EXCLUSIVE, for the moment it takes to note it); its index is built anew under a
 * SHARE lock, during which accepting and dispatching wait: about a second per million rows that wait. The trigger of `endpoints` is
 * replaced in the catalogue (ACCESS EXCLUSIVE, no longer than that). Nothing is rewritten.
 */
export class Lanes1763900600000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE outbox
        ADD COLUMN lane text COLLATE "C" NOT NULL DEFAULT 'durable' CHECK (lane IN ('durable', 'express', 'auto', 'workflow'));
      COMMENT ON COLUMN outbox.lane IS
        'who takes the row: a dispatcher that starts workflows, one that attempts itself, whichever is to at the moment (auto), or the one that '
        'hands deliveries whose first attempt has failed to a workflow, past limits and circuit (workflow)';
      CREATE INDEX outbox_lanes ON outbox (lane, tenant_id, endpoint_id, claimable_at) WHERE claimable_at < 'infinity';
      DROP INDEX outbox_queues;

      DROP TRIGGER endpoints_version_update ON endpoints;
      CREATE TRIGGER endpoints_version_update
        AFTER UPDATE OF event_types, filter, status, ordered, order_key, lane, deleted_at ON endpoints
        FOR EACH ROW WHEN (
          (OLD.event_types, OLD.filter::text, OLD.status, OLD.ordered, OLD.order_key, OLD.lane, OLD.deleted_at)
            IS DISTINCT FROM
          (NEW.event_types, NEW.filter::text, NEW.status, NEW.ordered, NEW.order_key, NEW.lane, NEW.deleted_at)
        ) EXECUTE FUNCTION raise_endpoints_version();
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TRIGGER endpoints_version_update ON endpoints;
      CREATE TRIGGER endpoints_version_update
        AFTER UPDATE OF event_types, filter, status, ordered, order_key, deleted_at ON endpoints
        FOR EACH ROW WHEN (
          (OLD.event_types, OLD.filter::text, OLD.status, OLD.ordered, OLD.order_key, OLD.deleted_at)
            IS DISTINCT FROM
          (NEW.event_types, NEW.filter::text, NEW.status, NEW.ordered, NEW.order_key, NEW.deleted_at)
        ) EXECUTE FUNCTION raise_endpoints_version();
      CREATE INDEX outbox_queues ON outbox (tenant_id, endpoint_id, claimable_at) WHERE claimable_at < 'infinity';
      DROP INDEX outbox_lanes;
      ALTER TABLE outbox DROP COLUMN lane;
    `);
  }
}
