export * from './process/service-memory.js';
export * from './postgres/postgres-server.js';
export * from './process/file-lock.js';
export * from './process/free-port.js';
export * from './process/managed-process.js';
export * from './process/process-identity.js';
export * from './temporal/temporal-binary.js';
export * from './temporal/temporal-server.js';
