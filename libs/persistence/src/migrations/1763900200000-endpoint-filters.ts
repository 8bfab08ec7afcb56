import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Content filters of endpoints. Locks `endpoints` exclusively for as long as it takes to note the column in the catalogue: it is
 * nullable without a default, so no row is read or written.
 */
export class EndpointFilters1763900200000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE endpoints ADD COLUMN filter jsonb`);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`ALTER TABLE endpoints DROP COLUMN filter`);
  }
}
