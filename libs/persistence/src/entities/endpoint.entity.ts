import { Column, Entity, PrimaryColumn } from 'typeorm';
import type {
  CircuitPolicy,
  CircuitState,
  EndpointStatus,
  Filter,
  Lane,
  RateLimitPolicy,
  RetryPolicy,
  SignaturePolicy,
} from '@hookstream/domain';

@Entity('endpoints')
export class EndpointEntity {
  @PrimaryColumn('uuid') id!: string;
  @Column('uuid', { name: 'tenant_id' }) tenantId!: string;
  @Column('text') type!: string;
  @Column('text') url!: string;
  @Column('text') description!: string;
  @Column('text', { name: 'event_types', array: true }) eventTypes!: string[];
  @Column('jsonb', { nullable: true }) filter!: Filter | null;
  /** Encrypted: custom headers often carry credentials of the receiver. */
  @Column('bytea', { nullable: true }) headers!: Buffer | null;
  @Column('integer', { name: 'timeout_ms' }) timeoutMs!: number;
  @Column('jsonb') retry!: RetryPolicy;
  @Column('jsonb', { name: 'rate_limit', nullable: true }) rateLimit!: RateLimitPolicy | null;
  @Column('integer', { name: 'max_in_flight' }) maxInFlight!: number;
  @Column('jsonb') circuit!: CircuitPolicy;
  @Column('text') lane!: Lane;
  @Column('jsonb') signature!: SignaturePolicy;
  @Column('jsonb') metadata!: Record<string, string>;
  @Column('text') status!: EndpointStatus;
  @Column('text', { name: 'disabled_reason', nullable: true }) disabledReason!: string | null;
  @Column('text', { name: 'circuit_state' }) circuitState!: CircuitState;
  @Column('timestamptz', { name: 'verified_at', nullable: true }) verifiedAt!: Date | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}
