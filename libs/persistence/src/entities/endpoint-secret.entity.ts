import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('endpoint_secrets')
export class EndpointSecretEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid', { name: 'tenant_id' }) tenantId!: string;
  @Column('uuid', { name: 'endpoint_id' }) endpointId!: string;
  @Column('bytea') ciphertext!: Buffer;
  /** Which encryption key holds it. */
  @Column('text', { name: 'key_id' }) keyId!: string;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  /** Signs until then; null: until it is rotated. */
  @Column('timestamptz', { name: 'expires_at', nullable: true }) expiresAt!: Date | null;
}
