import { cpus, release, totalmem, type } from 'node:os';

export function describeMachine(): Record<string, string | number> {
  const processors = cpus();
  return {
    cpus: processors.length,
    model: processors[0]?.model ?? 'unknown',
    memory: `${(totalmem() / 1024 ** 3).toFixed(1)} GiB`,
    node: process.versions.node,
    os: `${type()} ${release()}`,
  };
}
