import { randomBytes } from 'node:crypto';
import {
  DEFAULT_CIRCUIT,
  idToUuid,
  MAX_MAX_IN_FLIGHT,
  newId,
  SYSTEM_ACTOR,
  uuidToId,
  type DeliveryStatus,
  type EndpointStatus,
  type Lane,
  type OutboxLane,
} from '@hookstream/domain';
import {
  DeliveriesRepository,
  EndpointsRepository,
  EventsRepository,
  FairClaim,
  OutboxRepository,
  TenantsRepository,
  toStart,
  type AcceptItem,
  type Claim,
  type ClaimedDelivery,
  type ClaimOptions,
  type Database,
  type EndpointRecord,
  type EndpointSettings,
} from '@hookstream/persistence';
import { generateEncryptionKey, generateSecret, parseKeyRing, SecretBox } from '@hookstream/signing';
import { createTestDatabase, type TestDatabase } from '@hookstream/testing';

export interface StoredDelivery {
  status: DeliveryStatus;
  lane: Lane;
  attempt_count: number;
  schedule_step: number;
  next_attempt_at: Date | null;
  last_outcome: string | null;
  last_status_code: number | null;
  completed_at: Date | null;
  created_at: Date;
}

export interface OutboxRow {
  delivery_id: string;
  due_at: Date;
  /** What pg makes of `infinity` is the number. */
  claimable_at: Date | number;
  claimed_by: string | null;
  event_id: string | null;
  lane: OutboxLane;
}

/** A fresh database with one tenant, and short ways to put things into it and to see what became of them. */
export class StoredDeliveries {
  readonly encryptionKey = generateEncryptionKey();
  readonly secretBox = new SecretBox(parseKeyRing(this.encryptionKey));
  readonly tenantId = newId('tenant');
  readonly endpoints: EndpointsRepository;
  readonly events: EventsRepository;
  /** Of the endpoints that a test makes without saying. */
  lane: Lane = 'durable';
  readonly outbox: OutboxRepository;
  readonly deliveries: DeliveriesRepository;

  private constructor(
    readonly testDatabase: TestDatabase,
    readonly database: Database,
  ) {
    this.endpoints = new EndpointsRepository(database);
    this.events = new EventsRepository(database);
    this.outbox = new OutboxRepository(database.pool);
    this.deliveries = new DeliveriesRepository(database);
  }

  /** Its connections plan as a worker's do. */
  static async create(options: { poolSize?: number } = {}): Promise<StoredDeliveries> {
    const testDatabase = await createTestDatabase();
    const database = await testDatabase.open({ poolSize: 10, lookUpsOnly: true, ...options });
    const store = new StoredDeliveries(testDatabase, database);
    await store.addTenant(store.tenantId);
    return store;
  }

  /** @returns its id */
  async addTenant(id = newId('tenant')): Promise<string> {
    await new TenantsRepository(this.database).create(
      { id, name: 'Acme', metadata: {} },
      {
        id: newId('apiKey'),
        name: 'first',
        prefix: 'hs_test_',
        hash: randomBytes(32),
        scopes: ['*'],
        expiresAt: null,
      },
      SYSTEM_ACTOR,
    );
    return id;
  }

  drop(): Promise<void> {
    return this.testDatabase.drop();
  }

  /** One attempt 50 ms after the other, three in all, unless told otherwise. */
  async endpoint(
    url = 'https://receiver.test/',
    overrides: Partial<Omit<EndpointSettings, 'headers'>> & {
      tenantId?: string;
      secret?: string;
      headers?: Record<string, string>;
    } = {},
  ): Promise<EndpointRecord> {
    const { tenantId = this.tenantId, secret = generateSecret('v1'), headers, ...settings } = overrides;
    const id = newId('endpoint');
    return this.endpoints.create(
      tenantId,
      id,
      {
        url,
        description: '',
        eventTypes: [],
        filter: null,
        headers: headers ? this.secretBox.encrypt(JSON.stringify(headers), id) : null,
        timeoutMs: 5_000,
        retry: { delays_ms: [50, 50], jitter: 0 },
        rateLimit: null,
        maxInFlight: MAX_MAX_IN_FLIGHT,
        ordered: false,
        orderKey: null,
        circuit: DEFAULT_CIRCUIT,
        lane: this.lane,
        signature: { scheme: 'v1' },
        metadata: {},
        ...settings,
      },
      this.newSecret(id, secret),
      SYSTEM_ACTOR,
    );
  }

  newSecret(endpointId: string, secret: string): { id: string; ciphertext: Buffer; keyId: string } {
    return {
      id: newId('secret'),
      ciphertext: this.secretBox.encrypt(secret, endpointId),
      keyId: this.secretBox.currentKeyId,
    };
  }

