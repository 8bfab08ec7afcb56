// Real: the whole instance as npm start runs it and a receiver on loopback. What Temporal's Web UI shows is read from the
// instance's Temporal server the way the Web UI reads it: visibility, description, metadata query and history.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { NAMESPACE } from '@hookstream/contracts';
import { connectTemporal, type TemporalClient } from '@hookstream/temporal-client';
import { eventually, TestReceiver } from '@hookstream/testing';
import * as proto from '@temporalio/proto';
import {
  createEndpoint,
  deliverTo,
  deliveryThat,
  getDelivery,
  type CreatedEndpointObject,
} from './api-objects.js';
import { StandaloneInstance } from './standalone-instance.js';

const START_MS = 120_000;
const PAYLOAD_MARKER = 'payload-marker-5b1f0c';
const HEADER_MARKER = 'header-marker-93d7aa';

let instance: StandaloneInstance;
let receiver: TestReceiver;
let temporal: TemporalClient;

beforeAll(async () => {
  receiver = await TestReceiver.start();
  instance = await StandaloneInstance.start();
  temporal = connectTemporal({ address: instance.file.temporal_address, namespace: NAMESPACE });
}, START_MS);
afterAll(async () => {
  await temporal?.close();
  await instance?.stop();
  await receiver?.close();
}, START_MS);

/** Ids of the workflows that a search in the Web UI lists. */
async function found(query: string): Promise<string[]> {
  const ids: string[] = [];
  for await (const { workflowId } of temporal.client.workflow.list({ query })) ids.push(workflowId);
  return ids.sort();
}

async function currentDetails(workflowId: string): Promise<string> {
  const metadata = await temporal.client.workflow
    .getHandle(workflowId)
    .query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}

/** The history as the server sends it: every input, result and detail is in it as plain bytes. */
async function rawHistory(workflowId: string): Promise<Buffer> {
  const history = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  return Buffer.from(proto.temporal.api.history.v1.History.encode(history).finish());
}

describe('the story of a delivery', () => {
  let endpoint: CreatedEndpointObject;
  let failing: string;
  let delivered: string;

  beforeAll(async () => {
    receiver.on('/story', [{ status: 503 }, {}]);
    endpoint = await createEndpoint(instance, receiver.url('/story'), {
      headers: { Authorization: `Bearer ${HEADER_MARKER}` },
    });
    failing = await deliverTo(instance, endpoint.id, { data: { note: PAYLOAD_MARKER } });
    await deliveryThat(instance, failing, ({ status }) => status === 'retrying');
    delivered = await deliverTo(instance, endpoint.id, { data: { note: PAYLOAD_MARKER } });
    await deliveryThat(instance, delivered, ({ status }) => status === 'succeeded');
  });

  it('is found by endpoint, event, event type, tenant and status', async () => {
    const of = `HookstreamEndpointId = "${endpoint.id}"`;
    const { event_id } = await getDelivery(instance, failing);
    const breaker = `endpoint/${endpoint.id}`;
    const searches: [string, string[]][] = [
      [of, [failing, delivered, breaker]],
      [`HookstreamEventId = "${event_id}"`, [failing]],
      [`${of} AND HookstreamEventType = "order.paid"`, [failing, delivered]],
      [`${of} AND HookstreamTenantId = "${instance.file.tenant_id}"`, [failing, delivered, breaker]],
      [`${of} AND HookstreamStatus = "retrying"`, [failing]],
      [`${of} AND HookstreamStatus = "succeeded"`, [delivered]],
      [`${of} AND HookstreamStatus = "dead_letter"`, []],
    ];
    for (const [query, ids] of searches) {
      await eventually(async () => expect(await found(query)).toEqual([...ids].sort()) ?? true);
    }
  });

  it('has its event and receiver for a title', async () => {
    const description = await temporal.client.workflow.getHandle(failing).describe();
    expect(description.type).toBe('deliveryWorkflow');
    expect(await description.staticSummary()).toBe(`order.paid → 127.0.0.1:${receiver.port}`);
  });

  it('tells how it stands, before and after', async () => {
    expect(await currentDetails(failing)).toMatch(
      /^attempt 1 of 5: 503 in \d+ ms, next at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/,
    );
    expect(await currentDetails(delivered)).toMatch(/^attempt 1 of 5: 200 in \d+ ms$/);

    await instance.call('POST', `/deliveries/${failing}/retry-now`);
    await deliveryThat(instance, failing, ({ status }) => status === 'succeeded');
    await eventually(
      async () => expect(await currentDetails(failing)).toMatch(/^attempt 2 of 5: 200 in/) ?? true,
    );
    expect(await temporal.client.workflow.getHandle(failing).result()).toEqual({
      status: 'succeeded',
      attempts: 2,
    });
    await eventually(async () => {
      const succeeded = await found(
        `HookstreamEndpointId = "${endpoint.id}" AND HookstreamStatus = "succeeded"`,
      );
      return succeeded.length === 2;
    });
  });

  it('is linked from the API', async () => {
    const { temporal_url } = await getDelivery(instance, failing);
    expect(temporal_url.startsWith(instance.file.temporal_ui_url)).toBe(true);
    expect(temporal_url).toContain(failing);
    expect((await fetch(temporal_url)).status).toBe(200);
  });

  describe('holds no payload and no secret', () => {
    const secretsOfTheInstance = (): string[] => {
      const { encryption_key } = JSON.parse(readFileSync(join(instance.dataDir, 'secrets.json'), 'utf8')) as {
        encryption_key: string;
      };
      const { api_key, admin_token } = instance.file;
      return [endpoint.secret.replace(/^whsec_/, ''), HEADER_MARKER, api_key, admin_token, encryption_key];
    };

    it('in the histories', async () => {
      const histories = await Promise.all([failing, delivered].map(rawHistory));
      expect(histories.map((history) => history.includes('order.paid'))).toEqual([true, true]);
      const others = await Promise.all((await found('')).map(rawHistory));
      for (const text of [PAYLOAD_MARKER, ...secretsOfTheInstance()]) {
        for (const history of [...histories, ...others]) {
          expect(history.includes(text)).toBe(false);
          expect(history.includes(Buffer.from(text).toString('base64').replace(/=+$/, ''))).toBe(false);
        }
      }
    });

    it('in the logs', () => {
      const directory = join(instance.dataDir, 'logs');
      const logsWith = (text: string): string[] =>
        readdirSync(directory).filter((name) => readFileSync(join(directory, name), 'utf8').includes(text));
      expect(logsWith(failing)).toContain('worker.log');
      for (const text of [PAYLOAD_MARKER, ...secretsOfTheInstance()]) expect(logsWith(text)).toEqual([]);
    });

    it('but the receiver got them', () => {
      const [request] = receiver.requestsTo('/story');
      expect(request?.headers['authorization']).toBe(`Bearer ${HEADER_MARKER}`);
      expect(request?.body.toString()).toContain(PAYLOAD_MARKER);
    });
  });
});
