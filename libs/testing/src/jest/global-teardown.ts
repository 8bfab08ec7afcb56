import './global-setup.js';

export default async function globalTeardown(): Promise<void> {
  await globalThis.hookstreamTestServers?.stop();
  globalThis.hookstreamTestServers = undefined;
}
