import { Column, Entity, PrimaryColumn } from 'typeorm';
import type {
  CircuitMemory,
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
  @Column('boolean', { default: false }) ordered!: boolean;
  /** Path of the value whose deliveries go in order; null: all of the endpoint do. */
  @Column('text', { name: 'order_key', nullable: true }) orderKey!: string | null;
  @Column('text') lane!: Lane;
  @Column('jsonb') signature!: SignaturePolicy;
  @Column('jsonb') metadata!: Record<string, string>;
  @Column('text') status!: EndpointStatus;
  @Column('text', { name: 'disabled_reason', nullable: true }) disabledReason!: string | null;
  @Column('text', { name: 'circuit_state' }) circuitState!: CircuitState;
  @Column('integer', { name: 'circuit_seq' }) circuitSeq!: number;
  @Column('integer', { name: 'circuit_turn' }) circuitTurn!: number;
  @Column('jsonb', { name: 'circuit_memory', nullable: true }) circuitMemory!: CircuitMemory | null;
  @Column('timestamptz', { name: 'circuit_changed_at', nullable: true }) circuitChangedAt!: Date | null;
  @Column('timestamptz', { name: 'circuit_opened_at', nullable: true }) circuitOpenedAt!: Date | null;
  @Column('timestamptz', { name: 'circuit_probe_at', nullable: true }) circuitProbeAt!: Date | null;
  @Column('timestamptz', { name: 'failing_since', nullable: true }) failingSince!: Date | null;
  @Column('boolean') recovering!: boolean;
  @Column('timestamptz', { name: 'verified_at', nullable: true }) verifiedAt!: Date | null;
  @Column('timestamptz', { name: 'created_at' }) createdAt!: Date;
  @Column('timestamptz', { name: 'updated_at' }) updatedAt!: Date;
  @Column('timestamptz', { name: 'deleted_at', nullable: true }) deletedAt!: Date | null;
}
