import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { generateEncryptionKey } from '@hookstream/signing';
import { createTestDatabase, eventually, testTemporalOptions, type TestDatabase } from '@hookstream/testing';

const APPS = join(import.meta.dirname, '..', '..', '..', 'apps');

/** A service as it is started in production, and every line it says. */
class ServiceProcess {
  readonly lines: string[] = [];

  private constructor(private readonly child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface({ input: stream }).on('line', (line) => this.lines.push(line));
  }

  static start(app: 'api' | 'worker', env: Record<string, string>): ServiceProcess {
    const child = spawn(process.execPath, [join(APPS, app, 'dist', 'main.js')], {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new ServiceProcess(child);
  }

  /** The first line that says so, read as JSON. @throws Error with what it said instead */
  async said(message: string): Promise<Record<string, unknown>> {
    return eventually(
      () => {
        const line = this.lines.find((text) => text.includes(`"msg":"${message}"`));
        if (line === undefined) throw new Error(`it has not said "${message}":\n${this.lines.join('\n')}`);
        return JSON.parse(line) as Record<string, unknown>;
      },
      { timeoutMs: 30_000 },
    );
  }

  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  /** @returns how it ended: its exit code, or the signal */
  async stop(): Promise<number | string | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exited = once(this.child, 'exit');
      this.child.kill('SIGTERM');
      await exited;
    }
    return this.child.exitCode ?? this.child.signalCode;
  }
}

/** The body as it comes: null where there is none. */
type ServiceAnswer = { status: number; body: ReturnType<typeof JSON.parse> };

/** An API and a worker as two processes, with a database and a Temporal namespace of their own. */
export interface Services {
  api: ServiceProcess;
  worker: ServiceProcess;
  apiUrl: string;
  workerUrl: string;
  namespace: string;
  adminToken: string;
  encryptionKey: string;
  database: TestDatabase;
  call: (
    method: string,
    path: string,
    token: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<ServiceAnswer>;
  stop(): Promise<void>;
}

/** @param settings for both, over those that make tests short */
export async function startServices(settings: Record<string, string> = {}): Promise<Services> {
  const database = await createTestDatabase();
  const namespace = `test-${randomBytes(4).toString('hex')}`;
  const adminToken = randomBytes(24).toString('base64url');
  const encryptionKey = generateEncryptionKey();
  const env = {
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: testTemporalOptions().address,
    TEMPORAL_NAMESPACE: namespace,
    HOOKSTREAM_ADMIN_TOKEN: adminToken,
    HOOKSTREAM_ENCRYPTION_KEY: encryptionKey,
    HOOKSTREAM_HOST: '127.0.0.1',
    HOOKSTREAM_PORT: '0',
    HOOKSTREAM_WORKER_PORT: '0',
    HOOKSTREAM_EGRESS_ALLOW_CIDRS: '127.0.0.0/8',
    HOOKSTREAM_EGRESS_SCHEMES: 'http',
    HOOKSTREAM_PARTITIONS_AHEAD_DAYS: '2',
    HOOKSTREAM_DISPATCH_POLL_MS: '200',
    HOOKSTREAM_SHUTDOWN_GRACE_MS: '200',
    ...settings,
  };
  const worker = ServiceProcess.start('worker', env);
  const api = ServiceProcess.start('api', env);
  const apiUrl = String((await api.said('api listening'))['url']);
  const workerUrl = `http://127.0.0.1:${String((await worker.said('health is answered'))['port'])}`;
  await worker.said('worker running');
  return {
    ...{ api, worker, apiUrl, workerUrl, namespace, adminToken, encryptionKey, database },
    call: async (method, path, token, body, headers = {}) => {
      const response = await fetch(`${apiUrl}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      return { status: response.status, body: text === '' ? null : JSON.parse(text) };
    },
    stop: async () => {
      await Promise.all([api.stop(), worker.stop()]);
      await database.drop();
    },
  };
}
