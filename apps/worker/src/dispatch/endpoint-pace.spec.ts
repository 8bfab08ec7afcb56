// Pure, with a clock of its own: what a worker remembers of its endpoints' answers.
import { EndpointPace } from './endpoint-pace.js';

describe('EndpointPace', () => {
  let now: number;
  let pace: EndpointPace;
  const most = (endpointId = 'ep_1', inFlight = 0) => pace.of(endpointId, 100, inFlight).most;
  const answered = (endpointId: string, tookMs: number) => {
    const ended = pace.attemptBegan(endpointId);
    now += tookMs;
    ended(tookMs);
  };

  beforeEach(() => {
    now = 0;
    pace = new EndpointPace({ slowMs: 1_000, untimedInFlight: 10, maxEndpoints: 3, now: () => now });
  });

  it('feels its way until the first answer, and then lets a fast endpoint have whatever its limits allow', () => {
    expect(most()).toBe(1);
    pace.starting('ep_1');
    expect(most()).toBe(0);
    answered('ep_1', 20);
    expect(most()).toBe(Infinity);
  });

  it('spaces the starts of a slow endpoint, each from the one before', () => {
    answered('ep_1', 5_500);
    expect(pace.of('ep_1', 100, 0)).toEqual({ most: 2, nextInMs: 50, awaitsAnswer: false });
    pace.starting('ep_1');
    pace.starting('ep_1');
    expect(pace.of('ep_1', 100, 2)).toEqual({ most: 0, nextInMs: 50, awaitsAnswer: false });
    now += 50;
    expect(most()).toBe(1);
  });

  it('counts an endpoint as slow that has fallen silent, until it answers', () => {
    answered('ep_1', 20);
    const ended = pace.attemptBegan('ep_1');
    now += 11_000;
    pace.of('ep_1', 100, 1);
    pace.starting('ep_1');
    expect(pace.of('ep_1', 100, 1)).toMatchObject({ most: 0, nextInMs: 50 });
    ended(20);
    expect(most()).toBe(Infinity);
    now += 3_600_000;
    expect(most()).toBe(Infinity);
  });

  it('does not take an attempt that asked nobody for an answer', () => {
    pace.attemptBegan('ep_1')();
    expect(pace.of('ep_1', 100, 0).awaitsAnswer).toBe(true);
  });

  it('keeps slow endpoints back while starts take long, and no others', () => {
    answered('slow', 5_500);
    answered('fast', 20);
    for (let i = 0; i < 50; i++) pace.startTook(40);
    pace.starting('slow');
    pace.starting('slow');
    expect(pace.of('slow', 100, 2).nextInMs).toBe(50);
    for (let i = 0; i < 20; i++) pace.startTook(4_000);
    pace.of('slow', 100, 2);
    now += 50;
    pace.starting('slow');
    expect(pace.of('slow', 100, 3).nextInMs).toBe(350);
    expect(pace.of('slow', 100, 3, false).nextInMs).toBe(350);
    now += 350;
    pace.starting('slow');
    expect(pace.of('slow', 100, 4, false).nextInMs).toBe(50);
    expect(most('fast')).toBe(Infinity);
  });

  it('knows which endpoints answer slowly, until they answer fast again', () => {
    expect(pace.knowsSlow).toBe(false);
    answered('slow', 5_500);
    answered('fast', 20);
    expect(['slow', 'fast', 'new'].map((id) => pace.isSlow(id))).toEqual([true, false, false]);
    for (let i = 0; i < 20; i++) answered('slow', 20);
    expect([pace.isSlow('slow'), pace.knowsSlow]).toEqual([false, false]);
  });

  it('forgets that an endpoint was slow with the endpoint, also where an answer comes later', () => {
    const ended = pace.attemptBegan('slow');
    answered('slow', 5_500);
    for (const id of ['a', 'b', 'c']) answered(id, 20);
    ended(5_500);
    expect([pace.isSlow('slow'), pace.knowsSlow]).toEqual([false, false]);
  });

  it('forgets the endpoint that was used longest ago', () => {
    for (const id of ['a', 'b', 'c']) answered(id, 20);
    most('a');
    answered('d', 20);
    expect(['a', 'c', 'd', 'b'].map((id) => most(id))).toEqual([Infinity, Infinity, Infinity, 1]);
  });
});
