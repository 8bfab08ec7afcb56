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
  /** Accept rate; null: the deployment's. */
  @Column('double precision', { name: 'events_per_second', nullable: true }) eventsPerSecond!: number | null;
  @Column('integer', { nullable: true }) burst!: number | null;
  /** Most unfinished deliveries; null: the deployment's. */
  @Column('integer', { name: 'max_pending', nullable: true }) maxPending!: number | null;
  /** Raised by every change of its event types. */
  @Column('bigint', { name: 'event_types_version', default: 0 }) eventTypesVersion!: string;
  /** Raised, by the database itself, with every change of an endpoint that decides which events it gets. */
  @Column('bigint', { name: 'endpoints_version', default: 0 }) endpointsVersion!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}
