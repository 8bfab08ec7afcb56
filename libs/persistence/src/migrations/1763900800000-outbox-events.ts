import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lets a claim find the event of a first attempt without its delivery. Locks `outbox` exclusively for as long as it takes to note a column
 * without a default. Rows that wait already, and those that the version before makes, have none and are claimed by their deliveries.
 */
export class OutboxEvents1763900800000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      ALTER TABLE outbox ADD COLUMN event_id uuid;
      COMMENT ON COLUMN outbox.event_id IS
        'there only as long as the delivery is as it was accepted: no attempt of it can have been made';
    `);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query('ALTER TABLE outbox DROP COLUMN event_id');
  }
}
