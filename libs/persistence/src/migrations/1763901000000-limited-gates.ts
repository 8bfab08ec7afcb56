import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * When an endpoint last had all that its limits let go: what waits behind them is not late.
 *
 * Locks: `endpoint_gates` (ACCESS EXCLUSIVE, for the moment it takes to note a column without a default). Nothing is rewritten.
 */
export class LimitedGates1763901000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE endpoint_gates ADD COLUMN limited_at timestamptz;
      COMMENT ON COLUMN endpoint_gates.limited_at IS
        'when a claim last took all that the limits of the endpoint let go; null: none has';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE endpoint_gates DROP COLUMN limited_at');
  }
}
