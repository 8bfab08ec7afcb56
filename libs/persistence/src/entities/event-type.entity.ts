import { Column, Entity, PrimaryColumn } from 'typeorm';
import type { JsonSchema, SchemaValidation } from '@hookstream/domain';

@Entity('event_types')
export class EventTypeEntity {
  @PrimaryColumn('uuid', { name: 'tenant_id' }) tenantId!: string;
  @PrimaryColumn('text') name!: string;
  @Column('text') description!: string;
  /** As text, so that it stays as the caller wrote it. */
  @Column('json', { nullable: true }) schema!: JsonSchema | null;
  @Column('text') validation!: SchemaValidation;
  /** Of the tenant's whole catalogue when this was last changed. */
  @Column('bigint') version!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
}
