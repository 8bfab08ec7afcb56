// Real: the whole instance as npm start runs it, and the three command lines it prints, run by sh as a person would.
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { freePorts, isPortFree } from '@hookstream/embedded';
import { eventually } from '@hookstream/testing';
import { StandaloneInstance } from './standalone-instance.js';

const START_MS = 120_000;
const PRINTED_PORT = 9000;
const sh = async (line: string): Promise<string> => (await promisify(execFile)('sh', ['-c', line])).stdout;

describe('the printed command lines', () => {
  let instance: StandaloneInstance;
  beforeAll(async () => {
    instance = await StandaloneInstance.start();
  }, START_MS);
  afterAll(() => instance?.stop(), START_MS);

  /** The lines as printed; with another port only where some other program has the printed one. */
  async function printedLines(): Promise<{ receiver: string; curls: string[]; port: number }> {
    const [other] = (await freePorts(1)) as [number];
    const port = (await isPortFree(PRINTED_PORT, '127.0.0.1')) ? PRINTED_PORT : other;
    const lines = instance.output.replaceAll(String(PRINTED_PORT), String(port)).split('\n');
    return {
      receiver: lines.find((line) => line.startsWith('node -e ')) ?? '',
      curls: lines.filter((line) => line.startsWith('curl ')),
      port,
    };
  }

  it('start a receiver, make an endpoint and deliver an event to it', async () => {
    const { receiver, curls, port } = await printedLines();
    expect(curls).toHaveLength(2);
    // In a process group of its own: the shell and what it started end together.
    const running = spawn('sh', ['-c', receiver], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
    let shown = '';
    running.stdout.on('data', (chunk: Buffer) => (shown += chunk.toString('utf8')));
    try {
      await eventually(async () => !(await isPortFree(port, '127.0.0.1')));
      const endpoint = JSON.parse(await sh(curls[0] as string)) as { id: string };
      expect(endpoint.id).toMatch(/^ep_/);
      const event = JSON.parse(await sh(curls[1] as string)) as { id: string };
      expect(event).toMatchObject({ type: 'order.paid', deliveries: 1 });
      await eventually(() => shown.includes('"data":{"order_id":"o-1"}}'));
      expect(shown).toContain(event.id);
      expect(shown).toContain("'webhook-signature': 'v1,");
    } finally {
      process.kill(-(running.pid as number), 'SIGKILL');
    }
  });
});
