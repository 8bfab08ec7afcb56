import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Statistics: a queue that the record statement appends to, and the rollups that it is folded into. Locks nothing that exists.
 *
 * `subject_id` is an endpoint, or a tenant for all of its endpoints. `durations` and `latencies` are histograms: the n-th number
 * counts what fell into bucket n - 1. Rows are rewritten about once a second while something happens, so they leave room for it.
 */
export class Stats1763900400001 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE SEQUENCE stats_queue_id CACHE 64;
      CREATE TABLE stats_queue (
        id               bigint PRIMARY KEY DEFAULT nextval('stats_queue_id'),
        tenant_id        uuid NOT NULL,
        endpoint_id      uuid NOT NULL,
        ended_at         timestamptz NOT NULL,
        outcome          text,
        duration_bucket  smallint,
        final_status     text,
        latency_bucket   smallint,
        count            integer NOT NULL DEFAULT 1
      ) WITH (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

      CREATE TABLE stats (
        subject_id                     uuid NOT NULL,
        period                         text NOT NULL CHECK (period IN ('minute', 'hour', 'day')),
        starts_at                      timestamptz NOT NULL,
        attempts_succeeded             bigint NOT NULL,
        attempts_http_error            bigint NOT NULL,
        attempts_timeout               bigint NOT NULL,
        attempts_connection_error      bigint NOT NULL,
        attempts_tls_error             bigint NOT NULL,
        attempts_dns_error             bigint NOT NULL,
        attempts_blocked_address       bigint NOT NULL,
        attempts_response_too_large    bigint NOT NULL,
        deliveries_succeeded           bigint NOT NULL,
        deliveries_dead_letter         bigint NOT NULL,
        deliveries_cancelled           bigint NOT NULL,
        durations                      integer[] NOT NULL,
        latencies                      integer[] NOT NULL,
        PRIMARY KEY (subject_id, period, starts_at)
      ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
      CREATE INDEX stats_expiry ON stats (period, starts_at);
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`DROP TABLE stats, stats_queue; DROP SEQUENCE stats_queue_id;`);
  }
}
