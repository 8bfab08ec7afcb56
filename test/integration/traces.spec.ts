// Real: an API and a worker as processes that send traces, the collector that reads them (OTLP, protobuf over HTTP), Postgres, Temporal and
// receivers. Proves that one trace goes from the application to the receiver, in both lanes and over retries and replays.
import { idToUuid } from '@hookstream/domain';
import { eventually } from '@hookstream/testing';
import type { CollectedSpan } from './otlp-collector.js';
import { newTraceparent, TracedServices } from './traced-services.js';

const INTERNAL = 1;
const SERVER = 2;
const CLIENT = 3;
const FAILED = 2;
const LANES = ['durable', 'express'] as const;

const named = (spans: readonly CollectedSpan[], name: string): CollectedSpan[] =>
  spans.filter((span) => span.name === name);
const ofEvent = (eventId: string): string => idToUuid('event', eventId).replaceAll('-', '');
/** Nobody reads more of a time than this from a span. */
const ordered = (...times: (bigint | undefined)[]): boolean =>
  times.every((time, index) => index === 0 || Number(time) >= Number(times[index - 1]));

describe('traces', () => {
  let here: TracedServices;
  beforeAll(async () => {
    here = await TracedServices.start((url) => ({
      HOOKSTREAM_LOG_LEVEL: 'debug',
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20canary-collector,x-scope=a%2Cb',
      OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    }));
    here.secrets['collector header'] = 'canary-collector';
  }, 90_000);
  afterAll(() => here.stop());

  describe.each(LANES)('in the lane %s', (lane) => {
    it('one goes from the application through acceptance and attempt to the receiver', async () => {
      const { id, path, type } = await here.endpoint({ lane });
      const caller = newTraceparent();
      const eventId = await here.post(type, caller.header);
      const deliveryId = await here.delivered(eventId);
      const spans = await here.spans(caller.traceId, 3);
      expect(spans.map(({ name }) => name).sort()).toEqual(['accept', 'attempt', 'dispatch']);
      const [accept] = named(spans, 'accept');
      const [dispatch] = named(spans, 'dispatch');
      const [attempt] = named(spans, 'attempt');
      const ofTenant = { 'hookstream.event.id': eventId, 'hookstream.event.type': type };
      const ofDelivery = {
        ...ofTenant,
        'hookstream.tenant.id': expect.stringMatching(/^tnt_/),
        'hookstream.endpoint.id': id,
        'hookstream.delivery.id': deliveryId,
        'hookstream.lane': lane,
      };
      expect(accept).toMatchObject({
        ...{ service: 'hookstream-api', parentSpanId: caller.spanId, kind: SERVER },
        attributes: { ...ofTenant, 'hookstream.event.deliveries': 1 },
      });
      expect(dispatch).toMatchObject({
        ...{ service: 'hookstream-worker', parentSpanId: accept?.spanId, kind: INTERNAL },
        attributes: ofDelivery,
      });
      expect(attempt).toMatchObject({
        ...{ service: 'hookstream-worker', parentSpanId: dispatch?.spanId, kind: CLIENT, status: {} },
        attributes: {
          ...ofDelivery,
          'hookstream.attempt.number': 1,
          'hookstream.attempt.outcome': 'succeeded',
          'hookstream.attempt.trigger': 'schedule',
          'http.response.status_code': 200,
          'server.address': '127.0.0.1',
          'server.port': here.receiver.port,
        },
      });
      // what waited in the outbox is the time between being due and the attempt
      expect(ordered(dispatch?.start, dispatch?.end, attempt?.start, attempt?.end)).toBe(true);
      expect(here.receivedTraces(path)).toEqual([`00-${caller.traceId}-${attempt?.spanId}-01`]);
    });

    it('an event without one has a trace of its own, under its own id', async () => {
      const { path, type } = await here.endpoint({ lane });
      const eventId = await here.post(type);
      const spans = await here.spans(ofEvent(eventId), 3);
      expect(named(spans, 'accept')).toMatchObject([{ parentSpanId: undefined }]);
      const [attempt] = named(spans, 'attempt');
      expect(here.receivedTraces(path)).toEqual([`00-${ofEvent(eventId)}-${attempt?.spanId}-01`]);
    });

    it('a retry and a replay are spans of it, each with what it came to', async () => {
      const answers = [{ status: 503 }, { status: 200 }, { status: 201 }];
      const { path, type } = await here.endpoint({ lane, answers });
      const caller = newTraceparent();
      const eventId = await here.post(type, caller.header);
      const deliveryId = await here.delivered(eventId, 2);
      expect((await here.call('POST', `/deliveries/${deliveryId}/replay`)).status).toBe(202);
      await here.delivered(eventId, 3);
      const spans = await here.spans(caller.traceId, 5);
      const [dispatch, ...more] = named(spans, 'dispatch');
      expect(more).toEqual([]);
      const attempts = named(spans, 'attempt');
      expect(attempts).toMatchObject([
        {
          status: { code: FAILED },
          attributes: {
            'hookstream.attempt.number': 1,
            'hookstream.attempt.outcome': 'http_error',
            'http.response.status_code': 503,
            'error.type': 'http_error',
          },
        },
        { status: {}, attributes: { 'hookstream.attempt.number': 2, 'http.response.status_code': 200 } },
        {
          status: {},
          attributes: { 'hookstream.attempt.number': 3, 'hookstream.attempt.trigger': 'replay' },
        },
      ]);
      for (const { parentSpanId } of attempts) expect(parentSpanId).toBe(dispatch?.spanId);
      expect(here.receivedTraces(path)).toEqual(
        attempts.map(({ spanId }) => `00-${caller.traceId}-${spanId}-01`),
      );
    });

    it('what the application did not sample is not told, and the receiver learns so', async () => {
      const { path, type } = await here.endpoint({ lane });
      const [unsampled, sampled] = [newTraceparent('00'), newTraceparent('01')];
      await here.delivered(await here.post(type, unsampled.header));
      await here.post(type, sampled.header);
      // spans of one process come in order: had there been any of the first, they would be here
      await here.spans(sampled.traceId, 3);
      expect(here.collector.ofTrace(unsampled.traceId)).toEqual([]);
      expect(here.receivedTraces(path)[0]).toMatch(new RegExp(`^00-${unsampled.traceId}-[0-9a-f]{16}-00$`));
    });
  });

  it('the events of a batch are all of its trace', async () => {
    const { path, type } = await here.endpoint({ lane: 'express' });
    const caller = newTraceparent();
    const event = { type, data: {} };
    const { status, body } = await here.call('POST', '/events/batch', [event, { type: 'not valid' }, event], {
      traceparent: caller.header,
    });
    expect([status, ...body.data.map((one: { status: number }) => one.status)]).toEqual([202, 202, 422, 202]);
    const spans = await here.spans(caller.traceId, 6);
    const accepts = named(spans, 'accept');
    expect(accepts.map(({ parentSpanId }) => parentSpanId)).toEqual([caller.spanId, caller.spanId]);
    expect(accepts.map(({ attributes }) => attributes['hookstream.event.id']).sort()).toEqual(
      [body.data[0].id, body.data[2].id].sort(),
    );
    expect(here.receivedTraces(path).map((trace) => trace.slice(3, 35))).toEqual(
      Array(2).fill(caller.traceId),
    );
  });

  it('a repeated request leads to the event in its own trace, which stays where it was', async () => {
    const { path, type } = await here.endpoint({ lane: 'express' });
    const [first, second] = [newTraceparent(), newTraceparent()];
    const key = { 'idempotency-key': type };
    const eventId = await here.post(type, first.header, key);
    expect(await here.post(type, second.header, key)).toBe(eventId);
    await here.spans(first.traceId, 3);
    expect(await here.spans(second.traceId, 1)).toMatchObject([
      {
        ...{ name: 'accept', parentSpanId: second.spanId },
        attributes: { 'hookstream.event.id': eventId, 'hookstream.event.idempotent_replay': true },
      },
    ]);
    expect(here.receivedTraces(path).map((trace) => trace.slice(3, 35))).toEqual([first.traceId]);
  });

  it("a test of an endpoint begins with its dispatch: nobody's request was accepted", async () => {
    const { id, path } = await here.endpoint({ lane: 'durable' });
    await here.call('POST', `/endpoints/${id}/test`);
    const [traceId = ''] = here.receivedTraces(path).map((trace) => trace.slice(3, 35));
    const spans = await here.spans(traceId, 2);
    expect(named(spans, 'dispatch')).toMatchObject([{ parentSpanId: undefined }]);
    expect(named(spans, 'accept')).toEqual([]);
  });

  it('the last spans are sent before the processes end', async () => {
    const { type } = await here.endpoint({ lane: 'express', suffix: '?token=canary-query' });
    here.secrets['query'] = 'canary-query';
    const caller = newTraceparent();
    await here.delivered(await here.post(type, caller.header));
    const { api, worker } = here.services;
    expect(await Promise.all([api.stop(), worker.stop()])).toEqual([0, 'SIGTERM']);
    expect(here.collector.ofTrace(caller.traceId).map(({ name }) => name)).toHaveLength(3);
  });

  it('the lines of the log name the trace', async () => {
    const lines = here.services.worker.lines
      .filter((line) => line.includes('"msg":"attempt"'))
      .map((line) => JSON.parse(line) as { trace_id: string; delivery_id: string; attempt: number });
    const attempts = named(here.collector.spans, 'attempt');
    expect(attempts.length).toBeGreaterThanOrEqual(12);
    for (const { traceId, attributes } of attempts) {
      const line = lines.find(
        (one) =>
          one.delivery_id === attributes['hookstream.delivery.id'] &&
          one.attempt === attributes['hookstream.attempt.number'],
      );
      expect(line?.trace_id).toBe(traceId);
    }
    const accepted = here.services.api.lines.filter((line) => line.includes('"msg":"event accepted"'));
    for (const { traceId } of named(here.collector.spans, 'accept').filter(
      ({ attributes }) => !attributes['hookstream.event.idempotent_replay'],
    ))
      expect(accepted.some((line) => line.includes(`"trace_id":"${traceId}"`))).toBe(true);
  });

  it('no secret is in a span or a log, and the collector gets the header that it wants', async () => {
    const sent = [
      ...here.collector.requests.map(({ body }) => body.toString('latin1')),
      ...here.services.api.lines,
      ...here.services.worker.lines,
    ];
    expect(Object.keys(here.secrets).length).toBeGreaterThan(10);
    const found = Object.entries(here.secrets).filter(([, secret]) =>
      sent.some((text) => text.includes(secret) || text.includes(secret.replace(/^whsec_/, ''))),
    );
    expect(found.map(([what]) => what)).toEqual([]);
    const { headers } = await eventually(() => here.collector.requests[0]);
    expect(headers).toMatchObject({
      authorization: 'Bearer canary-collector',
      'x-scope': 'a,b',
      'content-type': 'application/x-protobuf',
    });
  });
});
