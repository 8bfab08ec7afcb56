import {
  ConfigError,
  loadApiConfig,
  loadDatabaseConfig,
  loadTemporalConfig,
  loadWorkerConfig,
  type DatabaseConfig,
  type TemporalConfig,
  type WorkerConfig,
} from '@hookstream/config';
import { examineEgress } from './egress-checks.js';
import { failed, ok, type Finding } from './finding.js';
import { examinePostgres } from './postgres-checks.js';
import { examineTemporal } from './temporal-checks.js';

export type ProcessKind = 'api' | 'worker';

export interface ExamineOptions {
  env: NodeJS.ProcessEnv;
  /** Whose settings the environment should hold. */
  processes: readonly ProcessKind[];
  /** This machine's clock, in unix milliseconds. */
  now?: () => number;
}

/** The settings that can be read, whatever else is wrong. */
export interface ReadableSettings {
  database?: DatabaseConfig;
  temporal?: TemporalConfig;
  worker?: WorkerConfig;
}

/**
 * Examines an installation by its settings, from this machine. Reads only: nothing is made or changed.
 * @throws never: what cannot be examined is a finding
 */
export async function examine({ env, processes, now = Date.now }: ExamineOptions): Promise<Finding[]> {
  const settings = examineSettings(env, processes);
  const readable: ReadableSettings = {
    ...readIfSound('database', () => loadDatabaseConfig(env)),
    ...readIfSound('temporal', () => loadTemporalConfig(env)),
    ...(processes.includes('worker') ? readIfSound('worker', () => loadWorkerConfig(env)) : {}),
  };
  return [
    ...settings,
    ...(await examinePostgres(readable, now)),
    ...(await examineTemporal(readable)),
    ...(await examineEgress(readable)),
  ];
}

function examineSettings(env: NodeJS.ProcessEnv, processes: readonly ProcessKind[]): Finding[] {
  const load = { api: loadApiConfig, worker: loadWorkerConfig };
  const problems = new Map<string, Finding>();
  for (const kind of processes) {
    try {
      load[kind](env);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const { setting, message } of error.problems) {
        const mend = `Set ${setting} in the environment of the ${kind}: docs/self-hosting/configuration.md describes it.`;
        problems.set(setting, failed('settings', `${setting} ${message}`, mend));
      }
    }
  }
  return problems.size > 0
    ? [...problems.values()]
    : [ok('settings', `all that the ${processes.join(' and the ')} read are sound`)];
}

function readIfSound<K extends keyof ReadableSettings>(
  key: K,
  load: () => NonNullable<ReadableSettings[K]>,
): Pick<ReadableSettings, K> {
  try {
    return { [key]: load() } as Pick<ReadableSettings, K>;
  } catch (error) {
    if (error instanceof ConfigError) return {} as Pick<ReadableSettings, K>;
    throw error;
  }
}
