// Real: the whole instance as npm start runs it, and a receiver on loopback. The worker and Postgres are killed with SIGKILL one after
// the other while a replay queues deliveries and they go out.
import { eventually, TestReceiver } from '@hookstream/testing';
import { createEndpoint, type DeliveryObject, type Page } from './api-objects.js';
import { EventPoster } from './event-poster.js';
import { StandaloneInstance, type ProcessName } from './standalone-instance.js';

const EVENTS = 240;
/** Which process is killed once so many have arrived again. */
const KILLS: [ProcessName, number][] = [
  ['worker', 60],
  ['postgres', 150],
];
const TEST_MS = 400_000;
/** A killed worker's lease, workflow task and step are each missed for ten seconds. */
const PATIENCE = { timeoutMs: 120_000, intervalMs: 100 };

interface Replay {
  id: string;
  status: string;
  total: number;
  done: number;
  failed: number;
}

describe('a replay in the middle of which processes are killed', () => {
  let instance: StandaloneInstance;
  let receiver: TestReceiver;
  beforeAll(async () => {
    receiver = await TestReceiver.start();
    instance = await StandaloneInstance.start({
      env: { HOOKSTREAM_REPLAY_PAGE_SIZE: '10', HOOKSTREAM_REPLAY_WAITING_MAX: '20' },
    });
  }, TEST_MS);
  afterAll(async () => {
    await instance?.stop();
    await receiver?.close();
  }, TEST_MS);

  const deadLetters = async (endpointId: string): Promise<number> => {
    let count = 0;
    for (let cursor = ''; ;) {
      const { body } = await instance.call<Page<DeliveryObject>>(
        'GET',
        `/deliveries?endpoint_id=${endpointId}&status=dead_letter&limit=200${cursor}`,
      );
      count += body.data.length;
      if (body.next_cursor === null) return count;
      cursor = `&cursor=${body.next_cursor}`;
    }
  };

  it(
    'queues every delivery exactly once, and every one arrives under its webhook-id',
    async () => {
      receiver.on('/replayed', { status: 500 });
      const { id } = await createEndpoint(instance, receiver.url('/replayed'), {
        retry: { delays_ms: [] },
        circuit: { failure_threshold: 0 },
      });
      const poster = new EventPoster(() => instance, id);
      await poster.post(EVENTS);
      await eventually(async () => (await deadLetters(id)) === EVENTS, PATIENCE);
      receiver.on('/replayed', { status: 200 });
      const before = receiver.requestsTo('/replayed').length;
      const again = () => receiver.requestsTo('/replayed').slice(before);

      const { status, body } = await instance.call<Replay>('POST', '/dead-letter/replay', {
        endpoint_id: id,
      });
      expect(status).toBe(202);
      const killed: Record<string, number> = {};
      for (const [name, after] of KILLS) {
        await receiver.waitFor(() => again().length >= after, PATIENCE.timeoutMs);
        killed[`${name} at ${after}`] = (await progress(body.id)).done;
        await instance.restarted(name, instance.kill(name), 60_000);
      }
      const ended = await eventually(async () => {
        const replay = await progress(body.id);
        return replay.status === 'completed' && replay;
      }, PATIENCE);
      expect(ended).toMatchObject({ total: EVENTS, done: EVENTS, failed: 0 });
      await eventually(async () => (await deadLetters(id)) === 0, PATIENCE);
      await eventually(() => new Set(again().map(idOf)).size === EVENTS, PATIENCE);
      expect(new Set(again().map(idOf))).toEqual(poster.accepted);
      for (const done of Object.values(killed)) expect(done).toBeLessThan(EVENTS);
      process.stderr.write(
        `replay of ${EVENTS}, queued when killed: ${JSON.stringify(killed)}; ${again().length - EVENTS} duplicates\n`,
      );
    },
    TEST_MS,
  );

  const progress = async (id: string): Promise<Replay> =>
    (await instance.call<Replay>('GET', `/replays/${id}`)).body;
  const idOf = ({ headers }: { headers: Record<string, string> }): string => headers['webhook-id'] as string;
});
