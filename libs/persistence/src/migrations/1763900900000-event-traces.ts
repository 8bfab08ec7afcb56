import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * With what trace an event came. Written only where traces are switched on and the application sent one.
 *
 * Locks: `events` and its partitions (ACCESS EXCLUSIVE, for the moment it takes to note a column without a default). Nothing is rewritten.
 */
export class EventTraces1763900900000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE events ADD COLUMN traceparent text COLLATE "C";
      COMMENT ON COLUMN events.traceparent IS
        'the W3C traceparent that came with it, as version 00 with the sampled flag alone; null: its trace id is its own id';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE events DROP COLUMN traceparent');
  }
}
