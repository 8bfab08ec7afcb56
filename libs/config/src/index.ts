export * from './settings.js';
export * from './load-config.js';
export * from './slices.js';
