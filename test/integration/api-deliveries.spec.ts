// Real: API on a socket, Postgres, Temporal. No worker runs: workflows are started and looked at, not driven.
import { idToUuid, newId } from '@hookstream/domain';
import { startTestApi, type TestApi, type TestTenant } from './api-fixture.js';

describe('deliveries', () => {
  let api: TestApi;
  let tenant: TestTenant;
  let endpointId: string;
  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());
  beforeEach(async () => {
    tenant = await api.createTenant();
    endpointId = (await call('POST', '/endpoints', { url: 'https://example.com/hooks' })).body.id as string;
  });

  const call = (method: string, path: string, body?: unknown) =>
    api.call(method, path, { token: tenant.key, body });
  const uuid = (id: string) => idToUuid('delivery', id);
  const deliver = async (event: object = {}): Promise<{ id: string; eventId: string }> => {
    const accepted = await call('POST', '/events', { type: 'order.paid', data: 1, ...event });
    const eventId = accepted.body.id as string;
    const { body } = await call('GET', `/events/${eventId}`);
    return { id: body.deliveries[0].id as string, eventId };
  };
  /** Takes it out of the outbox, as a dispatcher does, and sets how it stands. */
  const stands = async (id: string, status: string): Promise<void> => {
    await api.rows('DELETE FROM outbox WHERE delivery_id = $1', [uuid(id)]);
    await api.rows(`UPDATE deliveries SET status = $2, attempt_count = 1 WHERE id = $1`, [uuid(id), status]);
  };
  const attempt = (id: string) =>
    api.rows(
      `INSERT INTO attempts (id, tenant_id, delivery_id, endpoint_id, number, trigger, outcome, status_code, error, request_url,
                             request_headers, response_headers, response_body, response_truncated, decision, started_at, duration_ms, next_attempt_at)
       VALUES ($1, $2, $3, $4, 1, 'schedule', 'http_error', 503, 'busy', 'https://example.com/hooks', '{"webhook-id":"x"}',
               '{"content-type":"text/plain"}', 'busy', false, '{"next":"retry","delayMs":1}', now(), 12, now())`,
      [
        idToUuid('attempt', newId('attempt')),
        idToUuid('tenant', tenant.id),
        uuid(id),
        idToUuid('endpoint', endpointId),
      ],
    );
  const workflow = (id: string) => api.temporal.client.workflow.getHandle(id).describe();

  it('lists by every filter, pages, newest first', async () => {
    const one = await deliver();
    const two = await deliver({ type: 'refund.made' });
    const other = await call('POST', '/endpoints', { url: 'https://example.com/2', event_types: ['x'] });
    const three = await deliver({ type: 'x', endpoint_ids: [other.body.id] });
    await stands(one.id, 'dead_letter');
    const ids = async (query: string) =>
      ((await call('GET', `/deliveries?${query}`)).body.data as { id: string }[]).map((d) => d.id);
    expect(await ids('')).toEqual([three.id, two.id, one.id]);
    expect(await ids('status=dead_letter')).toEqual([one.id]);
    expect(await ids('status=pending')).toEqual([three.id, two.id]);
    expect(await ids(`endpoint_id=${endpointId}`)).toEqual([two.id, one.id]);
    expect(await ids(`event_id=${two.eventId}`)).toEqual([two.id]);
    expect(await ids('event_type=x')).toEqual([three.id]);
    expect(await ids('event_type=x&status=dead_letter')).toEqual([]);
    expect(await ids(`since=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`)).toEqual([]);
    expect(await ids('until=2020-01-01T00:00:00%2B02:00')).toEqual([]);
    const first = await call('GET', '/deliveries?limit=2');
    expect(await ids(`limit=2&cursor=${first.body.next_cursor as string}`)).toEqual([one.id]);
    expect((await call('GET', '/dead-letter')).body.data).toMatchObject([{ id: one.id }]);
    expect((await call('GET', '/dead-letter?event_type=x')).body.data).toEqual([]);
  });

  it('shows a delivery with its attempts and its page in Temporal', async () => {
    const { id } = await deliver();
    await attempt(id);
    const { body } = await call('GET', `/deliveries/${id}`);
    expect(body.temporal_url).toBe(`http://127.0.0.1:8233/namespaces/hookstream/workflows/${id}`);
    expect(body.attempts).toMatchObject([
      {
        number: 1,
        outcome: 'http_error',
        status_code: 503,
        duration_ms: 12,
        trigger: 'schedule',
        request: { url: 'https://example.com/hooks', headers: { 'webhook-id': 'x' } },
        response: { headers: { 'content-type': 'text/plain' }, body: 'busy', truncated: false },
      },
    ]);
  });

  it('answers the state from the record where no workflow runs', async () => {
    const { id } = await deliver();
    expect((await call('GET', `/deliveries/${id}/state`)).body).toMatchObject({
      status: 'pending',
      attempts: 0,
      last_outcome: null,
      source: 'record',
    });
    await stands(id, 'retrying');
    await attempt(id);
    expect((await call('GET', `/deliveries/${id}/state`)).body).toMatchObject({
      status: 'retrying',
      attempts: 1,
      last_outcome: { kind: 'http_error', status_code: 503, duration_ms: 12 },
      source: 'record',
    });
  });

  describe.each(['replay', 'retry-now'])('%s', (action) => {
    it('pulls forward what waits in the outbox', async () => {
      const { id } = await deliver({ deliver_at: new Date(Date.now() + 3_600_000).toISOString() });
      expect((await call('POST', `/deliveries/${id}/${action}`)).status).toBe(202);
      expect(
        await api.rows('SELECT claimable_at <= now() AS due FROM outbox WHERE delivery_id = $1', [uuid(id)]),
      ).toEqual([{ due: true }]);
    });

    it('leaves a row that is being dispatched to whoever claimed it', async () => {
      const { id } = await deliver();
      await api.rows(
        `UPDATE outbox SET claimed_by = 'w', claimable_at = now() + interval '10 s' WHERE delivery_id = $1`,
        [uuid(id)],
      );
      expect((await call('POST', `/deliveries/${id}/${action}`)).status).toBe(202);
      expect(
        await api.rows(
          'SELECT claimed_by, claimable_at > now() AS leased FROM outbox WHERE delivery_id = $1',
          [uuid(id)],
        ),
      ).toEqual([{ claimed_by: 'w', leased: true }]);
    });

    it('is refused while the endpoint holds it', async () => {
      const { id } = await deliver();
      await call('POST', `/endpoints/${endpointId}/pause`);
      const answer = await call('POST', `/deliveries/${id}/${action}`);
      expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('resume')]);
    });

    it('is refused while others of its order key go before it', async () => {
      const inOrder = { ordered: true, order_key: 'data.customer' };
      expect((await call('PATCH', `/endpoints/${endpointId}`, inOrder)).status).toBe(200);
      const [first, second] = [
        await deliver({ data: { customer: 1 } }),
        await deliver({ data: { customer: 1 } }),
      ];
      const waiting = () => api.rows('SELECT * FROM outbox WHERE delivery_id = $1', [uuid(second.id)]);
      const before = await waiting();
      const answer = await call('POST', `/deliveries/${second.id}/${action}`);
      expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('in order')]);
      expect(await waiting()).toEqual(before);
      expect((await call('POST', `/deliveries/${first.id}/${action}`)).status).toBe(202);
    });
  });

  it.each(['succeeded', 'dead_letter', 'cancelled'])(
    'retry-now of what is %s points at replay',
    async (status) => {
      const { id } = await deliver();
      await stands(id, status);
      const answer = await call('POST', `/deliveries/${id}/retry-now`);
      expect([answer.status, answer.body.detail]).toEqual([409, expect.stringContaining('replay')]);
    },
  );

  it('replay tells the workflow of what is just being started, so that its row may leave', async () => {
    const { id } = await deliver();
    await api.rows(
      `UPDATE outbox SET lane = 'durable', claimed_by = 'w', claimable_at = now() + interval '10 s' WHERE delivery_id = $1`,
      [uuid(id)],
    );
    expect((await call('POST', `/deliveries/${id}/replay`)).status).toBe(202);
    const { events } = await api.temporal.client.workflow.getHandle(id).fetchHistory();
    expect(events?.filter((e) => e.workflowExecutionSignaledEventAttributes?.signalName === 'replay')).toHaveLength(1); // prettier-ignore
    await api.temporal.client.workflow.getHandle(id).terminate();
  });

  it.each(['succeeded', 'dead_letter', 'cancelled', 'retrying'])(
    'replay starts a workflow for what is %s',
    async (status) => {
      const { id } = await deliver();
      await stands(id, status);
      expect((await call('POST', `/deliveries/${id}/replay`)).status).toBe(202);
      const description = await workflow(id);
      expect([description.status.name, description.type, description.taskQueue]).toEqual([
        'RUNNING',
        'deliveryWorkflow',
        api.taskQueue,
      ]);
      expect((await call('POST', `/deliveries/${id}/replay`)).status).toBe(202);
      await api.temporal.client.workflow.getHandle(id).terminate();
    },
  );

  it('replay is refused once the endpoint is deleted', async () => {
    const { id } = await deliver();
    await call('DELETE', `/endpoints/${endpointId}`);
    expect((await call('POST', `/deliveries/${id}/replay`)).status).toBe(409);
  });

  it('cancel ends what waits in the outbox, once', async () => {
    const { id } = await deliver();
    const answer = await call('POST', `/deliveries/${id}/cancel`);
    expect([answer.status, answer.body.status]).toEqual([202, 'cancelled']);
    expect(answer.body.completed_at).not.toBeNull();
    expect(await api.rows('SELECT 1 FROM outbox WHERE delivery_id = $1', [uuid(id)])).toEqual([]);
    expect((await call('POST', `/deliveries/${id}/cancel`)).status).toBe(409);
  });

  it('cancel signals an open workflow', async () => {
    const { id } = await deliver();
    await stands(id, 'dead_letter');
    await call('POST', `/deliveries/${id}/replay`);
    expect((await call('POST', `/deliveries/${id}/cancel`)).status).toBe(202);
    const history = await api.temporal.client.workflow.getHandle(id).fetchHistory();
    const signals = history.events?.flatMap(
      (e) => e.workflowExecutionSignaledEventAttributes?.signalName ?? [],
    );
    expect(signals).toEqual(['replay', 'cancel']);
    await api.temporal.client.workflow.getHandle(id).terminate();
  });

  it('cancel ends what nothing stands for any more', async () => {
    const { id } = await deliver();
    await stands(id, 'in_progress');
    expect((await call('POST', `/deliveries/${id}/cancel`)).body.status).toBe('cancelled');
  });

  it('a dead letter can be discarded, and only a dead letter', async () => {
    const { id } = await deliver();
    expect((await call('DELETE', `/dead-letter/${id}`)).status).toBe(404);
    await stands(id, 'dead_letter');
    expect((await call('DELETE', `/dead-letter/${id}`)).status).toBe(204);
    expect((await call('GET', `/deliveries/${id}`)).body.status).toBe('cancelled');
    expect((await call('DELETE', `/dead-letter/${id}`)).status).toBe(404);
  });
});
