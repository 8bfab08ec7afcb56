import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { eventually, TestReceiver } from '@hookstream/testing';
import { describeMachine } from '../load/report/machine.js';
import { watchSignals } from '../load/interruption.js';
import { Customer, lanesOf, untilDelivered } from './deliveries.js';
import { Stack } from './stack.js';

const LANES = ['durable', 'express'] as const;
const WARM_UP = 20;
const SETTLED_WITHIN_MS = 120_000;

export interface TopologyPrograms {
  temporalServer: string;
  temporalSqlTool: string;
  /** What the image holds, put together by deploy/docker/assemble.mjs. */
  image: string;
}

const say = (line: string): void => void process.stderr.write(`topology: ${line}\n`);

const USAGE = `usage: npm run topology [-- --events N --keep --json]

  --events N  per lane and step (500)
  --keep      leaves data and logs behind, and says where
  --json      prints the figures on one line, the last of standard output`;

/**
 * Runs docker-compose.yml as processes, with Temporal's production server on Postgres and two workers, and sends deliveries through both
 * lanes, also while a worker is killed. @returns the exit code: 0, 1 when a promise was broken, 130 after Ctrl-C
 */
export async function runTopology(args: string[], programs: TopologyPrograms): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      events: { type: 'string', default: '500' },
      keep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const directory = mkdtempSync(join(tmpdir(), 'hookstream-topology-'));
  const interruption = watchSignals();
  const receiver = await TestReceiver.start();
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const stack = new Stack({ ...programs, root, directory, say });
  let passed = false;
  try {
    const working = new TopologyRun(stack, receiver, Number(values.events)).run();
    // What fails because it was interrupted needs no report.
    working.catch(() => undefined);
    const figures = await Promise.race([working, interruption.happened]);
    if (figures === 'interrupted') return 130;
    if (values.json) process.stdout.write(`${JSON.stringify({ machine: describeMachine(), ...figures })}\n`);
    passed = true;
    say('passed');
    return 0;
  } catch (error) {
    say(`FAILED: ${(error as Error).message}`);
    return 1;
  } finally {
    await stack.close();
    await receiver.close();
    interruption.done();
    if (values.keep || !passed) say(`data and logs: ${directory}`);
    else if (existsSync(directory)) rmSync(directory, { recursive: true, force: true });
  }
}

type Figures = Record<string, { events: number; perSecond: number; duplicates: number }>;

class TopologyRun {
  private readonly endpoints = new Map<string, string>();
  private readonly figures: Figures = {};

  constructor(
    private readonly stack: Stack,
    private readonly receiver: TestReceiver,
    private readonly count: number,
  ) {}

  async run(): Promise<Figures> {
    await this.stack.start();
    const tenant = await this.stack.command('api', 'tenant', 'create', '--name', 'Acme', '--json');
    const customer = new Customer(this.stack.apiUrl, (JSON.parse(tenant) as { api_key: string }).api_key);
    await eventually(() => customer.ready(), { timeoutMs: SETTLED_WITHIN_MS, intervalMs: 250 });
    await this.stack.command('worker', 'doctor', '--process', 'worker');
    say('doctor: nothing wrong');
    for (const lane of LANES)
      this.endpoints.set(lane, await customer.endpoint(this.receiver.url(`/${lane}`), lane));
    // Connections, caches and partitions of task queues are made by the first ones.
    for (const lane of LANES)
      await this.arrived(lane, await customer.post(this.endpoints.get(lane) ?? '', WARM_UP));
    for (const lane of LANES) await this.throughLane(customer, lane);
    await this.throughKill(customer);
    await this.startedAgain(customer);
    return this.figures;
  }

  private async throughLane(customer: Customer, lane: string): Promise<void> {
    const before = this.receiver.requestsTo(`/${lane}`).length;
    const started = Date.now();
    const events = await customer.post(this.endpoints.get(lane) ?? '', this.count);
    await this.arrived(lane, events);
    const requests = this.receiver.requestsTo(`/${lane}`);
    const last = Math.max(...requests.map((request) => request.receivedAt));
    const perSecond = Math.round((this.count / (last - started)) * 1000);
    this.figures[lane] = {
      events: events.length,
      perSecond,
      duplicates: requests.length - before - events.length,
    };
    const lanes = await lanesOf(events, this.stack.databaseUrl());
    if (lanes.join() !== lane) throw new Error(`deliveries of the lane ${lane} ran as ${lanes.join(', ')}`);
    say(`${lane}: ${events.length} delivered by two workers, ${perSecond}/s`);
  }

  /** One of two workers goes, in the middle of both lanes. */
  private async throughKill(customer: Customer): Promise<void> {
    const before = this.receiver.requests.length;
    const posting = Promise.all(
      LANES.map((lane) => customer.post(this.endpoints.get(lane) ?? '', this.count)),
    );
    await this.receiver.waitFor((requests) => requests.length > before + this.count / 10, SETTLED_WITHIN_MS);
    await this.stack.kill('worker-1');
    const posted = await posting;
    for (const [i, lane] of LANES.entries()) await this.arrived(lane, posted[i] ?? []);
    const duplicates = this.receiver.requests.length - before - 2 * this.count;
    say(
      `worker-1 killed meanwhile: ${2 * this.count} delivered by the other, ${duplicates} of them twice, none lost`,
    );
  }

  /** As after an upgrade: the one-shot services run again, a worker ends on SIGTERM and another comes. */
  private async startedAgain(customer: Customer): Promise<void> {
    for (const name of ['temporal-schema', 'migrate']) await this.stack.runToItsEnd(name);
    await this.stack.startWorker('worker-1');
    await this.stack.end('worker-2');
    for (const lane of LANES) {
      await this.arrived(lane, await customer.post(this.endpoints.get(lane) ?? '', this.count));
    }
    await this.stack.end('api');
    say('schema and migrations ran again; worker-1 came back and took over from worker-2; all ended in time');
  }

  private arrived(lane: string, events: readonly string[]): Promise<void> {
    return untilDelivered(this.receiver, `/${lane}`, events, this.stack.databaseUrl(), SETTLED_WITHIN_MS);
  }
}
