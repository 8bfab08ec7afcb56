// Real: an API and a worker as processes, the collector or what stands in its place, Postgres, Temporal and a receiver. Proves that without traces
// nothing of them is there, and that a collector that takes nothing costs no delivery.
import { createServer, type AddressInfo } from 'node:net';
import { idToUuid } from '@hookstream/domain';
import { newTraceparent, TracedServices } from './traced-services.js';

const LOADED_MODULES = `--import=${new URL('./children/loaded-modules.js', import.meta.url).href}`;

async function loadedBy({ services: { api, worker } }: TracedServices): Promise<unknown[]> {
  for (const process of [api, worker]) process.signal('SIGUSR2');
  return Promise.all([api, worker].map(async (process) => (await process.said('loaded'))['packages']));
}

async function portOfNobody(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe('without traces', () => {
  let here: TracedServices;
  beforeAll(async () => {
    // the endpoint is there for other programs of the same pod
    here = await TracedServices.start((url) => ({
      NODE_OPTIONS: LOADED_MODULES,
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_TRACES_EXPORTER: 'none',
    }));
  }, 90_000);
  afterAll(() => here.stop());

  it.each(['durable', 'express'] as const)(
    'an event of the lane %s has its own trace, whatever came with it',
    async (lane) => {
      const { path, type } = await here.endpoint({ lane });
      const eventId = await here.post(type, newTraceparent().header);
      await here.delivered(eventId);
      const traceId = idToUuid('event', eventId).replaceAll('-', '');
      expect(here.receivedTraces(path)).toEqual([
        expect.stringMatching(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`)),
      ]);
      const { pool } = await here.services.database.open();
      const { rows } = await pool.query('SELECT traceparent FROM events WHERE id = $1', [
        idToUuid('event', eventId),
      ]);
      expect(rows).toEqual([{ traceparent: null }]);
    },
  );

  it('the SDK of OpenTelemetry is not loaded', async () => {
    expect(await loadedBy(here)).toEqual([[], []]);
  });

  it('nothing was sent', async () => {
    await Promise.all([here.services.api.stop(), here.services.worker.stop()]);
    expect(here.collector.requests).toEqual([]);
  });
});

describe('with a collector that refuses connections', () => {
  let here: TracedServices;
  beforeAll(async () => {
    const port = await portOfNobody();
    here = await TracedServices.start(() => ({
      NODE_OPTIONS: LOADED_MODULES,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
    }));
  }, 90_000);
  afterAll(() => here.stop());

  it('is what loads the SDK', async () => {
    for (const packages of await loadedBy(here)) expect(packages).toContain('@opentelemetry/sdk-trace');
  });

  it.each(['durable', 'express'] as const)('the lane %s delivers', async (lane) => {
    const { path, type } = await here.endpoint({ lane });
    const caller = newTraceparent();
    await here.delivered(await here.post(type, caller.header));
    expect(here.receivedTraces(path).map((trace) => trace.slice(3, 35))).toEqual([caller.traceId]);
  });

  it('each process says so once, and ends in time', async () => {
    const { api, worker } = here.services;
    const told = 'spans are lost: the collector does not take them; deliveries go on';
    for (const process of [api, worker])
      expect((await process.said(told))['reason']).toContain('ECONNREFUSED');
    const { type } = await here.endpoint({ lane: 'express' });
    await here.delivered(await here.post(type));
    expect(await Promise.all([api.stop(), worker.stop()])).toEqual([0, 'SIGTERM']);
    for (const { lines } of [api, worker])
      expect(lines.filter((line) => line.includes(told))).toHaveLength(1);
  });
});
