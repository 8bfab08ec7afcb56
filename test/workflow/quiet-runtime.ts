import { DefaultLogger, Runtime } from '@temporalio/worker';

let installed = false;

/** Once a process: the SDK's own log is not what is tested. */
export function quietRuntime(): void {
  if (installed) return;
  installed = true;
  Runtime.install({ logger: new DefaultLogger('ERROR') });
}
