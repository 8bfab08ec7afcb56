// Scripted: the database. Real: the recorder.
import { newId } from '@hookstream/domain';
import { createLogger } from '@hookstream/observability';
import type { MadeAttempt } from '@hookstream/persistence';
import { AttemptRecorder, type AttemptRecorderOptions } from './attempt-recorder.js';

const REFUSED = Object.assign(new Error('invalid byte sequence'), { code: '22021' });
const AWAY = Object.assign(new Error('terminating connection'), { code: '57P01' });

describe('the recorder of attempts', () => {
  let groups: number[];
  let alone: { deliveryId: string; body: string | undefined }[];
  let storeAll: (group: readonly MadeAttempt[]) => Promise<void>;
  let storeOne: (body: string | undefined) => Promise<void>;

  const make = ({
    batchSize = 200,
    withinMs = 1,
    underWay = () => Infinity,
    signal,
  }: Partial<AttemptRecorderOptions> = {}): AttemptRecorder =>
    new AttemptRecorder({
      attempts: {
        recordAll: (group) => {
          groups.push(group.length);
          return storeAll(group);
        },
        record: async ({ deliveryId }, { outcome }) => {
          const body = outcome.response?.body;
          await storeOne(body);
          alone.push({ deliveryId, body });
        },
      },
      logger: createLogger({ name: 'test', level: 'silent' }),
      ...{ batchSize, withinMs, underWay, ...(signal ? { signal } : {}) },
    });

  const made = (body = 'fine'): MadeAttempt => ({
    delivery: {
      deliveryId: newId('delivery'),
      tenantId: newId('tenant'),
      endpointId: newId('endpoint'),
      dueAt: new Date(),
    },
    attempt: {
      attemptId: newId('attempt'),
      number: 1,
      trigger: 'schedule',
      outcome: { kind: 'succeeded', durationMs: 1, response: { headers: {}, body, truncated: false } },
      decision: { next: 'succeeded' },
      startedAt: new Date(),
      nextAttemptAt: null,
      requestUrl: 'https://receiver.test/',
      requestHeaders: {},
    },
    scheduleStep: 1,
  });

  beforeEach(() => {
    groups = [];
    alone = [];
    storeAll = () => Promise.resolve();
    storeOne = () => Promise.resolve();
  });

  it('stores together what ends together, and no more than a statement is to hold', async () => {
    const recorder = make({ batchSize: 10 });
    await Promise.all(Array.from({ length: 25 }, () => recorder.record(made())));
    expect(groups).toEqual([10, 10, 5]);
  });

  it('stores each alone where one spoils the group, and that one without its answer', async () => {
    storeAll = () => Promise.reject(REFUSED);
    storeOne = (body) => (body === 'spoilt' ? Promise.reject(REFUSED) : Promise.resolve());
    const recorder = make();
    await Promise.all([recorder.record(made()), recorder.record(made('spoilt')), recorder.record(made())]);
    expect(alone.map(({ body }) => body)).toEqual(['fine', undefined, 'fine']);
  });

  it('tries again until the database is back', async () => {
    const failures = [AWAY, AWAY];
    storeAll = () => {
      const failure = failures.shift();
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    };
    await make().record(made());
    expect(groups).toEqual([1, 1, 1]);
    expect(alone).toEqual([]);
  });

  it('waits for none where none is to come', async () => {
    const recorder = make({ withinMs: 60_000, underWay: () => 2 });
    await Promise.all([recorder.record(made()), recorder.record(made())]);
    expect(groups).toEqual([2]);
  });

  it('keeps nobody waiting who goes after it in an order', async () => {
    const recorder = make({ withinMs: 60_000 });
    const ordered = made();
    ordered.delivery.inOrder = true;
    await recorder.record(ordered);
    expect(groups).toEqual([1]);
  });

  it('gives up a database that is away when its worker stops, and goes on with what comes then', async () => {
    const stopping = new AbortController();
    storeAll = () => {
      stopping.abort(new Error('the worker stops'));
      return Promise.reject(AWAY);
    };
    const recorder = make({ signal: stopping.signal });
    await expect(recorder.record(made())).rejects.toThrow('the worker stops');
    storeAll = () => Promise.resolve();
    await recorder.record(made());
    expect(groups).toEqual([1, 1]);
  });
});
