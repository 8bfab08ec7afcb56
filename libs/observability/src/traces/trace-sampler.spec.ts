import { newId } from '@hookstream/domain';
import type { TracedEvent } from './trace-context.js';
import { traceSampler } from './trace-sampler.js';

// Pure: OpenTelemetry's samplers, asked as API and workers ask them.

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const own = (): TracedEvent => ({ eventId: newId('event'), traceparent: null });
const sent = (flags: '00' | '01'): TracedEvent => ({
  eventId: newId('event'),
  traceparent: `00-${TRACE}-b7ad6b7169203331-${flags}`,
});

describe('the sampler of traces', () => {
  it.each<[string, number, boolean, boolean, boolean]>([
    ['always_on', 0, true, true, true],
    ['always_off', 1, false, false, false],
    ['traceidratio', 1, true, true, true],
    ['traceidratio', 0, false, false, false],
    ['parentbased_always_on', 0, true, true, false],
    ['parentbased_always_off', 1, false, true, false],
    ['parentbased_traceidratio', 1, true, true, false],
    ['parentbased_traceidratio', 0, false, true, false],
  ])('%s by %d: own %s, sampled %s, not sampled %s', (name, ratio, ofOwn, ofSampled, ofUnsampled) => {
    const samples = traceSampler(name, ratio);
    expect([own(), sent('01'), sent('00')].map(samples)).toEqual([ofOwn, ofSampled, ofUnsampled]);
  });

  it('a ratio takes that share of the traces that are under ids of events, the same in every process', () => {
    const events = Array.from({ length: 4_000 }, own);
    const [api, worker] = [
      traceSampler('parentbased_traceidratio', 0.25),
      traceSampler('parentbased_traceidratio', 0.25),
    ];
    const taken = events.filter(api);
    expect(events.filter(worker)).toEqual(taken);
    // ten standard deviations around a thousand
    expect(Math.abs(taken.length - 1_000)).toBeLessThan(275);
  });

  it('an unknown name is refused', () => expect(() => traceSampler('jaeger_remote', 1)).toThrow('jaeger'));
});
