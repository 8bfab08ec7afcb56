import { startTestServers, type TestServers } from './test-servers.js';

declare global {
  var hookstreamTestServers: TestServers | undefined;
}

/** Runs once for all projects that name it. */
export default async function globalSetup(): Promise<void> {
  globalThis.hookstreamTestServers ??= await startTestServers();
}
