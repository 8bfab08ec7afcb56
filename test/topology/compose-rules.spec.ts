// The rules for docker-compose.yml, against the real file and the same file with one fault each.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SETTINGS } from '@hookstream/config';
import { interpolationsOf, resolveCompose, startOrder } from './compose-file.js';
import { composeProblems } from './compose-rules.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const example = readFileSync(join(root, '.env.example'), 'utf8');

function problems(
  change: { compose?: [string | RegExp, string]; example?: [string | RegExp, string] } = {},
): string[] {
  const changed = (text: string, [from, to]: [string | RegExp, string]): string => {
    const result = text.replace(from, to);
    expect(result).not.toBe(text);
    return result;
  };
  return composeProblems({
    compose: change.compose ? changed(compose, change.compose) : compose,
    example: change.example ? changed(example, change.example) : example,
    settings: Object.keys(SETTINGS),
    exists: (path) => existsSync(join(root, path)),
  });
}

describe('docker-compose.yml', () => {
  it('keeps the rules', () => expect(problems()).toEqual([]));

  it.each<[string, Parameters<typeof problems>[0], string]>([
    [
      'an image without version',
      { compose: ['prom/prometheus:v3.16.0', 'prom/prometheus:latest'] },
      'not pinned',
    ],
    [
      'a password in the file',
      { compose: [/POSTGRES_PWD: .*/, 'POSTGRES_PWD: temporal'] },
      'stands in the file',
    ],
    [
      'a default password',
      { compose: ['${POSTGRES_PASSWORD:?make it as .env.example says}', '${POSTGRES_PASSWORD:-postgres}'] },
      'has a default',
    ],
    [
      'a password in the example',
      { example: ['TEMPORAL_DB_PASSWORD=', 'TEMPORAL_DB_PASSWORD=temporal'] },
      'is a secret',
    ],
    [
      'headers for the collector in the file',
      { compose: [/OTEL_EXPORTER_OTLP_HEADERS: .*/, 'OTEL_EXPORTER_OTLP_HEADERS: authorization=x'] },
      'stands in the file',
    ],
    [
      'a variable nobody explains',
      { example: ['HOOKSTREAM_ADMIN_TOKEN=', 'HOOKSTREAM_TOKEN='] },
      'HOOKSTREAM_ADMIN_TOKEN is not in .env.example',
    ],
    [
      'a setting that is none',
      { compose: ['HOOKSTREAM_WORKER_PORT:', 'HOOKSTREAM_WORKERS_PORT:'] },
      'HOOKSTREAM_WORKERS_PORT is no setting',
    ],
    [
      'no limits',
      { compose: ["deploy: { resources: { limits: { cpus: '2', memory: 1g } } }", 'deploy: {}'] },
      'no limits',
    ],
    [
      'a mount of nothing',
      { compose: ['./deploy/temporal/schema.sh', './deploy/temporal/gone.sh'] },
      'gone.sh is not there',
    ],
    [
      'a volume of nowhere',
      { compose: ['- grafana-data:', '- grafana-date:'] },
      'grafana-date is not declared',
    ],
    [
      'a port for everybody',
      { compose: ["'127.0.0.1:${GRAFANA_PORT:-3300}:3000'", "'3300:3000'"] },
      'open to the network',
    ],
    [
      'waiting for what never ends',
      {
        compose: [
          /temporal-schema: \{ condition: service_completed_successfully \}/,
          'temporal-ui: { condition: service_completed_successfully }',
        ],
      },
      'temporal-ui never ends',
    ],
    [
      'a circle',
      {
        compose: [
          'environment: *settings\n    networks: [data]\n    depends_on:\n',
          'environment: *settings\n    networks: [data]\n    depends_on:\n      api: { condition: service_healthy }\n',
        ],
      },
      'wait for each other',
    ],
    [
      'a command that is not built',
      { compose: ['apps/worker/dist/main.js', 'apps/worker/dist/gone.js'] },
      'gone.js is not in the build',
    ],
  ])('%s is told', (_, change, told) => {
    expect(problems(change)).toContainEqual(expect.stringContaining(told));
  });

  it('starts what others wait for first, and demo services not at all', () => {
    const env = Object.fromEntries(interpolationsOf(compose).map(({ name }) => [name, 'x']));
    const order = startOrder(resolveCompose(compose, env));
    expect(order).not.toContain('demo-receiver');
    const before = (first: string, second: string): boolean => order.indexOf(first) < order.indexOf(second);
    expect(before('postgres', 'temporal-schema') && before('temporal-schema', 'temporal')).toBe(true);
    expect(before('migrate', 'api') && before('temporal', 'worker')).toBe(true);
  });

  it('does not start while a secret is missing, and says which', () => {
    expect(() => resolveCompose(compose, {})).toThrow(/HOOKSTREAM_ENCRYPTION_KEY, POSTGRES_PASSWORD/);
  });
});
