// Real: the API on a socket, a worker as its process runs it, Postgres, Temporal and receivers.
import { closedCircuit, idToUuid } from '@hookstream/domain';
import { EndpointWorkflows } from '@hookstream/temporal-client';
import { eventually, TestReceiver } from '@hookstream/testing';
import { endpointWorkflowId } from '@hookstream/contracts';
import type { HookstreamWorker } from '@hookstream/worker';
import type { Answer } from '../contract/contract-checker.js';
import { startTestApi, type TestApi, type TestTenant } from './api-fixture.js';
import { startApiWorker } from './api-worker.js';

const PATIENCE = { timeoutMs: 30_000 };
const LANES = ['durable', 'express'] as const;

describe('the circuit of an endpoint', () => {
  let api: TestApi;
  let worker: HookstreamWorker;
  let receiver: TestReceiver;
  let tenant: TestTenant;

  beforeAll(async () => {
    [api, receiver] = await Promise.all([startTestApi(), TestReceiver.start()]);
    worker = await startApiWorker(api);
    tenant = await api.createTenant();
  }, 60_000);
  afterAll(async () => {
    await worker.stop();
    await api.close();
    await receiver.close();
  });

  const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    api.call(method, path, { token: tenant.key, body });
  const createEndpoint = async (body: Record<string, unknown>): Promise<string> => {
    const created = await call('POST', '/endpoints', { event_types: ['order.*'], ...body });
    expect(created.status).toBe(201);
    return created.body.id as string;
  };
  const post = async (endpointId: string, count = 1): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const answer = await call('POST', '/events', {
        type: 'order.paid',
        data: i,
        endpoint_ids: [endpointId],
      });
      expect(answer.status).toBe(202);
    }
  };
  const reaches = (endpointId: string, state: string): Promise<Answer> =>
    eventually(async () => {
      const answer = await call('GET', `/endpoints/${endpointId}/circuit`);
      return answer.body.state === state && answer;
    }, PATIENCE);
  const workflows = () => new EndpointWorkflows(api.temporal, { taskQueue: api.controlTaskQueue });

  it('is closed and told from the record while nothing has failed', async () => {
    const id = await createEndpoint({ url: receiver.url('/fine') });
    await post(id);
    await receiver.waitForRequests('/fine', 1);
    const { status, body } = await call('GET', `/endpoints/${id}/circuit`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'closed', consecutive_failures: 0, source: 'record' });
    expect(await workflows().state(id)).toEqual({ kind: 'not_found' });
  });

  it.each(LANES)(
    'opens by failed attempts, is told live, shows at the endpoint, and is closed by a reset, in the %s lane',
    async (lane) => {
      receiver.on('/dead', { status: 500 });
      const id = await createEndpoint({
        url: receiver.url('/dead'),
        lane,
        retry: { delays_ms: [3_600_000] },
      });
      await post(id, 5);
      const { body } = await reaches(id, 'open');
      expect(body).toMatchObject({ endpoint_id: id, consecutive_failures: 5, source: 'workflow' });
      expect(Date.parse(body.next_probe_at as string)).toBeGreaterThan(Date.now() + 500_000);
      await eventually(async () => (await call('GET', `/endpoints/${id}`)).body.circuit_state === 'open');

      const reset = await call('POST', `/endpoints/${id}/circuit/reset`);
      expect([reset.status, reset.body.state]).toEqual([200, 'closed']);
      expect((await call('GET', `/endpoints/${id}`)).body.circuit_state).toBe('closed');
      const audit = await call('GET', `/audit-log?object_id=${id}`);
      expect(audit.body.data[0]).toMatchObject({ action: 'endpoint.circuit_reset', actor: { kind: 'key' } });
    },
  );

  it('is reset when its run is gone', async () => {
    receiver.on('/dead', { status: 500 });
    const id = await createEndpoint({ url: receiver.url('/dead'), retry: { delays_ms: [3_600_000] } });
    await post(id, 5);
    await reaches(id, 'open');
    await api.temporal.client.workflow.getHandle(endpointWorkflowId(id)).terminate('by a test');
    expect((await reaches(id, 'open')).body.source).toBe('record');
    expect((await call('POST', `/endpoints/${id}/circuit/reset`)).body.state).toBe('closed');
  });

  it('goes on when it is open, long past its probe, and no run is there', async () => {
    const id = await createEndpoint({ url: receiver.url('/back') });
    const hourAgo = Date.now() - 3_600_000;
    const failing = { failures: 5, ordinaryFailures: 5, failingSince: hourAgo, lastFailureAt: hourAgo };
    const tripped = { state: 'open', trips: 1, openedAt: hourAgo, trippedAt: hourAgo, recovering: true };
    // as a restore of Postgres or of Temporal leaves it
    await api.rows(
      `UPDATE endpoints SET circuit_state = 'open', circuit_turn = 1, recovering = true, circuit_memory = $2, circuit_probe_at = $3 WHERE id = $1`,
      [idToUuid('endpoint', id), { ...closedCircuit(1), ...failing, ...tripped }, new Date(hourAgo)],
    );
    await post(id);
    const another = await startApiWorker(api);
    try {
      await receiver.waitForRequests('/back', 1, PATIENCE.timeoutMs);
      await reaches(id, 'closed');
    } finally {
      await another.stop();
    }
  });

  it('follows a changed policy at once', async () => {
    receiver.on('/dead', { status: 500 });
    const id = await createEndpoint({ url: receiver.url('/dead'), retry: { delays_ms: [3_600_000] } });
    await post(id, 5);
    await reaches(id, 'open');
    const circuit = { failure_threshold: 5, cooldown_ms: 1_000, disable_after_ms: 432_000_000 };
    expect((await call('PATCH', `/endpoints/${id}`, { circuit })).status).toBe(200);
    await reaches(id, 'half_open');
  });

  it.each(LANES)(
    'starts anew when an endpoint that was disabled is resumed, in the %s lane',
    async (lane) => {
      receiver.on('/gone', { status: 410 });
      const id = await createEndpoint({ url: receiver.url('/gone'), lane });
      await post(id, 1);
      await eventually(
        async () => (await call('GET', `/endpoints/${id}`)).body.status === 'disabled',
        PATIENCE,
      );
      const disabled = await call('GET', `/endpoints/${id}`);
      expect(disabled.body.disabled_reason).toBe('the receiver answered 410 Gone');
      await eventually(
        async () => (await call('GET', `/endpoints/${id}/circuit`)).body.consecutive_failures === 1,
        PATIENCE,
      );
      expect((await call('POST', `/endpoints/${id}/resume`)).body).toMatchObject({
        status: 'enabled',
        disabled_reason: null,
      });
      await eventually(
        async () => (await call('GET', `/endpoints/${id}/circuit`)).body.consecutive_failures === 0,
        PATIENCE,
      );
    },
  );

  it('is told from the record while nobody answers', async () => {
    const id = await createEndpoint({ url: receiver.url('/silent') });
    const elsewhere = new EndpointWorkflows(api.temporal, { taskQueue: 'nobody-polls-this' });
    await elsewhere.revive({ tenantId: tenant.id, endpointId: id, endpointHost: 'receiver' });
    const { status, body } = await call('GET', `/endpoints/${id}/circuit`);
    expect([status, body.state, body.source]).toEqual([200, 'closed', 'record']);
    await api.temporal.client.workflow.getHandle(endpointWorkflowId(id)).terminate('by a test');
  });

  it('ends with its endpoint', async () => {
    receiver.on('/dead', { status: 500 });
    const id = await createEndpoint({ url: receiver.url('/dead'), retry: { delays_ms: [3_600_000] } });
    await post(id, 5);
    await reaches(id, 'open');
    expect((await call('DELETE', `/endpoints/${id}`)).status).toBe(204);
    const handle = api.temporal.client.workflow.getHandle(endpointWorkflowId(id));
    await eventually(async () => (await handle.describe()).status.name === 'COMPLETED', PATIENCE);
    expect((await call('GET', `/endpoints/${id}/circuit`)).status).toBe(404);
  });

  it('takes no notice of tests', async () => {
    receiver.on('/tested', { status: 500 });
    const id = await createEndpoint({ url: receiver.url('/tested'), circuit: { failure_threshold: 1 } });
    expect((await call('POST', `/endpoints/${id}/test`)).body.outcome).toBe('http_error');
    await post(id, 1);
    await eventually(
      async () => (await call('GET', `/endpoints/${id}`)).body.circuit_state === 'open',
      PATIENCE,
    );
    const rows = await api.rows<{ n: number }>(
      `SELECT (circuit_memory->>'failures')::int AS n FROM endpoints WHERE id = $1`,
      [idToUuid('endpoint', id)],
    );
    expect(rows[0]?.n).toBe(1);
  });
});
