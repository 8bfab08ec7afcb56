import { spawnSync } from 'node:child_process';
import { NAMESPACE } from '@hookstream/contracts';
import { BareAccept } from './bare-accept/bare-accept.js';
import { BareExpress } from './bare-express/bare-express.js';
import { BareTemporal } from './bare-temporal/bare-temporal.js';
import { ApiClient, type BenchEndpoint } from './generator/api-client.js';
import { LoadGenerator } from './generator/load-generator.js';
import { BenchInstance } from './instance/bench-instance.js';
import { UsageMeter } from './report/process-usage.js';
import { Sink } from './sink/sink.js';
import type { Collected } from './sink/sink-protocol.js';

export type Say = (line: string) => void;

/** All that a bench plays on: an instance, a generator, a sink, a client of the API, the yardsticks. */
export class Stage {
  readonly usage = new UsageMeter();
  private readonly closers: (() => Promise<void>)[] = [];
  private startedInstance: BenchInstance | undefined;
  private startedSink: Sink | undefined;
  private startedGenerator: LoadGenerator | undefined;
  private closing: Promise<void> | undefined;

  private constructor(
    readonly say: Say,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  /** @param keep told of the stage before anything runs, so that it can be closed at any moment from then on. */
  static async open(say: Say, environment: NodeJS.ProcessEnv, keep: (stage: Stage) => void): Promise<Stage> {
    const stage = new Stage(say, ownEnvironment(environment));
    keep(stage);
    await stage.build();
    return stage;
  }

  get instance(): BenchInstance {
    if (!this.startedInstance) throw new Error('the stage is not open');
    return this.startedInstance;
  }

  get sink(): Sink {
    if (!this.startedSink) throw new Error('the stage is not open');
    return this.startedSink;
  }

  get generator(): LoadGenerator {
    if (!this.startedGenerator) throw new Error('the stage is not open');
    return this.startedGenerator;
  }

  /** Speaks for the instance's first tenant. */
  apiClient(connections: number): ApiClient {
    return this.clientWith(this.instance.facts.api_key, connections);
  }

  /** Speaks for a tenant made for it. */
  async apiClientOfAnotherTenant(connections: number): Promise<ApiClient> {
    const operator = this.clientWith(this.instance.facts.admin_token, 1);
    return this.clientWith(await operator.createTenant('another'), connections);
  }

  private clientWith(apiKey: string, connections: number): ApiClient {
    const client = new ApiClient(this.instance.facts.api_url, apiKey, connections);
    this.closers.unshift(() => client.close());
    return client;
  }

  /** An endpoint at a path of the sink that gets one event type alone, its signatures verified there. */
  async endpointAt(
    client: ApiClient,
    path: string,
    eventType: string,
    policies: Record<string, unknown> = {},
  ): Promise<BenchEndpoint> {
    const endpoint = await client.createEndpoint({
      url: `${this.sink.origin}${path}`,
      event_types: [eventType],
      ...policies,
    });
    await this.sink.verify(path, endpoint.secret);
    return endpoint;
  }

  /** Waits for `expected` arrivals at a path and takes them. Gives up after `idleMs` without a new one. */
  async arrivals(path: string, expected: number, idleMs: number): Promise<Collected> {
    await this.sink.waitFor(path, expected, {
      idleMs,
      progress: (arrived) => this.say(`${arrived} of ${expected} have arrived`),
    });
    return this.sink.collect(path);
  }

  async bareTemporal(): Promise<BareTemporal> {
    this.say('starting bare Temporal beside the instance');
    const bare = await BareTemporal.start(
      {
        address: this.instance.facts.temporal_address,
        namespace: NAMESPACE,
        sinkOrigin: this.sink.origin,
      },
      this.environment,
    );
    this.closers.unshift(() => bare.stop());
    this.usage.watch('bare-temporal', bare.pid);
    return bare;
  }

  async bareAccept(): Promise<BareAccept> {
    this.say('starting bare accepting beside the instance');
    const bare = await BareAccept.start(this.instance.facts.database_url, this.environment);
    this.closers.unshift(() => bare.stop());
    this.usage.watch('bare-accept', bare.pid);
    return bare;
  }

  /** A second worker beside the instance's own. */
  async secondWorker(): Promise<void> {
    this.say('starting a second worker');
    const worker = await this.instance.startWorker(this.environment);
    this.closers.unshift(() => worker.stop());
    this.usage.watch('worker-2', worker.pid);
  }

  async bareExpress(): Promise<BareExpress> {
    this.say('starting bare express beside the instance');
    const bare = await BareExpress.start(
      this.instance.facts.database_url,
      this.sink.origin,
      this.environment,
    );
    this.closers.unshift(() => bare.stop());
    this.usage.watch('bare-express', bare.pid);
    return bare;
  }

  /** Ends every process and removes every file, in order. Called again, it waits for the first call. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async build(): Promise<void> {
    const sink = await Sink.start(this.environment);
    this.closers.unshift(() => sink.stop());
    this.startedSink = sink;
    const generator = await LoadGenerator.start(this.environment);
    this.closers.unshift(() => generator.stop());
    this.startedGenerator = generator;
    this.say('starting an instance of its own');
    const instance = await BenchInstance.start(this.environment, (stop) => this.closers.unshift(stop));
    this.startedInstance = instance;
    for (const [name, pid] of Object.entries(instance.facts.processes)) this.usage.watch(name, pid);
    this.usage.watch('sink', sink.pid);
    this.usage.watch('generator', generator.pid);
    this.usage.watch('bench', process.pid, { withDescendants: false });
    // What setting up has written goes to the disk now, where the system can do that, and not while commits wait for it.
    spawnSync('sync');
  }

  private async closeAll(): Promise<void> {
    this.usage.stop();
    for (const close of this.closers.splice(0)) {
      await close().catch((error: unknown) => this.say(`a part did not stop cleanly: ${String(error)}`));
    }
  }
}

/** Settings of the shell must not change what is measured. Where the Temporal program is stays the shell's. */
export function ownEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) =>
      name === 'HOOKSTREAM_TEMPORAL_CLI' || !/^(HOOKSTREAM_|TEMPORAL_|DATABASE_URL$|npm_)/.test(name),
  );
  return Object.fromEntries(kept);
}
