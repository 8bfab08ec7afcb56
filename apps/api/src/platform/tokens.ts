export const API_CONFIG = Symbol('ApiConfig');
export const DATABASE = Symbol('Database');
export const LOGGER = Symbol('Logger');
export const TRACING = Symbol('Tracing');
export const TEMPORAL = Symbol('TemporalClient');
