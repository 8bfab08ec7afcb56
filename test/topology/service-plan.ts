import { join } from 'node:path';
import type { ComposeService } from './compose-file.js';

/** Where things are on this machine that have a place of their own in a container. */
export interface Grounds {
  /** The repository: what is mounted comes from there. */
  root: string;
  /** What the image holds. */
  image: string;
  /** `host:port` inside the network of containers, and where it is here. */
  addresses: ReadonlyMap<string, { host: string; port: number }>;
}

export interface ServicePlan {
  command: string;
  args: string[];
  cwd: string;
  env: Record<string, string>;
}

/** What the official image runs where the file names no command: see docker/scripts/sh/entrypoint.sh of the server's sources. */
const TEMPORAL_COMMAND = ['temporal-server', 'start'];

/**
 * How a service runs here as it would in its container: the same command and the same environment, only addresses, ports and mounted
 * paths replaced by those of this machine.
 */
export function planService(service: ComposeService, grounds: Grounds): ServicePlan {
  const words = [...(service.entrypoint ?? []), ...(service.command ?? [])].map((word) =>
    mountedAt(word, service, grounds),
  );
  const [command = '', ...args] = words.length > 0 ? words : TEMPORAL_COMMAND;
  return {
    command: command === 'node' ? process.execPath : command,
    args,
    cwd: service.build === undefined ? grounds.root : grounds.image,
    env: localEnvironment(service, grounds),
  };
}

function localEnvironment(service: ComposeService, grounds: Grounds): Record<string, string> {
  const env = Object.fromEntries(
    Object.entries(service.environment ?? {}).map(([name, value]) => [
      name,
      withLocalAddresses(mountedAt(String(value), service, grounds), grounds),
    ]),
  );
  // A name and its port in two variables.
  for (const [host, port] of [
    ['POSTGRES_SEEDS', 'DB_PORT'],
    ['SQL_HOST', 'SQL_PORT'],
  ] as const) {
    const local = grounds.addresses.get(`${env[host]}:${env[port]}`);
    if (local) Object.assign(env, { [host]: local.host, [port]: String(local.port) });
  }
  return env;
}

function withLocalAddresses(text: string, { addresses }: Grounds): string {
  let result = text;
  for (const [there, { host, port }] of addresses) result = result.replaceAll(there, `${host}:${port}`);
  return result;
}

function mountedAt(text: string, service: ComposeService, { root }: Grounds): string {
  for (const mount of service.volumes ?? []) {
    const [source = '', target = ''] = mount.split(':');
    if (source.startsWith('.') && text === target) return join(root, source);
  }
  return text;
}
