// Real: a Temporal server, both kinds of connection. Nothing is scripted; no worker runs.
import { NAMESPACE } from '@hookstream/contracts';
import {
  connectTemporal,
  connectTemporalWorker,
  DeliveryStarter,
  ensureNamespace,
  ensureSearchAttributes,
  type TemporalClient,
} from '@hookstream/temporal-client';
import { makeDeliveryInput, testTemporalOptions, uniqueTaskQueue } from '@hookstream/testing';

const NOBODY_LISTENS = { address: '127.0.0.1:1', namespace: NAMESPACE };
const UNAVAILABLE = { code: 'temporal_unavailable' };

describe('the Temporal client', () => {
  const options = { ...testTemporalOptions(), namespace: uniqueTaskQueue('namespace') };
  let lazy: TemporalClient;
  let native: TemporalClient;
  beforeAll(async () => {
    lazy = connectTemporal(options);
    native = await connectTemporalWorker(options);
  });
  afterAll(() => Promise.all([lazy.close(), native.close()]));

  it('makes a missing namespace usable, with a retention of an hour at least, and its search attributes', async () => {
    await expect(lazy.check()).rejects.toMatchObject(UNAVAILABLE);
    await expect(new DeliveryStarter(native).start(makeDeliveryInput())).rejects.toMatchObject(UNAVAILABLE);

    expect(await ensureNamespace(lazy, { retentionMs: 1_000 })).toBe('created');
    expect(await ensureSearchAttributes(lazy)).toBe('created');
    expect(await ensureNamespace(native, { retentionMs: 1_000 })).toBe('existing');
    expect(await ensureSearchAttributes(native)).toBe('existing');

    await Promise.all([lazy.check(), native.check()]);
    const { config } = await lazy.client.workflowService.describeNamespace({ namespace: options.namespace });
    expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(3_600);
  }, 60_000);

  it.each(['lazy', 'native'] as const)('answers by types where no worker runs (%s)', async (kind) => {
    const starter = new DeliveryStarter(kind === 'lazy' ? lazy : native, { queryTimeoutMs: 300 });
    const input = makeDeliveryInput();
    expect(await starter.start(input)).toBe('started');
    expect(await starter.start(input)).toBe('already_started');
    await starter.signalReplay(input);
    expect(await starter.retryNow(input.deliveryId)).toBe(true);
    expect(await starter.cancel(input.deliveryId, 'enough')).toBe(true);
    expect(await starter.state(input.deliveryId)).toEqual({ kind: 'no_answer' });
    expect(await starter.runTest(makeDeliveryInput({ trigger: 'test' }), 500)).toEqual({ kind: 'timed_out' });
    await expect(starter.runTest(input, 500)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('says that Temporal is away, within its time-outs', async () => {
    const away = connectTemporal(NOBODY_LISTENS);
    const starter = new DeliveryStarter(away, { requestTimeoutMs: 500, queryTimeoutMs: 500 });
    const input = makeDeliveryInput();
    await expect(away.check(500)).rejects.toMatchObject(UNAVAILABLE);
    await expect(starter.start(input)).rejects.toMatchObject(UNAVAILABLE);
    await expect(starter.cancel(input.deliveryId, 'x')).rejects.toMatchObject(UNAVAILABLE);
    await expect(connectTemporalWorker(NOBODY_LISTENS)).rejects.toMatchObject(UNAVAILABLE);
    await away.close();
  });
});