  /** Accepts that many events for the endpoint and answers their deliveries, in order. */
  async accept(
    endpoint: Pick<EndpointRecord, 'id'>,
    count = 1,
    overrides: Partial<AcceptItem> = {},
  ): Promise<{ deliveryId: string; eventId: string }[]> {
    const results = await this.events.acceptEvents(
      Array.from({ length: count }, (_, i) => ({
        tenantId: this.tenantId,
        type: 'order.paid',
        dataText: `{"n":${i}}`,
        endpointIds: [endpoint.id],
        ...overrides,
      })),
    );
    const eventIds = results.map((result) => {
      if (result.kind !== 'accepted') throw new Error(`not accepted: ${result.kind}`);
      return result.event.id;
    });
    const { rows } = await this.database.pool.query<{ id: string; event_id: string }>(
      'SELECT id, event_id FROM deliveries WHERE event_id = ANY($1) ORDER BY event_id',
      [eventIds.map((id) => idToUuid('event', id))],
    );
    return rows.map((row) => ({
      deliveryId: uuidToId('delivery', row.id),
      eventId: uuidToId('event', row.event_id),
    }));
  }

  async acceptOne(
    endpoint: Pick<EndpointRecord, 'id'>,
    overrides: Partial<AcceptItem> = {},
  ): Promise<{ deliveryId: string; eventId: string }> {
    return (await this.accept(endpoint, 1, overrides))[0] as { deliveryId: string; eventId: string };
  }

  async setStatus(endpoint: Pick<EndpointRecord, 'id'>, status: EndpointStatus): Promise<void> {
    await this.endpoints.setStatus(
      this.tenantId,
      endpoint.id,
      status,
      status === 'disabled' ? 'by a test' : null,
      SYSTEM_ACTOR,
    );
  }

  async statusOf(endpoint: Pick<EndpointRecord, 'id'>): Promise<EndpointStatus | undefined> {
    return (await this.endpoints.find(this.tenantId, endpoint.id))?.status;
  }

  async delivery(deliveryId: string): Promise<StoredDelivery> {
    const { rows } = await this.database.pool.query<StoredDelivery>(
      'SELECT * FROM deliveries WHERE id = $1',
      [idToUuid('delivery', deliveryId)],
    );
    if (!rows[0]) throw new Error(`no delivery ${deliveryId}`);
    return rows[0];
  }

  async attempts(deliveryId: string): Promise<
    {
      number: number;
      trigger: string;
      outcome: string;
      status_code: number | null;
      response_body: string | null;
    }[]
  > {
    const { rows } = await this.database.pool.query(
      'SELECT number, trigger, outcome, status_code, response_body FROM attempts WHERE delivery_id = $1 ORDER BY number, id',
      [idToUuid('delivery', deliveryId)],
    );
    return rows;
  }

  async outboxRow(deliveryId: string): Promise<OutboxRow | undefined> {
    const { rows } = await this.database.pool.query<OutboxRow>(
      'SELECT * FROM outbox WHERE delivery_id = $1',
      [idToUuid('delivery', deliveryId)],
    );
    return rows[0];
  }

  /** How many rows wait without end, of one endpoint. */
  async held(endpoint: Pick<EndpointRecord, 'id'>): Promise<number> {
    return this.count(
      `SELECT count(*)::int AS n FROM outbox WHERE claimable_at = 'infinity' AND endpoint_id = $1`,
      [idToUuid('endpoint', endpoint.id)],
    );
  }

  /** Deliveries of the endpoint with that status. */
  async withStatus(endpoint: Pick<EndpointRecord, 'id'>, status: DeliveryStatus): Promise<number> {
    return this.count('SELECT count(*)::int AS n FROM deliveries WHERE endpoint_id = $1 AND status = $2', [
      idToUuid('endpoint', endpoint.id),
      status,
    ]);
  }

  /** Time passes for leases, slots and probes, by the database's clock. */
  async leasesAge(ms: number): Promise<void> {
    const { pool } = this.database;
    await pool.query(`UPDATE outbox SET claimable_at = claimable_at - $1 * interval '1 ms'`, [ms]);
    await pool.query(`UPDATE slots SET expires_at = expires_at - $1 * interval '1 ms'`, [ms]);
    await pool.query(`UPDATE endpoint_gates SET probe_until = probe_until - $1 * interval '1 ms'`, [ms]);
  }

  async count(sql: string, values: unknown[] = []): Promise<number> {
    const { rows } = await this.database.pool.query<{ n: number }>(sql, values);
    return rows[0]?.n ?? 0;
  }

  /** Claims once and answers the ids of what was claimed. */
  async claim(workerId = 'a', options: { limit?: number; leaseMs?: number } = {}): Promise<string[]> {
    return (await this.claimWith({ workerId, ...options })).deliveries.map(({ deliveryId }) => deliveryId);
  }

  /** Claims once as a worker that has nothing under way and room without end, unless told otherwise. */
  async claimWith(
    options: { workerId?: string; limit?: number; leaseMs?: number } & Pick<
      ClaimOptions,
      'paceOf' | 'isFor'
    > = {},
  ): Promise<Claim<ClaimedDelivery>> {
    const { workerId = 'a', limit = 1_000, leaseMs = 60_000, ...rest } = options;
    return new FairClaim(this.database.pool, toStart('durable')).claim({
      workerId,
      leaseMs,
      use: { room: limit, capacity: 1_000_000, total: 0, tenants: new Map(), endpoints: new Map() },
      ...rest,
    });
  }
}
