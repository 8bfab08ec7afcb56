export * from './eventually.js';
export * from './factories.js';
export * from './jest/process-guard.js';
export * from './receiver/receiver-behaviour.js';
export * from './receiver/test-certificate.js';
export * from './receiver/test-receiver.js';
export * from './test-database.js';
export * from './test-temporal.js';
