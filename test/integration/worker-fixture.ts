import { newId, type DeliveryStatus, type RunLane } from '@hookstream/domain';
import type { EndpointRecord } from '@hookstream/persistence';
import { eventually, TestReceiver, type ReceivedRequest, type Script } from '@hookstream/testing';
import type { StoredDelivery, StoredDeliveries } from './stored-deliveries.js';
import { WorkerInstance } from './worker-instance.js';

/** For what takes as long as it takes on a busy machine. */
export const PATIENCE = { timeoutMs: 60_000 };

export interface WorkerFixtureOptions {
  /** Of the endpoints that a test makes without saying. Default durable. */
  lane?: RunLane;
  /** How many are started for all tests. Default 1; with 0 each test starts those it wants, which stop with it. */
  workers?: number;
  /** Of those workers, over the ones that make tests short. */
  settings?: () => Record<string, string>;
}

/** What the tests of one `describe` have in common: an instance with workers, and a receiver of which each test has a path of its own. */
export class WorkerFixture {
  instance!: WorkerInstance;
  receiver!: TestReceiver;
  path!: string;

  get store(): StoredDeliveries {
    return this.instance.store;
  }

  /** Of the test's receiver, or of one beside it. */
  url(beside = ''): string {
    return this.receiver.url(`${this.path}${beside}`);
  }

  answer(script: Script, beside = ''): void {
    this.receiver.on(`${this.path}${beside}`, script);
  }

  received(beside = ''): ReceivedRequest[] {
    return this.receiver.requestsTo(`${this.path}${beside}`);
  }

  get webhookIds(): Set<string> {
    return this.receiver.webhookIds(this.path);
  }

  /** Waits for that many requests in all. */
  receives(count: number, beside = ''): Promise<ReceivedRequest[]> {
    return this.receiver.waitForRequests(`${this.path}${beside}`, count, PATIENCE.timeoutMs);
  }

  settled(deliveryId: string, status: DeliveryStatus): Promise<StoredDelivery> {
    return eventually(async () => {
      const delivery = await this.store.delivery(deliveryId);
      return delivery.status === status && delivery;
    }, PATIENCE);
  }

  /** Waits until that many deliveries of the endpoint stand so. */
  async count(endpoint: EndpointRecord, count: number, status: DeliveryStatus = 'succeeded'): Promise<void> {
    await eventually(async () => (await this.store.withStatus(endpoint, status)) === count, PATIENCE);
  }

  /** Waits until nothing of the delivery is left for dispatchers. */
  async leavesOutbox(deliveryId: string): Promise<void> {
    await eventually(async () => (await this.store.outboxRow(deliveryId)) === undefined, PATIENCE);
  }
}

/** To be called in a `describe`, whose tests may use it. */
export function useWorkers(options: WorkerFixtureOptions = {}): WorkerFixture {
  const { lane = 'durable', workers = 1, settings = () => ({}) } = options;
  const fixture = new WorkerFixture();
  beforeAll(async () => {
    [fixture.instance, fixture.receiver] = await Promise.all([WorkerInstance.create(), TestReceiver.start()]);
    fixture.store.lane = lane;
    await Promise.all(Array.from({ length: workers }, () => fixture.instance.startWorker(settings())));
  }, 90_000);
  beforeEach(() => {
    fixture.path = `/${newId('event')}`;
  });
  if (workers === 0) afterEach(() => fixture.instance.stopWorkers());
  afterAll(async () => {
    await fixture.instance.stop();
    await fixture.receiver.close();
  });
  return fixture;
}
