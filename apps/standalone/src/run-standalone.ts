import { ConfigError } from '@hookstream/config';
import { banner } from './banner.js';
import { Instance } from './instance.js';
import { planInstance, readConfig, type InstancePlan } from './instance-plan.js';
import { PlainError } from './plain-error.js';
import { clearLeftovers } from './process-record.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** npm hands on the Ctrl-C that the terminal has sent us already: so soon, it is the same one. */
const SAME_SIGNAL_MS = 1_000;
const LEFTOVER_GRACE_MS = 5_000;

const say = (line: string): void => console.log(`hookstream: ${line}`);

/** Runs the instance until a signal ends it. Sets the exit code: 0 after a stop that was asked for, 1 after a failure. */
export async function runStandalone(env: NodeJS.ProcessEnv): Promise<void> {
  const startedAt = Date.now();
  try {
    const { config, directory } = readConfig(env);
    const lock = directory.take();
    try {
      directory.remove('instance.json');
      const left = await clearLeftovers(directory, LEFTOVER_GRACE_MS);
      if (left.length > 0) say(`an earlier run that was killed had left ${left.join(', ')} running: stopped`);
      const plan = await planInstance(env, config, directory);
      await runUntilSignal(plan, startedAt);
    } finally {
      lock.release();
    }
  } catch (error) {
    const plain = error instanceof PlainError || error instanceof ConfigError;
    console.error(plain ? `hookstream: ${error.message}` : error);
    process.exitCode = 1;
  }
}

async function runUntilSignal(plan: InstancePlan, startedAt: number): Promise<void> {
  const instance = new Instance(plan, say);
  const stop = onSignal(() => instance.kill());
  try {
    const started = instance.start();
    // A stop asked for while starting ends the start with errors of its own making, which nobody needs to see.
    started.catch(() => undefined);
    const outcome = await Promise.race([started, stop.asked]);
    if (typeof outcome === 'object') {
      showBanner(plan, outcome.api_key, startedAt);
      await stop.asked;
    }
    say('stopping (again Ctrl-C: at once)');
  } catch (error) {
    say('the start failed; stopping what runs');
    throw error;
  } finally {
    await instance.stop();
    stop.done();
  }
  say('stopped');
}

function showBanner(plan: InstancePlan, apiKey: string, startedAt: number): void {
  console.log(
    banner({
      apiUrl: plan.apiUrl,
      temporalUiUrl: plan.temporalUiUrl,
      apiKey,
      allowCidrs: plan.config.allowCidrs,
      schemes: plan.config.schemes,
      dataDirectory: plan.directory.path,
      logs: plan.directory.logs,
      startedInMs: Date.now() - startedAt,
    }),
  );
}

/** The first signal asks for an orderly stop, a later one forces it. */
function onSignal(force: () => void): { asked: Promise<NodeJS.Signals>; done: () => void } {
  let first: number | undefined;
  let ask: (signal: NodeJS.Signals) => void;
  const asked = new Promise<NodeJS.Signals>((resolve) => (ask = resolve));
  const listener = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = Date.now();
      ask(signal);
    } else if (Date.now() - first > SAME_SIGNAL_MS) {
      say('stopping at once');
      force();
    }
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return {
    asked,
    done: () => {
      for (const signal of SIGNALS) process.off(signal, listener);
    },
  };
}
