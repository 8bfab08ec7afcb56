export * from './names.js';
export * from './delivery.contract.js';
export * from './endpoint.contract.js';
export * from './maintenance.contract.js';
export * from './replay.contract.js';
