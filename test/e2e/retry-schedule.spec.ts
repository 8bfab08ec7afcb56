// Real: the whole instance as npm start runs it, a receiver on loopback that fails as scripted, and the histories that the
// instance's Temporal server keeps. Long waits are not waited for: retry-now ends them, and the history tells how long they were.
import { NAMESPACE } from '@hookstream/contracts';
import { connectTemporal, type TemporalClient } from '@hookstream/temporal-client';
import { eventually, TestReceiver } from '@hookstream/testing';
import {
  createEndpoint,
  deliverTo,
  deliveryThat,
  getDelivery,
  type AttemptObject,
  type DeliveryDetailObject,
  type DeliveryObject,
  type EndpointObject,
  type Page,
} from './api-objects.js';
import { StandaloneInstance } from './standalone-instance.js';

const START_MS = 120_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const STANDARD_MS = [30 * SECOND, 5 * MINUTE, 30 * MINUTE, 120 * MINUTE];
const JITTER = 0.1;
/** Between an attempt's start and the reading of its end, on a busy machine. */
const TOLERANCE_MS = 3 * SECOND;

interface LiveState {
  status: string;
  attempts: number;
  next_attempt_at: string | null;
  last_outcome: { kind: string; status_code: number | null } | null;
  source: string;
}

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

const attempted =
  (count: number, status: string) =>
  (delivery: DeliveryDetailObject): boolean =>
    delivery.attempt_count === count && delivery.status === status;

/**
 * How long each timer of the delivery's workflow was to run, in ms, in the order they were started. Waits until there are that
 * many: an attempt is on record a moment before the workflow hears of it.
 */
async function timersOf(deliveryId: string, count: number): Promise<number[]> {
  return eventually(async () => {
    const { events } = await temporal.client.workflow.getHandle(deliveryId).fetchHistory();
    const timers = (events ?? []).flatMap(({ timerStartedEventAttributes: timer }) => {
      const duration = timer?.startToFireTimeout;
      return duration ? [Number(duration.seconds ?? 0) * 1_000 + (duration.nanos ?? 0) / 1e6] : [];
    });
    return timers.length >= count && timers;
  });
}

/** How long after the attempt's start the next one is due, in ms. */
function dueAfter(attempt: AttemptObject | undefined): number {
  return Date.parse(attempt?.next_attempt_at ?? '') - Date.parse(attempt?.started_at ?? '');
}

