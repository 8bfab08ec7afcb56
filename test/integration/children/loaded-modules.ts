// Imported before a service's own code: at SIGUSR2 says which packages of OpenTelemetry's SDK the process has loaded.
import { createRequire } from 'node:module';

const SDK = /node_modules\/(@opentelemetry\/(?!api\/)[^/]+)\//;
const { cache } = createRequire(import.meta.url);

process.on('SIGUSR2', () => {
  const packages = new Set(Object.keys(cache).flatMap((path) => SDK.exec(path)?.[1] ?? []));
  console.log(JSON.stringify({ msg: 'loaded', packages: [...packages].sort() }));
});
