import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * What the operator allows a tenant to post. Locks `tenants` exclusively for as long as it takes to note the columns: they are nullable
 * without a default. Every table is new; the budgets are not logged, since after a crash a full one is as good.
 */
export class TenantLimits1763900200002 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE tenants
        ADD COLUMN events_per_second double precision CHECK (events_per_second > 0),
        ADD COLUMN burst integer CHECK (burst > 0),
        ADD COLUMN max_pending integer CHECK (max_pending > 0);

      CREATE UNLOGGED TABLE accept_budgets (
        tenant_id  uuid PRIMARY KEY,
        tat        timestamptz NOT NULL,
        granted    integer NOT NULL
      ) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
      COMMENT ON TABLE accept_budgets IS 'what is left of each tenant''s accept rate; API processes take from it in advance';
      COMMENT ON COLUMN accept_budgets.tat IS 'when the next event is due by theory (GCRA)';

      CREATE TABLE tenant_backlogs (
        tenant_id  uuid PRIMARY KEY,
        pending    bigint NOT NULL
      );
      COMMENT ON TABLE tenant_backlogs IS 'unfinished deliveries of each tenant that has any, at backlog_meter.measured_at';
      CREATE TABLE backlog_meter (
        one          boolean PRIMARY KEY DEFAULT true CHECK (one),
        measured_at  timestamptz NOT NULL,
        next_at      timestamptz NOT NULL
      );
      INSERT INTO backlog_meter (measured_at, next_at) VALUES ('-infinity', '-infinity');
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE backlog_meter, tenant_backlogs, accept_budgets;
      ALTER TABLE tenants DROP COLUMN events_per_second, DROP COLUMN burst, DROP COLUMN max_pending;
    `);
  }
}