describe('the default schedule', () => {
  let deliveryId: string;
  let endpointId: string;

  beforeAll(async () => {
    receiver.on('/down', { status: 500, body: 'no' });
    // five failures in a row would open the circuit, and what is replayed then would wait
    const endpoint = await createEndpoint(instance, receiver.url('/down'), {
      circuit: { failure_threshold: 0 },
    });
    endpointId = endpoint.id;
    deliveryId = await deliverTo(instance, endpointId);
  });

  it('is walked with retry-now to a dead letter after five attempts', async () => {
    for (const count of [1, 2, 3, 4]) {
      const waiting = await deliveryThat(instance, deliveryId, attempted(count, 'retrying'));
      expect(waiting.last_status_code).toBe(500);
      expect(Math.abs(dueAfter(waiting.attempts.at(-1)) - (STANDARD_MS[count - 1] as number))).toBeLessThan(
        (STANDARD_MS[count - 1] as number) * JITTER + TOLERANCE_MS,
      );
      expect((await instance.call('POST', `/deliveries/${deliveryId}/retry-now`)).status).toBe(202);
    }
    const dead = await deliveryThat(instance, deliveryId, attempted(5, 'dead_letter'));
    expect(dead.next_attempt_at).toBeNull();
    expect(receiver.requestsTo('/down').map((request) => request.headers['hookstream-attempt'])).toEqual([
      '1',
      '2',
      '3',
      '4',
      '5',
    ]);
    expect(new Set(receiver.requestsTo('/down').map((request) => request.headers['webhook-id'])).size).toBe(
      1,
    );
  });

  it('really waits 30 s, 5 min, 30 min and 2 h, each within the jitter of 10 %', async () => {
    // the last one waits for the end of the payload's retention
    const timers = await timersOf(deliveryId, STANDARD_MS.length + 1);
    expect(timers).toHaveLength(STANDARD_MS.length + 1);
    STANDARD_MS.forEach((delay, i) => {
      expect(timers[i]).toBeGreaterThanOrEqual(delay * (1 - JITTER));
      expect(timers[i]).toBeLessThanOrEqual(delay * (1 + JITTER));
    });
    expect(timers.at(-1)).toBeGreaterThan(24 * 60 * MINUTE);
  });

  it('ends in the list of dead letters, with a workflow that still answers', async () => {
    const list = await instance.call<Page<DeliveryObject>>('GET', `/dead-letter?endpoint_id=${endpointId}`);
    expect(list.body.data.map(({ id }) => id)).toEqual([deliveryId]);
    const state = await instance.call<LiveState>('GET', `/deliveries/${deliveryId}/state`);
    expect(state.body).toMatchObject({
      status: 'dead_letter',
      attempts: 5,
      next_attempt_at: null,
      last_outcome: { kind: 'http_error', status_code: 500 },
      source: 'workflow',
    });
    const late = await instance.call<{ detail: string }>('POST', `/deliveries/${deliveryId}/retry-now`);
    expect(late.status).toBe(409);
    expect(late.body.detail).toContain('replay');
  });

  it('is left by a replay, whose attempt goes on counting', async () => {
    receiver.on('/down', {});
    expect((await instance.call('POST', `/deliveries/${deliveryId}/replay`)).status).toBe(202);
    const delivered = await deliveryThat(instance, deliveryId, attempted(6, 'succeeded'));
    expect(delivered.attempts.map(({ number, trigger }) => [number, trigger])).toEqual([
      [1, 'schedule'],
      [2, 'retry_now'],
      [3, 'retry_now'],
      [4, 'retry_now'],
      [5, 'retry_now'],
      [6, 'replay'],
    ]);
    const { body } = await instance.call<Page<DeliveryObject>>(
      'GET',
      `/dead-letter?endpoint_id=${endpointId}`,
    );
    expect(body.data).toEqual([]);
  });

  it('begins anew when a finished delivery is replayed', async () => {
    receiver.on('/down', { status: 503 });
    expect((await instance.call('POST', `/deliveries/${deliveryId}/replay`)).status).toBe(202);
    const waiting = await deliveryThat(instance, deliveryId, attempted(7, 'retrying'));
    expect(waiting.attempts.at(-1)).toMatchObject({ number: 7, trigger: 'replay', status_code: 503 });
    expect(dueAfter(waiting.attempts.at(-1))).toBeLessThan(30 * SECOND * (1 + JITTER) + TOLERANCE_MS);
    expect((await instance.call('POST', `/deliveries/${deliveryId}/cancel`)).status).toBe(202);
  });
});

it('goes on by itself when nobody asks, attempt for attempt', async () => {
  receiver.on('/recovering', [{ status: 500 }, { status: 502 }, {}]);
  const endpoint = await createEndpoint(instance, receiver.url('/recovering'), {
    retry: { delays_ms: [200, 200], jitter: 0 },
  });
  const id = await deliverTo(instance, endpoint.id);
  const delivered = await deliveryThat(instance, id, attempted(3, 'succeeded'));
  expect(delivered.attempts.map(({ trigger }) => trigger)).toEqual(['schedule', 'schedule', 'schedule']);
  expect(delivered.attempts.map(({ status_code }) => status_code)).toEqual([500, 502, 200]);
});

describe('Retry-After', () => {
  it.each<[string, () => string, number, number]>([
    ['of seconds postpones', () => '120', 120 * SECOND, 120 * SECOND],
    [
      'as a date postpones',
      () => new Date(Date.now() + 180 * SECOND).toUTCString(),
      179 * SECOND,
      180 * SECOND,
    ],
    ['never hastens', () => '1', 27 * SECOND, 33 * SECOND],
  ])('%s', async (name, value, leastMs, mostMs) => {
    const path = `/busy/${name.replaceAll(' ', '-')}`;
    receiver.on(path, () => ({ status: 503, headers: { 'retry-after': value() } }));
    const endpoint = await createEndpoint(instance, receiver.url(path));
    const id = await deliverTo(instance, endpoint.id);
    const waiting = await deliveryThat(instance, id, attempted(1, 'retrying'));
    expect(waiting.next_attempt_at).toBe(waiting.attempts[0]?.next_attempt_at);
    expect(dueAfter(waiting.attempts[0])).toBeGreaterThanOrEqual(leastMs);
    expect(dueAfter(waiting.attempts[0])).toBeLessThan(mostMs + TOLERANCE_MS);
    const [timer] = await timersOf(id, 1);
    expect(timer).toBeGreaterThanOrEqual(leastMs - TOLERANCE_MS);
    expect(timer).toBeLessThanOrEqual(mostMs);
  });
});

