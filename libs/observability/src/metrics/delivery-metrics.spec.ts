import { Registry } from 'prom-client';
import { DeliveryMetrics, type MeasuredDelivery } from './delivery-metrics.js';

const STARTED_AT = new Date('2026-05-04T10:00:00Z');
const before = (ms: number): Date => new Date(STARTED_AT.getTime() - ms);

/** The sums of a first attempt's histograms, in seconds. */
async function measured(delivery: Partial<MeasuredDelivery>, number = 1) {
  const registry = new Registry();
  new DeliveryMetrics(registry, 10).onAttempt(
    {
      tenantId: 'tnt_1',
      eventType: 'order.paid',
      dueAt: before(60_000),
      heldUntil: null,
      inOrder: false,
      ...delivery,
    },
    {
      number,
      trigger: 'schedule',
      outcome: { kind: 'succeeded', durationMs: 500 },
      decision: { next: 'succeeded' },
      startedAt: STARTED_AT,
    },
  );
  const page = await registry.metrics();
  const sum = (name: string) => Number(new RegExp(`^${name}_sum (.*)$`, 'm').exec(page)?.[1]);
  return {
    lag: sum('hookstream_dispatch_lag_seconds'),
    duration: sum('hookstream_delivery_duration_seconds'),
  };
}

describe('the dispatch lag of a first attempt', () => {
  it.each<[string, Partial<MeasuredDelivery>, number]>([
    ['begins when the delivery is due', {}, 60],
    ['begins when its endpoint holds it back no more', { heldUntil: before(2_000) }, 2],
    ['begins when it is due where it was held back before that', { heldUntil: before(90_000) }, 60],
    ['is none where the clocks differ', { heldUntil: before(-5_000) }, 0],
    ['is not measured where it may have waited for its turn', { inOrder: true }, 0],
  ])('%s', async (_, delivery, lag) => {
    expect(await measured(delivery)).toEqual({ lag, duration: 60.5 });
  });

  it('is that of the first attempt alone', async () => {
    expect((await measured({}, 2)).lag).toBe(0);
  });
});
