import { setTimeout as sleep } from 'node:timers/promises';
import type { FrontDoor } from './front-door.js';

const PATHS = ['/deliveries?limit=20', '/endpoints', '/dead-letter', '/health/ready'];
const EVERY_MS = 100;

/** Looks things up all the time, as tenants and load balancers do, and keeps what was not answered as it should be. */
export class SteadyReader {
  /** In plain words. */
  readonly refused: string[] = [];
  count = 0;
  private stopped = false;
  private loop: Promise<void> = Promise.resolve();

  constructor(private readonly front: FrontDoor) {}

  start(): void {
    this.loop = this.readOn();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.loop;
  }

  private async readOn(): Promise<void> {
    while (!this.stopped) {
      const path = PATHS[this.count++ % PATHS.length] as string;
      const at = new Date().toISOString().slice(11, 23);
      const what = await this.front.call('GET', path).then(
        ({ status, body }) => (status === 200 ? undefined : `${status} ${JSON.stringify(body)}`),
        (error: unknown) => String((error as Error).cause ?? error),
      );
      if (what !== undefined) this.refused.push(`GET ${path} at ${at}: ${what}`);
      await sleep(EVERY_MS);
    }
  }
}
