export * from './ids.js';
export * from './errors.js';
export * from './states.js';
export * from './endpoint-policy.js';
export * from './attempt.js';
