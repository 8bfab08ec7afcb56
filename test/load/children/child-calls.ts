import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

interface Call {
  call: number;
  method: string;
  input: unknown;
}

interface Answer {
  call: number;
  value?: unknown;
  error?: string;
}

export type Handlers = Record<string, (input: never) => unknown>;

const STOP_WITHIN_MS = 10_000;

/** A helper process of the bench and calls to it over Node's IPC channel. It ends when this process does. */
export class ChildCalls<H extends Handlers> {
  private readonly waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  private next = 0;

  private constructor(
    private readonly name: string,
    private readonly child: ChildProcess,
  ) {
    child.on('message', (answer: Answer) => this.settle(answer));
    child.once('exit', (code, signal) => this.failAll(`it ended (${signal ?? `code ${code}`})`));
  }

  /** @param main module that calls {@link answerCalls}; resolves once it does. */
  static async start<H extends Handlers>(
    name: string,
    main: URL,
    args: string[],
    env: NodeJS.ProcessEnv,
  ): Promise<ChildCalls<H>> {
    const child = fork(fileURLToPath(main), args, {
      env,
      // Not in the terminal's process group: Ctrl-C is for the bench, which then ends its children in order.
      detached: true,
      execArgv: [],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const calls = new ChildCalls<H>(name, child);
    await calls.send('ready', undefined);
    return calls;
  }

  get pid(): number {
    return this.child.pid as number;
  }

  call<M extends keyof H & string>(
    method: M,
    input: Parameters<H[M]>[0],
  ): Promise<Awaited<ReturnType<H[M]>>> {
    return this.send(method, input) as Promise<Awaited<ReturnType<H[M]>>>;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exited = once(this.child, 'exit');
    const impatience = setTimeout(() => this.child.kill('SIGKILL'), STOP_WITHIN_MS);
    if (this.child.connected) this.child.disconnect();
    else this.child.kill('SIGTERM');
    await exited;
    clearTimeout(impatience);
  }

  private send(method: string, input: unknown): Promise<unknown> {
    const call = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(call, { resolve, reject });
      this.child.send({ call, method, input } satisfies Call, (error) => {
        if (error) this.failAll(error.message);
      });
    });
  }

  private settle({ call, value, error }: Answer): void {
    const waiting = this.waiting.get(call);
    this.waiting.delete(call);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(`${this.name}: ${error}`));
  }

  private failAll(reason: string): void {
    for (const { reject } of this.waiting.values()) reject(new Error(`${this.name}: ${reason}`));
    this.waiting.clear();
  }
}

/** The other side: answers calls until the channel closes, and then runs `end` and exits. */
export function answerCalls(handlers: Handlers, end: () => Promise<void>): void {
  const all: Record<string, (input: never) => unknown> = { ...handlers, ready: () => true };
  process.on('message', ({ call, method, input }: Call) => {
    void answer(all[method], input).then((outcome) => process.send?.({ call, ...outcome } satisfies Answer));
  });
  process.once('disconnect', () => void end().finally(() => process.exit(0)));
}

async function answer(
  handler: ((input: never) => unknown) | undefined,
  input: unknown,
): Promise<Omit<Answer, 'call'>> {
  try {
    if (!handler) throw new Error('no such method');
    return { value: await handler(input as never) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
