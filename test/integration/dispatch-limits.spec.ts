// Real: Postgres. What limits and circuit let go, with several workers claiming at the same time.
import { HOUR_MS, idToUuid, newId, type Pace } from '@hookstream/domain';
import {
  AttemptsRepository,
  DispatchProgressRepository,
  type EndpointRecord,
  type EndpointSettings,
} from '@hookstream/persistence';
import { StoredDeliveries } from './stored-deliveries.js';

const LEASE_MS = 60_000;

describe('what the limits of an endpoint let go', () => {
  let store: StoredDeliveries;
  let attempts: AttemptsRepository;

  beforeAll(async () => {
    store = await StoredDeliveries.create({ poolSize: 20 });
    attempts = new AttemptsRepository(store.database.pool);
  });
  beforeEach(() => store.database.pool.query('TRUNCATE outbox, slots'));
  afterAll(() => store.drop());

  const endpointWith = (settings: Partial<Omit<EndpointSettings, 'headers'>>) =>
    store.endpoint(undefined, settings);
  const sql = (text: string, values: unknown[] = []) => store.database.pool.query(text, values);
  const onEndpoint = (endpoint: EndpointRecord, assignments: string) =>
    sql(`UPDATE endpoints SET ${assignments} WHERE id = $1`, [idToUuid('endpoint', endpoint.id)]);
  const onGate = (endpoint: EndpointRecord, assignments: string) =>
    sql(`UPDATE endpoint_gates SET ${assignments} WHERE endpoint_id = $1`, [
      idToUuid('endpoint', endpoint.id),
    ]);
  const liveSlots = () => store.count('SELECT count(*)::int AS n FROM slots WHERE expires_at > now()');
  const begin = (deliveryId: string, number = 1) =>
    attempts.begin({ deliveryId, number, trigger: 'schedule', lane: 'durable' });

  const takenFromOutbox = (ids: string[]) =>
    sql('DELETE FROM outbox WHERE delivery_id = ANY($1)', [ids.map((id) => idToUuid('delivery', id))]);
  const record = (endpoint: EndpointRecord, deliveryId: string) =>
    attempts.record(
      { deliveryId, tenantId: store.tenantId, endpointId: endpoint.id, dueAt: new Date() },
      {
        attemptId: newId('attempt'),
        number: 1,
        trigger: 'schedule',
        outcome: { kind: 'succeeded', durationMs: 1 },
        decision: { next: 'succeeded' },
        startedAt: new Date(),
        nextAttemptAt: null,
        requestUrl: endpoint.url,
        requestHeaders: {},
      },
      1,
    );

  /** Several workers that claim until none of them has got anything in a round. */
  async function claimedByThree(): Promise<string[]> {
    const all: string[] = [];
    for (;;) {
      const round = await Promise.all(
        ['a', 'b', 'c'].map((worker) => store.claimWith({ workerId: worker, limit: 5 })),
      );
      const got = round.flatMap(({ deliveries }) => deliveries.map(({ deliveryId }) => deliveryId));
      all.push(...got);
      if (got.length === 0 && round.every(({ contended }) => !contended)) return all;
    }
  }

  describe('max_in_flight', () => {
    it('holds exactly while three workers claim at once', async () => {
      const endpoint = await endpointWith({ maxInFlight: 7 });
      await store.accept(endpoint, 60);
      const claimed = await claimedByThree();
      expect(claimed).toHaveLength(7);
      expect(new Set(claimed).size).toBe(7);
      expect(await liveSlots()).toBe(7);
    });

    it('holds while attempts that nobody has let go begin beside the claims', async () => {
      const endpoint = await endpointWith({ maxInFlight: 7 });
      const deliveries = await store.accept(endpoint, 60);
      const retries = deliveries.slice(40).map(({ deliveryId }) => deliveryId);
      await sql('DELETE FROM outbox WHERE delivery_id = ANY($1)', [
        retries.map((id) => idToUuid('delivery', id)),
      ]);
      const [claimed, begun] = await Promise.all([
        claimedByThree(),
        Promise.all(retries.map((id) => begin(id))),
      ]);
      expect(claimed.length + begun.filter((delivery) => delivery?.begun).length).toBe(7);
      expect(await liveSlots()).toBe(7);
      expect(begun.find((delivery) => !delivery?.begun)?.refusal).toBe('in_flight_limit');
    });

    it('awaits the end of an attempt as soon as all went that it lets go, not at the next look', async () => {
      const [narrow, wide] = [await endpointWith({ maxInFlight: 2 }), await endpointWith({ maxInFlight: 4 })];
      for (const endpoint of [narrow, wide]) await store.accept(endpoint, 3);
      const claim = await store.claimWith();
      expect(claim.deliveries).toHaveLength(5);
      expect(claim.fullEndpoints).toEqual(new Set([narrow.id]));
    });

    describe('what waits behind it', () => {
      const oldestWaitingMs = async () =>
        (await new DispatchProgressRepository(store.database).read(1)).oldestWaitingMs;
      const waitingForAnHour = async (maxInFlight: number): Promise<EndpointRecord> => {
        const endpoint = await endpointWith({ maxInFlight });
        await store.accept(endpoint, 4);
        await onEndpoint(endpoint, `updated_at = now() - interval '2 hours'`);
        await sql(`UPDATE outbox SET claimable_at = now() - interval '1 hour'`);
        return endpoint;
      };

      it('is late from when a claim took all that it lets go', async () => {
        const endpoint = await waitingForAnHour(2);
        expect(await oldestWaitingMs()).toBeGreaterThanOrEqual(HOUR_MS);
        const [first] = (await store.claim()) as [string, string];
        await begin(first);
        await record(endpoint, first);
        expect(await oldestWaitingMs()).toBeLessThan(HOUR_MS / 2);
        await onGate(endpoint, `limited_at = now() - interval '45 minutes'`);
        expect(await oldestWaitingMs()).toBeGreaterThanOrEqual(HOUR_MS / 2);
        expect(await oldestWaitingMs()).toBeLessThan(HOUR_MS);
        const claim = await store.claimWith();
        const heldFor = Date.now() - (claim.deliveries[0]?.firstAttempt?.heldUntil?.getTime() ?? Date.now());
        expect(heldFor).toBeGreaterThanOrEqual(HOUR_MS / 2);
        expect(heldFor).toBeLessThan(HOUR_MS);
      });

      it('is late from when a claim took all that the pace lets go', async () => {
        await waitingForAnHour(3);
        const paceOf = () => ({ most: 1, nextInMs: 50, awaitsAnswer: false });
        expect((await store.claimWith({ paceOf })).deliveries).toHaveLength(1);
        expect(await oldestWaitingMs()).toBeLessThan(HOUR_MS / 2);
      });

      it('is late from when it could go where a worker took less than that', async () => {
        await waitingForAnHour(3);
        expect((await store.claimWith({ limit: 2 })).deliveries).toHaveLength(2);
        expect(await oldestWaitingMs()).toBeGreaterThanOrEqual(HOUR_MS);
      });
    });

    it('lets the next go when an attempt is recorded, handed back or cancelled', async () => {
      const endpoint = await endpointWith({ maxInFlight: 2 });
      await store.accept(endpoint, 9);
      const [first, second] = (await store.claim()) as [string, string];
      expect((await store.claimWith()).fullEndpoints).toEqual(new Set([endpoint.id]));
      await begin(first);
      await record(endpoint, first);
      expect(await store.claim()).toHaveLength(1);
      await attempts.cancel(second);
      expect(await store.claim()).toHaveLength(1);
    });

    it('counts the slots of a worker that died no longer than its lease', async () => {
      const endpoint = await endpointWith({ maxInFlight: 2, timeoutMs: 60_000 });
      await store.accept(endpoint, 9);
      expect(await store.claim('dies', { leaseMs: LEASE_MS })).toHaveLength(2);
      expect(await store.claim('b')).toHaveLength(0);
      await store.leasesAge(LEASE_MS);
      expect(await store.claim('b')).toHaveLength(2);
    });

    it('counts a slot for as long as it is kept, also while the endpoint is paused', async () => {
      const endpoint = await endpointWith({ maxInFlight: 2 });
      await store.accept(endpoint, 9);
      const taken = await store.claim('a', { leaseMs: LEASE_MS });
      await store.outbox.keep('a', taken, 2 * LEASE_MS);
      await store.leasesAge(LEASE_MS);
      expect(await store.claim('b')).toHaveLength(0);
      await store.setStatus(endpoint, 'paused');
      await store.outbox.keep('a', taken, 2 * LEASE_MS);
      await store.leasesAge(LEASE_MS);
      expect(await liveSlots()).toBe(2);
      await store.leasesAge(LEASE_MS);
      expect(await liveSlots()).toBe(0);
    });

    it('counts the slot of a workflow for as long as its attempt may take', async () => {
      const timeoutMs = 30_000;
      const endpoint = await endpointWith({ maxInFlight: 2, timeoutMs });
      await store.accept(endpoint, 9);
      const taken = await store.claim('a', { leaseMs: 1_000 });
      await store.outbox.acknowledge('a', taken);
      await store.leasesAge(timeoutMs + 30_000);
      expect(await store.claim('b')).toHaveLength(0);
      await store.leasesAge(60_000);
      expect(await store.claim('b')).toHaveLength(2);
    });

    it('clears slots away that count no more', async () => {
      const endpoint = await endpointWith({});
      await store.accept(endpoint, 2);
      await store.claim('dies', { leaseMs: LEASE_MS });
      await store.leasesAge(LEASE_MS);
      await store.outbox.reconcile({ olderThanMs: 3_600_000, limit: 10 });
      expect(await store.count('SELECT count(*)::int AS n FROM slots')).toBe(0);
    });

    it('lets an attempt begin whose slot has expired only when another is free', async () => {
      const endpoint = await endpointWith({ maxInFlight: 1 });
      await store.accept(endpoint, 2);
      const [first] = await store.claim('dies');
      await sql(`UPDATE slots SET expires_at = now() - interval '1 ms'`);
      expect((await begin(first as string))?.begun).toBe(true);
      await sql(`UPDATE slots SET expires_at = now() - interval '1 ms'`);
      expect(await store.claim('b')).toHaveLength(1);
      expect(await begin(first as string)).toMatchObject({ begun: false, refusal: 'in_flight_limit' });
    });
  });

  it('keeps to the in-flight limit of the tenant over all its endpoints', async () => {
    const endpoints = await Promise.all([endpointWith({}), endpointWith({})]);
    for (const endpoint of endpoints) await store.accept(endpoint, 10);
    await sql('UPDATE tenants SET max_in_flight = 5');
    try {
      const claim = await store.claimWith();
      expect(claim.deliveries).toHaveLength(5);
      expect(claim.fullEndpoints).toEqual(new Set(endpoints.map(({ id }) => id)));
      expect(await store.claim()).toHaveLength(0);
    } finally {
      await sql('UPDATE tenants SET max_in_flight = NULL');
    }
  });

  describe('pace', () => {
    const paced = (most: number, over: Partial<Pace> = {}) => {
      const asked: [string, number][] = [];
      const paceOf = (id: string, limit: number): Pace => {
        asked.push([id, limit]);
        return { most, nextInMs: null, awaitsAnswer: false, ...over };
      };
      return { asked, paceOf };
    };

    it('lets no more go than is due, and says when the next is', async () => {
      const endpoint = await endpointWith({ maxInFlight: 7 });
      await store.accept(endpoint, 9);
      const { asked, paceOf } = paced(2, { nextInMs: 123 });
      const claim = await store.claimWith({ paceOf });
      expect(asked).toEqual([[endpoint.id, 7]]);
      expect(claim.deliveries).toHaveLength(2);
      expect(claim).toMatchObject({ nextInMs: 123, again: false, wantsRoom: false });
      expect(claim.fullEndpoints.size).toBe(0);
    });

    it('is not asked where nothing may go, and awaits the end of an attempt where an answer is missing', async () => {
      const endpoint = await endpointWith({ maxInFlight: 2 });
      await store.accept(endpoint, 9);
      const { asked, paceOf } = paced(1, { awaitsAnswer: true });
      expect((await store.claimWith({ paceOf })).fullEndpoints).toEqual(new Set([endpoint.id]));
      expect((await store.claimWith({ paceOf })).deliveries).toHaveLength(1);
      expect((await store.claimWith({ paceOf })).deliveries).toHaveLength(0);
      expect(asked).toHaveLength(2);
    });

    it('is by what its tenant may have under way, where that is less', async () => {
      const endpoint = await endpointWith({ maxInFlight: 7 });
      await store.accept(endpoint, 9);
      await sql('UPDATE tenants SET max_in_flight = 5');
      try {
        const { asked, paceOf } = paced(1);
        await store.claimWith({ paceOf });
        expect(asked).toEqual([[endpoint.id, 5]]);
      } finally {
        await sql('UPDATE tenants SET max_in_flight = NULL');
      }
    });
  });

  describe('circuit', () => {
    const inState = async (state: 'open' | 'half_open', count: number) => {
      const endpoint = await endpointWith({});
      const deliveries = await store.accept(endpoint, count);
      await onEndpoint(endpoint, `circuit_state = '${state}'`);
      return { endpoint, ids: deliveries.map(({ deliveryId }) => deliveryId) };
    };
    const takenOut = async (ids: string[]) => {
      await takenFromOutbox(ids);
      return ids;
    };

    it('lets nothing go while it is open, neither from the outbox nor what was let go before', async () => {
      const endpoint = await endpointWith({});
      const [claimed, retry] = (await store.accept(endpoint, 3)).map(({ deliveryId }) => deliveryId) as [
        string,
        string,
      ];
      await takenOut([retry]);
      expect(await store.claim('a', { limit: 1 })).toEqual([claimed]);
      await onEndpoint(endpoint, `circuit_state = 'open'`);
      expect(await store.claim()).toEqual([]);
      for (const id of [claimed, retry])
        expect(await begin(id)).toMatchObject({ begun: false, refusal: 'circuit_open' });
    });

    it('lets exactly one go while it is half open, of three workers claiming and twenty attempts beginning at once', async () => {
      for (let round = 0; round < 5; round++) {
        const { endpoint, ids } = await inState('half_open', 40);
        const retries = await takenOut(ids.slice(20));
        const [claimed, begun] = await Promise.all([
          claimedByThree(),
          Promise.all(retries.map((id) => begin(id))),
        ]);
        const probes = [...claimed, ...retries.filter((_, i) => begun[i]?.begun)];
        expect(probes).toHaveLength(1);
        expect(await claimedByThree()).toEqual([]);
        if (claimed.length === 1) expect((await begin(claimed[0] as string))?.begun).toBe(true);
        expect(begun.some((delivery) => delivery?.refusal === 'probe_under_way')).toBe(true);
        await onEndpoint(endpoint, `deleted_at = now(), circuit_state = 'open'`);
      }
    });

    it('lets another probe go when the first was handed back, cancelled, or its time is over', async () => {
      const { endpoint } = await inState('half_open', 10);
      const [first] = (await store.claim()) as [string];
      await attempts.handBack({ deliveryId: first, tenantId: store.tenantId, endpointId: endpoint.id }, 0, {
        afterMs: 3_600_000,
      });
      const [second] = (await store.claim()) as [string];
      await attempts.cancel(second);
      expect(await store.claim()).toHaveLength(1);
      const { deliveries, nextInMs } = await store.claimWith();
      expect([deliveries.length, (nextInMs ?? 0) > 1_000]).toEqual([0, true]);
      await onGate(endpoint, `probe_until = now() - interval '1 ms'`);
      expect(await store.claim()).toHaveLength(1);
    });

    it('does not let one go that was let go before it opened, while another is the probe', async () => {
      const endpoint = await endpointWith({});
      await store.accept(endpoint, 5);
      const [before] = (await store.claim('a', { limit: 1 })) as [string];
      await onEndpoint(endpoint, `circuit_state = 'half_open'`);
      expect(await store.claim()).toHaveLength(1);
      expect(await begin(before)).toMatchObject({ begun: false, refusal: 'probe_under_way' });
    });

    it('lets tests go whatever it says, and without a slot', async () => {
      const { ids } = await inState('open', 1);
      const [id] = await takenOut(ids);
      const loaded = await attempts.begin({
        deliveryId: id as string,
        number: 1,
        trigger: 'test',
        lane: 'durable',
      });
      expect(loaded?.begun).toBe(true);
      expect(await liveSlots()).toBe(0);
    });
  });

  it('hands back what may not go with its step and trigger, and gives its slot back', async () => {
    const endpoint = await endpointWith({ maxInFlight: 1 });
    const [first, second] = (await store.accept(endpoint, 2)).map(({ deliveryId }) => deliveryId) as [
      string,
      string,
    ];
    await takenFromOutbox([first, second]);
    expect((await begin(first))?.begun).toBe(true);
    expect((await begin(second))?.refusal).toBe('in_flight_limit');
    await attempts.handBack({ deliveryId: second, tenantId: store.tenantId, endpointId: endpoint.id }, 3, {
      trigger: 'retry_now',
    });
    expect(await store.delivery(second)).toMatchObject({
      status: 'pending',
      schedule_step: 3,
      next_attempt_at: null,
    });
    expect(await store.claim()).toEqual([]);
    await attempts.cancel(first);
    expect((await store.claimWith()).deliveries).toEqual([
      expect.objectContaining({ deliveryId: second, scheduleStep: 3, trigger: 'retry_now' }),
    ]);
  });
});
