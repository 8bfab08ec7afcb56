// Real: HTTP over loopback sockets.
import { request } from 'node:http';
import { eventually } from '../eventually.js';
import { TestReceiver } from './test-receiver.js';

describe('TestReceiver', () => {
  let receiver: TestReceiver;

  beforeEach(async () => {
    receiver = await TestReceiver.start();
  });
  afterEach(() => receiver.close());

  it('records what it received, byte for byte, and answers 200', async () => {
    const body = Buffer.from('{"a": 1.0,  "b":"\u00e9"}');
    const answer = await fetch(receiver.url('/hook?x=1'), {
      method: 'POST',
      body,
      headers: { 'webhook-id': 'evt_1' },
    });
    expect(answer.status).toBe(200);
    const [received] = await receiver.waitForRequests('/hook', 1);
    expect(received).toMatchObject({ method: 'POST', path: '/hook?x=1', number: 1 });
    expect(received?.body.equals(body)).toBe(true);
    expect([...receiver.webhookIds('/hook')]).toEqual(['evt_1']);
  });

  it('walks a list of behaviours and stays with the last', async () => {
    receiver.on('/hook', [
      { status: 500 },
      { status: 429, headers: { 'retry-after': '7' }, body: 'slow down' },
      {},
    ]);
    const answers = [];
    for (let i = 0; i < 4; i++) {
      const answer = await fetch(receiver.url('/hook'), { method: 'POST' });
      answers.push([answer.status, answer.headers.get('retry-after'), await answer.text()]);
    }
    expect(answers).toEqual([
      [500, null, ''],
      [429, '7', 'slow down'],
      [200, null, ''],
      [200, null, ''],
    ]);
  });

  it.each(['reset', 'garbage', 'truncate'] as const)('%s breaks the answer', async (kind) => {
    receiver.on('/hook', { kind });
    await expect(fetch(receiver.url('/hook')).then((answer) => answer.text())).rejects.toThrow();
  });

  it('hang never answers and endless never ends', async () => {
    receiver.on('/hang', { kind: 'hang' }).on('/endless', { kind: 'endless' });
    await expect(fetch(receiver.url('/hang'), { signal: AbortSignal.timeout(200) })).rejects.toThrow();
    const read = await new Promise<number>((resolve) => {
      let bytes = 0;
      const client = request(receiver.url('/endless'), (answer) => {
        answer.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > 100_000) client.destroy();
        });
        answer.on('close', () => resolve(bytes));
      });
      client.on('error', () => undefined);
      client.end();
    });
    expect(read).toBeGreaterThan(100_000);
  });

  it('notes when a request ended, and whether it was answered', async () => {
    receiver.on('/hook', [{ status: 503, delayMs: 30 }, { kind: 'reset' }]);
    await fetch(receiver.url('/hook'));
    await expect(fetch(receiver.url('/hook'))).rejects.toThrow();
    const [answered, broken] = receiver.requests;
    await eventually(() => answered?.endedAt !== undefined && broken?.endedAt !== undefined);
    expect(answered).toMatchObject({ answered: 503 });
    expect(answered?.endedAt).toBeGreaterThanOrEqual((answered?.receivedAt ?? NaN) + 29);
    expect(broken?.answered).toBeUndefined();
  });

  it('says how many requests there were when a wait runs out', async () => {
    await fetch(receiver.url());
    await expect(receiver.waitFor(() => false, 50)).rejects.toThrow('it got 1 requests');
  });
});
