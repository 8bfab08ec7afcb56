export * from './settings.js';
export * from './load-config.js';
export * from './slices.js';
export type { TracesConfig } from './traces-config.js';
