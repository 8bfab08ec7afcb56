import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The whole first schema. Locks nothing that exists: every object is new.
 *
 * `events`, `deliveries` and `attempts` are range-partitioned on their UUIDv7 id, one partition a UTC day, so that an id
 * tells its partition and retention is a dropped table. They and `outbox` carry no foreign keys: rows leave with
 * their partition, and a key check per row is paid on the hot path.
 */
export class Initial1763800000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE tenants (
        id          uuid PRIMARY KEY,
        name        text NOT NULL,
        metadata    jsonb NOT NULL DEFAULT '{}',
        created_at  timestamptz NOT NULL DEFAULT now(),
        updated_at  timestamptz NOT NULL DEFAULT now(),
        deleted_at  timestamptz
      );

      CREATE TABLE api_keys (
        id            uuid PRIMARY KEY,
        tenant_id     uuid NOT NULL REFERENCES tenants (id),
        name          text NOT NULL,
        prefix        text NOT NULL,
        hash          bytea NOT NULL UNIQUE,
        scopes        text[] NOT NULL DEFAULT '{}',
        expires_at    timestamptz,
        last_used_at  timestamptz,
        revoked_at    timestamptz,
        created_at    timestamptz NOT NULL DEFAULT now()
      );
      CREATE INDEX api_keys_tenant ON api_keys (tenant_id, id);

      CREATE TABLE endpoints (
        id               uuid PRIMARY KEY,
        tenant_id        uuid NOT NULL REFERENCES tenants (id),
        type             text NOT NULL DEFAULT 'http',
        url              text NOT NULL,
        description      text NOT NULL DEFAULT '',
        event_types      text[] NOT NULL DEFAULT '{}',
        headers          bytea,
        timeout_ms       integer NOT NULL,
        retry            jsonb NOT NULL,
        rate_limit       jsonb,
        max_in_flight    integer NOT NULL,
        circuit          jsonb NOT NULL,
        lane             text NOT NULL,
        signature        jsonb NOT NULL,
        metadata         jsonb NOT NULL DEFAULT '{}',
        status           text NOT NULL DEFAULT 'enabled' CHECK (status IN ('enabled', 'paused', 'disabled')),
        disabled_reason  text,
        circuit_state    text NOT NULL DEFAULT 'closed' CHECK (circuit_state IN ('closed', 'open', 'half_open')),
        verified_at      timestamptz,
        created_at       timestamptz NOT NULL DEFAULT now(),
        updated_at       timestamptz NOT NULL DEFAULT now(),
        deleted_at       timestamptz
      );
      CREATE INDEX endpoints_tenant ON endpoints (tenant_id, id) WHERE deleted_at IS NULL;

      CREATE TABLE endpoint_secrets (
        id           uuid PRIMARY KEY,
        tenant_id    uuid NOT NULL REFERENCES tenants (id),
        endpoint_id  uuid NOT NULL REFERENCES endpoints (id),
        ciphertext   bytea NOT NULL,
        key_id       text NOT NULL,
        created_at   timestamptz NOT NULL DEFAULT now(),
        expires_at   timestamptz
      );
      CREATE INDEX endpoint_secrets_endpoint ON endpoint_secrets (endpoint_id, id);

      CREATE TABLE events (
        id          uuid PRIMARY KEY,
        tenant_id   uuid NOT NULL,
        type        text NOT NULL,
        payload     text NOT NULL,
        deliver_at  timestamptz,
        created_at  timestamptz NOT NULL
      ) PARTITION BY RANGE (id);
      CREATE INDEX events_tenant ON events (tenant_id, id);

      CREATE TABLE deliveries (
        id                uuid PRIMARY KEY,
        tenant_id         uuid NOT NULL,
        event_id          uuid NOT NULL,
        endpoint_id       uuid NOT NULL,
        event_type        text NOT NULL,
        status            text NOT NULL DEFAULT 'pending'
                          CHECK (status IN ('pending', 'in_progress', 'retrying', 'succeeded', 'dead_letter', 'cancelled')),
        lane              text NOT NULL CHECK (lane IN ('durable', 'express', 'auto')),
        attempt_count     integer NOT NULL DEFAULT 0,
        schedule_step     integer NOT NULL DEFAULT 0,
        next_attempt_at   timestamptz,
        last_outcome      text,
        last_status_code  integer,
        last_error        text,
        created_at        timestamptz NOT NULL,
        updated_at        timestamptz NOT NULL,
        completed_at      timestamptz
      ) PARTITION BY RANGE (id);
      CREATE INDEX deliveries_tenant ON deliveries (tenant_id, id);
      CREATE INDEX deliveries_endpoint ON deliveries (endpoint_id, id);
      CREATE INDEX deliveries_event ON deliveries (event_id);
      CREATE INDEX deliveries_dead_letter ON deliveries (tenant_id, id) WHERE status = 'dead_letter';
      CREATE INDEX deliveries_unfinished ON deliveries (updated_at) WHERE status IN ('pending', 'in_progress', 'retrying');

      CREATE TABLE attempts (
        id                  uuid PRIMARY KEY,
        tenant_id           uuid NOT NULL,
        delivery_id         uuid NOT NULL,
        endpoint_id         uuid NOT NULL,
        number              integer NOT NULL,
        trigger             text NOT NULL CHECK (trigger IN ('schedule', 'replay', 'test', 'retry_now')),
        outcome             text NOT NULL,
        status_code         integer,
        error               text,
        request_url         text NOT NULL,
        request_headers     jsonb NOT NULL,
        response_headers    jsonb,
        response_body       text,
        response_truncated  boolean,
        decision            jsonb NOT NULL,
        started_at          timestamptz NOT NULL,
        duration_ms         integer NOT NULL,
        next_attempt_at     timestamptz
      ) PARTITION BY RANGE (id);
      CREATE INDEX attempts_delivery ON attempts (delivery_id, number);

      CREATE TABLE outbox (
        delivery_id   uuid PRIMARY KEY,
        tenant_id     uuid NOT NULL,
        endpoint_id   uuid NOT NULL,
        due_at        timestamptz NOT NULL,
        claimable_at  timestamptz NOT NULL,
        claimed_by    text
      ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
      COMMENT ON COLUMN outbox.claimable_at IS
        'due_at, pushed ahead by the lease of whoever claimed the row; infinity while the endpoint holds its deliveries';
      CREATE INDEX outbox_claimable ON outbox (claimable_at);
      CREATE INDEX outbox_endpoint ON outbox (endpoint_id);

      CREATE TABLE idempotency_keys (
        tenant_id     uuid NOT NULL,
        key           text NOT NULL,
        request_hash  bytea NOT NULL,
        response      jsonb NOT NULL,
        created_at    timestamptz NOT NULL DEFAULT now(),
        expires_at    timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, key)
      );
      CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);

      CREATE TABLE workers (
        id                text PRIMARY KEY,
        started_at        timestamptz NOT NULL,
        seen_at           timestamptz NOT NULL,
        last_dispatch_at  timestamptz
      );
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      DROP TABLE workers, idempotency_keys, outbox, attempts, deliveries, events, endpoint_secrets, endpoints, api_keys, tenants;
    `);
  }
}
