import { Registry } from 'prom-client';
import {
  registerInstallationMetrics,
  registerReadiness,
  type InstallationGauges,
} from './installation-metrics.js';

const GAUGES: InstallationGauges = {
  queueDepths: [{ tenantId: 'tnt_1', waiting: 4 }],
  oldestPendingSeconds: 0,
  circuits: [{ endpointId: 'ep_1', state: 'half_open' }],
  workers: 2,
  partitionsAheadDays: 1,
};

/** The samples of a page, without what explains them. */
async function samples(registry: Registry): Promise<string[]> {
  return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('gauges', () => {
  it('show what was read, zero too', async () => {
    const registry = new Registry();
    registerInstallationMetrics(registry, async () => GAUGES);
    registerReadiness(registry, () => false);
    expect(await samples(registry)).toEqual([
      'hookstream_queue_depth{tenant="tnt_1"} 4',
      'hookstream_oldest_pending_seconds 0',
      'hookstream_circuit_breaker_state{endpoint="ep_1"} 1',
      'hookstream_workers 2',
      'hookstream_partitions_ahead_seconds 86400',
      'hookstream_ready 0',
    ]);
  });

  it('are absent while they cannot be read, and the rest of the page is there', async () => {
    const registry = new Registry();
    registerInstallationMetrics(registry, () => Promise.reject(new Error('Postgres is away')));
    registerReadiness(registry, () => true);
    expect(await samples(registry)).toEqual(['hookstream_ready 1']);
  });

  it('read once for a page, and forget what is no longer there', async () => {
    const registry = new Registry();
    let reads = 0;
    let ready = true;
    registerInstallationMetrics(registry, async () => {
      reads += 1;
      return GAUGES;
    });
    registerReadiness(registry, () => (ready ? true : Promise.reject(new Error('health does not answer'))));
    expect(await samples(registry)).toContain('hookstream_ready 1');
    ready = false;
    expect((await samples(registry)).filter((line) => line.startsWith('hookstream_ready'))).toEqual([]);
    expect(reads).toBe(1);
  });
});
