// Real: two workers as their process runs them, Postgres, Temporal and the receiver, which tells in which order it got what.
import { useWorkers } from './worker-fixture.js';

const KEYS = ['a', 'b', 'c'];
const EACH = 5;

describe('an ordered endpoint', () => {
  const here = useWorkers({ workers: 2 });

  it.each(['durable', 'express'] as const)(
    'gets each key in order, waits behind the retry of a failed one, and gets the other keys meanwhile, in the %s lane',
    async (lane) => {
      const got: { key: string; n: number; status: number }[] = [];
      let othersArrived: () => void;
      const others = new Promise<void>((resolve) => (othersArrived = resolve));
      here.answer(async ({ body }) => {
        const { k: key, n } = (JSON.parse(body.toString()) as { data: { k: string; n: number } }).data;
        const first = !got.some((one) => one.key === key && one.n === n);
        const status = key === 'a' && n === 0 && first ? 503 : 200;
        got.push({ key, n, status });
        if (got.filter((one) => one.key !== 'a').length === 2 * EACH) othersArrived();
        // the failed one comes again at once, and is not answered before the other keys have gone on to their ends
        if (key === 'a' && n === 0 && !first) await others;
        return { status };
      });
      const endpoint = await here.store.endpoint(here.url(), {
        lane,
        ...{ ordered: true, orderKey: 'data.k', retry: { delays_ms: [20], jitter: 0 }, timeoutMs: 60_000 },
      });
      for (let n = 0; n < EACH; n++)
        for (const k of KEYS) await here.store.acceptOne(endpoint, { dataText: JSON.stringify({ k, n }) });
      await here.count(endpoint, KEYS.length * EACH);

      const inOrder = (status: number) => Array.from({ length: EACH }, (_, n) => ({ n, status }));
      const of = (key: string) =>
        got.filter((one) => one.key === key).map(({ n, status }) => ({ n, status }));
      expect(of('a')).toEqual([{ n: 0, status: 503 }, ...inOrder(200)]);
      expect(of('b')).toEqual(inOrder(200));
      expect(of('c')).toEqual(inOrder(200));
    },
    90_000,
  );
});
