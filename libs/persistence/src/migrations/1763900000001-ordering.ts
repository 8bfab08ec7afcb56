import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Ordered delivery: which endpoints ask for it, whose turn it is under each key, and who waits.
 *
 * Locks: `endpoints`, `deliveries` and `outbox` get columns that are null or have constant defaults (ACCESS EXCLUSIVE for the moment it
 * takes to note them). The new index of `outbox` is partial and covers no row that exists; its build reads the table once under
 * a SHARE lock, a fraction of a second per million rows that wait. Nothing is rewritten.
 */
export class Ordering1763900000001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE endpoints ADD COLUMN ordered boolean NOT NULL DEFAULT false, ADD COLUMN order_key text;
      ALTER TABLE deliveries ADD COLUMN order_key text;
      ALTER TABLE outbox
        ADD COLUMN order_key text,
        ADD COLUMN order_seq bigint,
        ADD COLUMN order_blocked boolean NOT NULL DEFAULT false;
      COMMENT ON COLUMN outbox.order_blocked IS 'waits, at infinity, for those before it under its key';
      CREATE INDEX outbox_order ON outbox (endpoint_id, order_key, order_seq) WHERE order_blocked;

      CREATE TABLE order_keys (
        endpoint_id       uuid NOT NULL,
        order_key         text NOT NULL,
        head_delivery_id  uuid NOT NULL UNIQUE,
        turn              bigint NOT NULL,
        PRIMARY KEY (endpoint_id, order_key)
      ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
      COMMENT ON TABLE order_keys IS 'one row per key that has deliveries to make; its head alone may go';

      CREATE FUNCTION lock_order_of(of_delivery uuid) RETURNS order_keys LANGUAGE plpgsql AS $$
      DECLARE
        found_key order_keys;
      BEGIN
        SELECT * INTO found_key FROM order_keys WHERE head_delivery_id = of_delivery;
        IF NOT FOUND THEN RETURN NULL; END IF;
        PERFORM 1 FROM endpoints WHERE id = found_key.endpoint_id FOR SHARE;
        SELECT * INTO found_key FROM order_keys WHERE head_delivery_id = of_delivery FOR UPDATE;
        IF NOT FOUND THEN RETURN NULL; END IF;
        RETURN found_key;
      END $$;
      COMMENT ON FUNCTION lock_order_of IS 'endpoint, then the key that the delivery is the head of; null where it is of none';

      CREATE FUNCTION free_next_in_order(of_delivery uuid) RETURNS void LANGUAGE plpgsql AS $$
      DECLARE
        locked order_keys := lock_order_of(of_delivery);
        next_delivery uuid;
      BEGIN
        IF locked.endpoint_id IS NULL THEN RETURN; END IF;
        SELECT delivery_id INTO next_delivery FROM outbox
         WHERE endpoint_id = locked.endpoint_id AND order_key = locked.order_key AND order_blocked
         ORDER BY order_seq LIMIT 1 FOR UPDATE;
        IF NOT FOUND THEN
          DELETE FROM order_keys WHERE endpoint_id = locked.endpoint_id AND order_key = locked.order_key;
          RETURN;
        END IF;
        UPDATE order_keys SET head_delivery_id = next_delivery
         WHERE endpoint_id = locked.endpoint_id AND order_key = locked.order_key;
        UPDATE outbox o
           SET order_blocked = false, claimable_at = CASE WHEN e.status = 'enabled' THEN o.due_at ELSE 'infinity' END
          FROM endpoints e WHERE o.delivery_id = next_delivery AND e.id = o.endpoint_id;
        PERFORM pg_notify('hookstream_outbox', '');
      END $$;
      COMMENT ON FUNCTION free_next_in_order IS
        'called in the transaction that makes a delivery final: the next under its key may go. A function, because each of its statements '
        'has to see what was committed while the one before waited for a lock';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP FUNCTION free_next_in_order;
      DROP FUNCTION lock_order_of;
      DROP TABLE order_keys;
      DROP INDEX outbox_order;
      UPDATE outbox SET claimable_at = due_at WHERE order_blocked;
      ALTER TABLE outbox DROP COLUMN order_key, DROP COLUMN order_seq, DROP COLUMN order_blocked;
      ALTER TABLE deliveries DROP COLUMN order_key;
      ALTER TABLE endpoints DROP COLUMN ordered, DROP COLUMN order_key;
    `);
  }
}
