import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('tenants')
export class TenantEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') name!: string;
  @Column('jsonb') metadata!: Record<string, string>;
  /** Share of the room for attempts beside other tenants; 1 unless the operator set another. */
  @Column('real', { name: 'dispatch_weight', default: 1 }) dispatchWeight!: number;
  /** Most attempts under way at once, over all its endpoints; null: no limit of its own. */
  @Column('integer', { name: 'max_in_flight', nullable: true }) maxInFlight!: number | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}
