import { ExportResultCode, type ExportResult } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { createLogger } from '../logger.js';
import { SpanSender } from './span-sender.js';

// Real: OpenTelemetry's batches. The exporter does what a test tells it.

const SUCCESS: ExportResult = { code: ExportResultCode.SUCCESS };
const FAILED: ExportResult = { code: ExportResultCode.FAILED, error: new Error('it is away') };

/** A batch that is never answered keeps its timer for half a minute, and then the next. */
const answerAll: (() => void)[] = [];
afterEach(() => {
  for (const answer of answerAll.splice(0)) answer();
});

const span = { spanContext: () => ({ traceFlags: 1 }), resource: {} } as unknown as ReadableSpan;

function newSender(answer?: ExportResult) {
  const lines: { level: string; msg: string; spans_lost?: number; reason?: string }[] = [];
  const held: ((result: ExportResult) => void)[] = [];
  const state = { answer, exported: 0, made: 0 };
  answerAll.push(() => {
    state.answer = SUCCESS;
    for (const done of held) done(SUCCESS);
  });
  const sender = new SpanSender(
    {
      export: (spans, done) => {
        state.exported += spans.length;
        if (state.answer === undefined) held.push(done);
        else done(state.answer);
      },
      shutdown: () => Promise.resolve(),
    },
    createLogger({ name: 'test', level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) }),
  );
  const send = (count: number) => {
    for (let n = 0; n < count; n++)
      sender.send(() => {
        state.made += 1;
        return span;
      });
  };
  const told = () =>
    lines.map(({ level, msg, ...rest }) => [level, msg.split(':')[0], rest.spans_lost, rest.reason]);
  return { sender, state, send, told };
}

describe('sending spans', () => {
  it('sends what waits when it stops', async () => {
    const { sender, state, send, told } = newSender(SUCCESS);
    send(1_000);
    await sender.stop();
    expect([state.made, state.exported, told()]).toEqual([1_000, 1_000, []]);
  });

  it('keeps no more than its bound while the collector does not answer, and makes none for nothing', () => {
    const { state, send, told } = newSender();
    send(100_000);
    expect(state.made).toBe(4_096);
    expect(told()).toEqual([['warn', 'spans are lost', undefined, 'more spans than the collector takes']]);
  });

  it('says once that they are lost, and once how many when they are taken again', async () => {
    const { sender, state, send, told } = newSender(FAILED);
    for (let batch = 0; batch < 5; batch++) {
      send(512);
      // batches are sent one after the other
      await new Promise(setImmediate);
    }
    expect(told()).toEqual([['warn', 'spans are lost', undefined, 'it is away']]);
    state.answer = SUCCESS;
    send(512);
    await new Promise(setImmediate);
    expect(told().slice(1)).toEqual([['info', 'the collector takes spans again', 2_560, undefined]]);
    // one that comes and goes is not told of each time
    state.answer = FAILED;
    send(512);
    await new Promise(setImmediate);
    state.answer = SUCCESS;
    await sender.stop();
    expect(told()).toHaveLength(2);
  });

  it('waits for a collector that does not answer for a while only, and says what is lost with it', async () => {
    const { sender, send, told } = newSender();
    send(3);
    await sender.stop();
    expect(told()).toEqual([['warn', 'stopped before all spans were taken', 3, undefined]]);
  });
});
