// Real HTTP against the worker's health server.
import { HealthServer } from './health-server.js';

describe('the worker as orchestrators see it', () => {
  let trouble: string | undefined;
  const server = new HealthServer(() => trouble);
  let base: string;

  beforeAll(async () => {
    base = `http://127.0.0.1:${await server.listen(0, '127.0.0.1')}`;
  });
  afterAll(() => server.close());

  it('is alive and ready while it takes deliveries', async () => {
    trouble = undefined;
    expect((await fetch(`${base}/health/live`)).status).toBe(200);
    const ready = await fetch(`${base}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ok' }]);
  });

  it('is alive, not ready, and says why while it takes none', async () => {
    trouble = 'starting';
    expect((await fetch(`${base}/health/live`)).status).toBe(200);
    const ready = await fetch(`${base}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'error', detail: 'starting' }]);
  });

  it.each([
    ['GET', '/', 404],
    ['GET', '/health', 404],
    ['POST', '/health/ready', 405],
  ])('answers %s %s with %i', async (method, path, status) => {
    expect((await fetch(`${base}${path}`, { method })).status).toBe(status);
  });
});