it('410 ends the delivery and disables the endpoint', async () => {
  receiver.on('/gone', { status: 410 });
  const endpoint = await createEndpoint(instance, receiver.url('/gone'));
  const id = await deliverTo(instance, endpoint.id);
  await deliveryThat(instance, id, attempted(1, 'dead_letter'));
  const { body } = await instance.call<EndpointObject>('GET', `/endpoints/${endpoint.id}`);
  expect(body.status).toBe('disabled');
  expect(body.disabled_reason).toContain('410');
  const later = await instance.call('POST', '/events', {
    type: 'order.paid',
    data: {},
    endpoint_ids: [endpoint.id],
  });
  expect(later).toMatchObject({ status: 202, body: { deliveries: 0 } });
  expect(receiver.requestsTo('/gone')).toHaveLength(1);
});

it('a waiting delivery can be cancelled, once', async () => {
  receiver.on('/cancelled', { status: 500 });
  const endpoint = await createEndpoint(instance, receiver.url('/cancelled'));
  const id = await deliverTo(instance, endpoint.id);
  await deliveryThat(instance, id, attempted(1, 'retrying'));
  expect((await instance.call('POST', `/deliveries/${id}/cancel`)).status).toBe(202);
  const cancelled = await deliveryThat(instance, id, attempted(1, 'cancelled'));
  expect(cancelled.next_attempt_at).toBeNull();
  expect(await temporal.client.workflow.getHandle(id).result()).toEqual({ status: 'cancelled', attempts: 1 });
  for (const action of ['cancel', 'retry-now']) {
    expect((await instance.call('POST', `/deliveries/${id}/${action}`)).status).toBe(409);
  }
});

describe('a paused endpoint', () => {
  it('holds new and waiting deliveries without using up their schedule, and releases them when resumed', async () => {
    receiver.on('/paused', { status: 500 });
    const endpoint = await createEndpoint(instance, receiver.url('/paused'));
    const waiting = await deliverTo(instance, endpoint.id);
    await deliveryThat(instance, waiting, attempted(1, 'retrying'));

    const paused = await instance.call<EndpointObject>('POST', `/endpoints/${endpoint.id}/pause`);
    expect(paused).toMatchObject({ status: 200, body: { status: 'paused' } });
    const fresh = await deliverTo(instance, endpoint.id);
    expect(await getDelivery(instance, fresh)).toMatchObject({ status: 'pending', attempt_count: 0 });
    // Its wait is over: the attempt finds the endpoint paused and hands the delivery back.
    await instance.call('POST', `/deliveries/${waiting}/retry-now`);
    await deliveryThat(
      instance,
      waiting,
      (delivery) => attempted(1, 'retrying')(delivery) && delivery.next_attempt_at === null,
    );
    for (const id of [waiting, fresh]) {
      const answer = await instance.call<{ detail: string }>('POST', `/deliveries/${id}/retry-now`);
      expect(answer.status).toBe(409);
      expect(answer.body.detail).toContain('resume');
    }
    expect(receiver.requestsTo('/paused')).toHaveLength(1);

    expect((await instance.call('POST', `/endpoints/${endpoint.id}/resume`)).status).toBe(200);
    const [second, first] = [
      await deliveryThat(instance, waiting, attempted(2, 'retrying')),
      await deliveryThat(instance, fresh, attempted(1, 'retrying')),
    ];
    // The second step of the schedule after the second attempt: the hold has used up none.
    expect(dueAfter(second.attempts[1])).toBeGreaterThanOrEqual(5 * MINUTE * (1 - JITTER));
    expect(dueAfter(second.attempts[1])).toBeLessThan(5 * MINUTE * (1 + JITTER) + TOLERANCE_MS);
    expect(dueAfter(first.attempts[0])).toBeLessThan(30 * SECOND * (1 + JITTER) + TOLERANCE_MS);
  });
});

