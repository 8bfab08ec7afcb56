import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the fair claim stands on: a gate per endpoint, a slot per admitted delivery, the tenants' shares, and the queues of the outbox.
 *
 * Locks: `tenants` and `outbox` get columns with constant defaults (ACCESS EXCLUSIVE, for the moment it takes to note them). The two
 * indexes of `outbox` are built under a SHARE lock, during which accepting and dispatching wait: about a second per million
 * rows that wait. `endpoints` is read once and gets a trigger (SHARE ROW EXCLUSIVE, no longer than that). Nothing is rewritten.
 */
export class DispatchLimits1763900000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE tenants
        ADD COLUMN dispatch_weight real NOT NULL DEFAULT 1 CHECK (dispatch_weight > 0),
        ADD COLUMN max_in_flight integer CHECK (max_in_flight > 0);

      CREATE TABLE endpoint_gates (
        endpoint_id        uuid PRIMARY KEY,
        tenant_id          uuid NOT NULL,
        version            bigint NOT NULL DEFAULT 0,
        tat                timestamptz NOT NULL DEFAULT '-infinity',
        probe_delivery_id  uuid,
        probe_until        timestamptz
      ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
      COMMENT ON TABLE endpoint_gates IS 'locked by whoever lets deliveries of the endpoint go, so that its limits hold across workers';
      COMMENT ON COLUMN endpoint_gates.version IS
        'raised by everyone who lets a delivery go: a claim whose snapshot is older than its lock has not seen all slots';
      COMMENT ON COLUMN endpoint_gates.tat IS 'when the next token of the rate limit is due by theory (GCRA)';
      COMMENT ON COLUMN endpoint_gates.probe_delivery_id IS
        'the one delivery let go since the circuit is half open; no other goes until probe_until or until the circuit changes';

      CREATE FUNCTION make_endpoint_gate() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        INSERT INTO endpoint_gates (endpoint_id, tenant_id) VALUES (NEW.id, NEW.tenant_id) ON CONFLICT DO NOTHING;
        RETURN NULL;
      END $$;
      COMMENT ON FUNCTION make_endpoint_gate IS 'an endpoint without a gate would never be dispatched to';
      CREATE TRIGGER endpoints_gate AFTER INSERT ON endpoints FOR EACH ROW EXECUTE FUNCTION make_endpoint_gate();
      INSERT INTO endpoint_gates (endpoint_id, tenant_id) SELECT id, tenant_id FROM endpoints;

      CREATE TABLE slots (
        delivery_id  uuid PRIMARY KEY,
        endpoint_id  uuid NOT NULL,
        tenant_id    uuid NOT NULL,
        expires_at   timestamptz NOT NULL
      ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
      COMMENT ON TABLE slots IS 'one row per delivery let go whose attempt has not ended; counts until expires_at';
      CREATE INDEX slots_endpoint ON slots (endpoint_id);
      CREATE INDEX slots_tenant ON slots (tenant_id);

      ALTER TABLE outbox ADD COLUMN trigger text NOT NULL DEFAULT 'schedule' CHECK (trigger IN ('schedule', 'replay', 'retry_now'));
      COMMENT ON COLUMN outbox.trigger IS 'what the next attempt is due to';
      CREATE INDEX outbox_queues ON outbox (tenant_id, endpoint_id, claimable_at) WHERE claimable_at < 'infinity';
      CREATE INDEX outbox_held ON outbox (tenant_id, endpoint_id) WHERE claimable_at = 'infinity';
      DROP INDEX outbox_claimable, outbox_endpoint;
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE INDEX outbox_claimable ON outbox (claimable_at);
      CREATE INDEX outbox_endpoint ON outbox (endpoint_id);
      DROP INDEX outbox_queues, outbox_held;
      ALTER TABLE outbox DROP COLUMN trigger;
      DROP TRIGGER endpoints_gate ON endpoints;
      DROP FUNCTION make_endpoint_gate;
      DROP TABLE slots, endpoint_gates;
      ALTER TABLE tenants DROP COLUMN dispatch_weight, DROP COLUMN max_in_flight;
    `);
  }
}
