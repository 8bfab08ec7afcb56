export * from './temporal-client.js';
export { isTemporalUnavailable } from './temporal-errors.js';
export * from './namespace.js';
export * from './delivery-starter.js';
export * from './endpoint-workflows.js';
export * from './maintenance-schedule.js';
export * from './temporal-url.js';
export * from './replay-starter.js';
export { restContext } from './call-context.js';