describe('deliver_at', () => {
  it('keeps an event until then', async () => {
    const endpoint = await createEndpoint(instance, receiver.url('/later'));
    const at = new Date(Date.now() + 2 * SECOND);
    const id = await deliverTo(instance, endpoint.id, { deliver_at: at.toISOString() });
    expect(await getDelivery(instance, id)).toMatchObject({ status: 'pending', attempt_count: 0 });
    const [request] = await receiver.waitForRequests('/later', 1);
    expect(request?.receivedAt).toBeGreaterThanOrEqual(at.getTime());
    expect(request?.receivedAt).toBeLessThan(at.getTime() + 5 * SECOND);
  });

  it('gives way to retry-now', async () => {
    const endpoint = await createEndpoint(instance, receiver.url('/much-later'));
    const at = new Date(Date.now() + 60 * MINUTE);
    const id = await deliverTo(instance, endpoint.id, { deliver_at: at.toISOString() });
    expect((await instance.call('POST', `/deliveries/${id}/retry-now`)).status).toBe(202);
    await deliveryThat(instance, id, attempted(1, 'succeeded'));
  });
});

describe('a test event', () => {
  it('is one attempt whose outcome is the answer', async () => {
    const endpoint = await createEndpoint(instance, receiver.url('/tested'));
    const answer = await instance.call<AttemptObject>('POST', `/endpoints/${endpoint.id}/test`);
    expect(answer).toMatchObject({
      status: 200,
      body: { number: 1, outcome: 'succeeded', status_code: 200, trigger: 'test' },
    });
    const [request] = receiver.requestsTo('/tested');
    expect(JSON.parse((request?.body ?? '').toString())).toMatchObject({ type: 'endpoint.test' });
  });

  it('is not retried, and goes to a paused endpoint too', async () => {
    receiver.on('/tested-down', { status: 503, body: 'busy' });
    const endpoint = await createEndpoint(instance, receiver.url('/tested-down'));
    await instance.call('POST', `/endpoints/${endpoint.id}/pause`);
    const answer = await instance.call<AttemptObject>('POST', `/endpoints/${endpoint.id}/test`);
    expect(answer.body).toMatchObject({
      outcome: 'http_error',
      status_code: 503,
      next_attempt_at: null,
      response: { body: 'busy' },
    });
    const { body } = await instance.call<Page<DeliveryObject>>(
      'GET',
      `/deliveries?endpoint_id=${endpoint.id}`,
    );
    expect(body.data).toMatchObject([{ status: 'cancelled', attempt_count: 1, next_attempt_at: null }]);
  });
});

describe('a verification', () => {
  interface Verification {
    verified: boolean;
    verified_at: string | null;
    attempt: AttemptObject;
  }
  const challengeIn = (body: Buffer): string =>
    (JSON.parse(body.toString()) as { challenge: string }).challenge;

  it.each<[string, (challenge: string) => string, boolean]>([
    ['as JSON', (challenge) => JSON.stringify({ challenge }), true],
    ['as plain text', (challenge) => `${challenge}\n`, true],
    ['not at all', () => 'ok', false],
  ])('echoed %s', async (name, answer, verified) => {
    const path = `/verified/${name.replaceAll(' ', '-')}`;
    receiver.on(path, ({ body }) => ({ body: answer(challengeIn(body)) }));
    const endpoint = await createEndpoint(instance, receiver.url(path));
    const result = await instance.call<Verification>('POST', `/endpoints/${endpoint.id}/verify`);
    expect(result).toMatchObject({ status: 200, body: { verified, attempt: { outcome: 'succeeded' } } });
    const { body } = await instance.call<EndpointObject>('GET', `/endpoints/${endpoint.id}`);
    expect(body.verified_at).toBe(result.body.verified_at);
    expect(body.verified_at !== null).toBe(verified);
  });

  it('is not proved by an echo in an error', async () => {
    receiver.on('/verified/error', ({ body }) => ({ status: 500, body: challengeIn(body) }));
    const endpoint = await createEndpoint(instance, receiver.url('/verified/error'));
    const { body } = await instance.call<Verification>('POST', `/endpoints/${endpoint.id}/verify`);
    expect(body).toMatchObject({ verified: false, verified_at: null });
  });
});
